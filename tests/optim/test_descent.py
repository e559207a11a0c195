"""Gradient descent (E2.2) and momentum: by hand, against plain loops, against PyTorch's values."""

import re

import numpy as np
import pytest

from rnn_from_scratch.arrays import tree_copy
from rnn_from_scratch.optim import AdaGrad, Adam, AdamW, GradientDescent, Momentum, Nesterov, RMSprop
from rnn_from_scratch.validate import ArgumentError

OPTIMIZERS = [
    GradientDescent(0.1), Momentum(0.1), Nesterov(0.1), AdaGrad(0.1), RMSprop(0.1), RMSprop(0.1, 0.9, 1e-8, 0.5, True),
    Adam(0.1), AdamW(0.1),
]


def test_one_step_by_hand():
    params = {"W": np.array([[1.0, -2.0]]), "b": np.array([0.5])}
    grads = {"W": np.array([[10.0, 4.0]]), "b": np.array([-1.0])}
    new, state = GradientDescent(0.1).update(params, grads, GradientDescent(0.1).init(params))
    np.testing.assert_allclose(new["W"], [[0.0, -2.4]], rtol=0, atol=1e-15)
    np.testing.assert_allclose(new["b"], [0.6], rtol=0, atol=1e-15)
    assert state.updates == 1


def test_momentum_by_hand():
    optimizer = Momentum(0.1, momentum=0.5)
    params = {"w": np.array([1.0])}
    state = optimizer.init(params)
    seen = []
    for gradient in (2.0, 2.0, 0.0):  # v = 2, 3, 1.5
        params, state = optimizer.update(params, {"w": np.array([gradient])}, state)
        seen.append(params["w"][0])
    np.testing.assert_allclose(seen, [0.8, 0.5, 0.35], rtol=0, atol=1e-15)


def test_momentum_over_fifty_steps_is_the_plain_loop():
    rng = np.random.default_rng(3)
    start, gradients = rng.normal(size=4), rng.normal(size=(50, 4))
    optimizer = Momentum(0.03, momentum=0.8)
    params = {"layer": [start]}
    state = optimizer.init(params)
    theta, velocity = list(start), [0.0] * 4
    for gradient in gradients:
        params, state = optimizer.update(params, {"layer": [gradient]}, state)
        for i in range(4):
            velocity[i] = 0.8 * velocity[i] + gradient[i]
            theta[i] = theta[i] - 0.03 * velocity[i]
        np.testing.assert_allclose(params["layer"][0], theta, rtol=0, atol=1e-14)


@pytest.mark.parametrize(("rule", "optimizer"), [("sgd", GradientDescent(0.05)), ("momentum", Momentum(0.05, 0.9))])
def test_path_is_pytorchs(rule, optimizer, reference_path):
    ours, theirs = reference_path(rule, optimizer)
    for k, (one, two) in enumerate(zip(ours, theirs, strict=True)):
        for name in one:
            np.testing.assert_allclose(one[name], two[name], rtol=0, atol=1e-12, err_msg=f"update {k + 1}, {name}")


def test_momentum_of_zero_is_gradient_descent(reference_path):
    ours, _ = reference_path("sgd", Momentum(0.05, 0.0))
    plain, _ = reference_path("sgd", GradientDescent(0.05))
    np.testing.assert_array_equal(ours[-1]["W"], plain[-1]["W"])


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: type(optimizer).__name__)
def test_update_changes_nothing_and_repeats(optimizer):
    params = {"layer": {"W": np.arange(6.0).reshape(2, 3)}, "b": np.ones(3)}
    grads = {"layer": {"W": np.full((2, 3), 0.5)}, "b": np.array([1.0, -2.0, 3.0])}
    state = optimizer.update(params, grads, optimizer.init(params))[1]
    before = tree_copy([params, grads, state])
    first, second = optimizer.update(params, grads, state), optimizer.update(params, grads, state)
    for now, then in (([params, grads, state], before), (first, second)):
        np.testing.assert_equal(now, then)
    first[0]["b"][:] = 99.0  # the result is the caller's own
    np.testing.assert_equal(optimizer.update(params, grads, state), second)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda optimizer: type(optimizer).__name__)
@pytest.mark.parametrize(
    ("grads", "message"),
    [
        ({"W": np.ones((2, 2))}, "grads has ['W'], expected ['W', 'b']"),
        ({"W": np.ones((2, 2)), "b": np.ones(2), "c": np.ones(2)}, "grads has ['W', 'b', 'c'], expected ['W', 'b']"),
        ({"W": np.ones((2, 3)), "b": np.ones(2)}, "grads W has shape (2, 3), expected (2, 2)"),
        ({"W": np.ones((2, 2)), "b": np.array([1.0, np.nan])}, "grads b[1] is nan"),
        ({"W": np.ones((2, 2)), "b": np.array([1.0, np.inf])}, "grads b[1] is inf"),
        ({"W": np.ones((2, 2)), "b": np.ones(2, np.float32)}, "float32 beside"),
        ({"W": np.ones((2, 2)), "b": np.ones(2, int)}, "grads b has dtype int"),
    ],
)
def test_gradients_that_do_not_fit_are_refused(optimizer, grads, message):
    params = {"W": np.zeros((2, 2)), "b": np.zeros(2)}
    with pytest.raises(ArgumentError, match=re.escape(message)):
        optimizer.update(params, grads, optimizer.init(params))


@pytest.mark.parametrize("kind", [GradientDescent, Momentum, Nesterov, AdaGrad, RMSprop, Adam, AdamW])
@pytest.mark.parametrize("rate", [-0.1, 0.0, np.nan, np.inf, "fast", True, None])
def test_a_rate_that_is_not_above_zero_is_refused(kind, rate):
    with pytest.raises(ArgumentError, match=rf"{kind.__name__}: learning_rate is .*expected a finite number above 0"):
        kind(rate)


@pytest.mark.parametrize("kind", [Momentum, Nesterov, RMSprop])
@pytest.mark.parametrize("momentum", [1.0, 1.5, -0.1, np.nan, True])
def test_momentum_outside_zero_and_one_is_refused(kind, momentum):
    with pytest.raises(ArgumentError, match=r"momentum is .* at least 0.0 and below 1.0 because with 1 or more"):
        kind(0.1, momentum=momentum)


def test_nesterov_by_hand():
    """v = 2, 3, 1.5 as with plain momentum; the steps are η(g + v/2): 0.3, 0.35, 0.075."""
    optimizer = Nesterov(0.1, momentum=0.5)
    params = {"w": np.array([1.0])}
    state = optimizer.init(params)
    seen = []
    for gradient in (2.0, 2.0, 0.0):
        params, state = optimizer.update(params, {"w": np.array([gradient])}, state)
        seen.append(params["w"][0])
    np.testing.assert_allclose(seen, [0.7, 0.35, 0.275], rtol=0, atol=1e-15)


def test_nesterov_is_the_papers_with_the_point_ahead_kept():
    """Sutskever et al. (2013), eqs 3, 4 on a curved loss: our parameters are θ + μu, and our v is −u/η."""
    rate, mu, start = 0.1, 0.8, np.array([1.5, -2.0])

    def gradient(theta):
        return np.tanh(theta) * np.array([3.0, 0.5])

    optimizer = Nesterov(rate, mu)
    params = {"w": start}
    state = optimizer.init(params)
    theta, u = start, np.zeros(2)
    for _ in range(30):
        params, state = optimizer.update(params, {"w": gradient(params["w"])}, state)
        u = mu * u - rate * gradient(theta + mu * u)
        theta = theta + u
        np.testing.assert_allclose(params["w"], theta + mu * u, rtol=0, atol=1e-13)
        np.testing.assert_allclose(state.velocity["w"], -u / rate, rtol=0, atol=1e-12)


def test_a_memory_of_another_optimiser_is_refused():
    params = {"w": np.zeros(2)}
    for optimizer, other in ((Nesterov(0.1), Adam(0.1)), (AdaGrad(0.1), RMSprop(0.1)), (AdamW(0.1), AdaGrad(0.1))):
        with pytest.raises(ArgumentError, match=f"{type(optimizer).__name__}.update: state is a .*has its own memory"):
            optimizer.update(params, params, other.init(params))
        with pytest.raises(ArgumentError, match="there is one memory for each parameter"):
            optimizer.update(params, params, optimizer.init({"w": np.zeros(3)}))
