"""Optimisers that choose a step size for each entry. `weight_decay` and `spare`: see `optim/decay.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .. import validate
from ..arrays import Params, leaves, tree_map
from .decay import check_decay, decay_rates, decayed
from .descent import check_gradients_fit, check_learning_rate, check_memory_fits, check_momentum, check_number


class AdaGradState(NamedTuple):
    """The sum of every gradient's square so far."""

    updates: int
    total: Params


@dataclass(frozen=True)
class AdaGrad:
    r"""AdaGrad: each entry's step is divided by the root of all its squared gradients so far.

    .. math:: s^{(k)} = s^{(k-1)} + g^2, \qquad
              \theta^{(k)} = \theta^{(k-1)} - \eta\, \frac{g}{\sqrt{s^{(k)}} + \epsilon}

    The first step is η sign(g). The sum only grows, so the steps shrink for ever: good for entries whose gradient is
    seldom other than zero (rare words), too soon the end of learning elsewhere.

    Source: Duchi, Hazan & Singer (2011), the diagonal form; ε outside the root as in PyTorch; notebook 06;
    tests/optim/test_adaptive.py.
    """

    learning_rate: float = 0.01
    epsilon: float = 1e-10
    weight_decay: float = 0.0
    spare: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_learning_rate(self)
        _check_epsilon(self)
        check_decay(self)

    def init(self, params: Params) -> AdaGradState:
        """Return a sum of zero."""
        return AdaGradState(0, tree_map(np.zeros_like, params))

    def update(self, params: Params, grads: Params, state: AdaGradState) -> tuple[Params, AdaGradState]:
        """Return the new parameters and state; errors as in `Adam.update`."""
        check_gradients_fit("AdaGrad.update", params, grads)
        check_memory_fits("AdaGrad.update", params, state, AdaGradState, "total")
        grads = decayed(params, grads, self.weight_decay, self.spare)
        total = tree_map(np.add, state.total, squares("AdaGrad.update", grads))
        new = tree_map(
            lambda theta, g, s: theta - self.learning_rate * g / (np.sqrt(s) + self.epsilon), params, grads, total
        )
        return new, AdaGradState(state.updates + 1, total)


class RMSpropState(NamedTuple):
    """Running means of the squared gradient and of the gradient, and the velocity."""

    updates: int
    square: Params
    mean: Params  # stays zero unless centred
    velocity: Params  # stays zero without momentum


@dataclass(frozen=True)
class RMSprop:
    r"""RMSprop: each entry's step is divided by the root of a running mean of its squared gradient.

    .. math::
        s^{(k)} = \alpha s^{(k-1)} + (1-\alpha) g^2, \quad m^{(k)} = \alpha m^{(k-1)} + (1-\alpha) g, \quad
        v^{(k)} = \mu v^{(k-1)} + \frac{g}{\sqrt{s^{(k)} - m^{(k)\,2}} + \epsilon}, \quad
        \theta^{(k)} = \theta^{(k-1)} - \eta\, v^{(k)}

    m is 0 unless `centered`: then the root is the gradient's standard deviation, not its size, and a gradient that
    hardly changes makes long steps. The means start at zero and nothing undoes that (Adam does): the first step is
    η / √(1 − α), ten times η for α = 0.99.

    As in PyTorch, ε is outside the root and η outside the velocity. (Graves 2013, eqs 38–41, has ε = 0.0001 inside
    the root and η inside the velocity.) Where rounding makes s − m² negative, it is taken as 0; PyTorch gives NaN.

    Source: Hinton, Srivastava & Swersky (2012), lecture 6e; Graves (2013), §4.2, for the centred form; notebook 06;
    tests/optim/test_adaptive.py.
    """

    learning_rate: float = 0.01
    decay: float = 0.99
    epsilon: float = 1e-8
    momentum: float = 0.0
    centered: bool = False
    weight_decay: float = 0.0
    spare: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_learning_rate(self)
        _check_share(self, "decay")
        _check_epsilon(self)
        check_momentum(self)
        validate.option("RMSprop", "centered", self.centered, (True, False))
        check_decay(self)

    def init(self, params: Params) -> RMSpropState:
        """Return running means and a velocity of zero."""
        return RMSpropState(0, *(tree_map(np.zeros_like, params) for _ in range(3)))

    def update(self, params: Params, grads: Params, state: RMSpropState) -> tuple[Params, RMSpropState]:
        """Return the new parameters and state; errors as in `Adam.update`."""
        check_gradients_fit("RMSprop.update", params, grads)
        check_memory_fits("RMSprop.update", params, state, RMSpropState, "square", "mean", "velocity")
        grads = decayed(params, grads, self.weight_decay, self.spare)
        keep = self.decay
        square = tree_map(
            lambda s, gg: keep * s + (1 - keep) * gg, state.square, squares("RMSprop.update", grads)
        )
        mean = state.mean
        if self.centered:
            mean = tree_map(lambda m, g: keep * m + (1 - keep) * g, mean, grads)
        velocity = tree_map(
            lambda v, g, s, m: self.momentum * v + g / (np.sqrt(np.maximum(s - m * m, 0.0)) + self.epsilon),
            state.velocity, grads, square, mean,
        )
        new = tree_map(lambda theta, v: theta - self.learning_rate * v, params, velocity)
        if self.momentum == 0.0:
            velocity = state.velocity
        return new, RMSpropState(state.updates + 1, square, tree_map(np.array, mean), tree_map(np.array, velocity))


class AdamState(NamedTuple):
    """Running means of the gradient and of its square."""

    updates: int
    mean: Params
    square: Params


@dataclass(frozen=True)
class Adam:
    r"""Adam: a step of about η for each entry, whatever the gradient's scale.

    .. math::
        m^{(k)} = \beta_1 m^{(k-1)} + (1-\beta_1) g, \quad
        v^{(k)} = \beta_2 v^{(k-1)} + (1-\beta_2) g^2, \quad
        \theta^{(k)} = \theta^{(k-1)} - \eta\,
        \frac{m^{(k)} / (1-\beta_1^k)}{\sqrt{v^{(k)} / (1-\beta_2^k)} + \epsilon}

    The divisions by 1 − β^k undo the start at zero. With `weight_decay` λθ is part of g, and so divided too: an entry
    with large gradients decays less. `AdamW` is without that.

    Source: Kingma & Ba (2015), Algorithm 1; notebooks 05, 06; tests/optim/test_adaptive.py.
    """

    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    spare: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_adam(self)

    def init(self, params: Params) -> AdamState:
        """Return running means of zero."""
        return _adam_start(params)

    def update(self, params: Params, grads: Params, state: AdamState) -> tuple[Params, AdamState]:
        """Return the new parameters and state.

        Raises ArgumentError as `GradientDescent.update` does, or if a gradient's square is beyond the dtype's largest
        number.
        """
        check_gradients_fit("Adam.update", params, grads)
        check_memory_fits("Adam.update", params, state, AdamState, "mean", "square")
        return _adam_step("Adam.update", self, params, decayed(params, grads, self.weight_decay, self.spare), state)


@dataclass(frozen=True)
class AdamW:
    r"""Adam with decoupled weight decay: the weights shrink by 1 − ηλ, whatever their gradients are.

    .. math:: \theta^{(k)} = (1 - \eta\lambda)\, \theta^{(k-1)} - \eta\,
              \frac{m^{(k)} / (1-\beta_1^k)}{\sqrt{v^{(k)} / (1-\beta_2^k)} + \epsilon}

    m and v are Adam's, of the loss's gradient alone. As in PyTorch the decay is multiplied by η; in the paper by the
    schedule's factor alone, so that its λ is ηλ here.

    Source: Loshchilov & Hutter (2019), Algorithm 2; notebook 06; tests/optim/test_adaptive.py.
    """

    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.01
    spare: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_adam(self)

    def init(self, params: Params) -> AdamState:
        """Return running means of zero."""
        return _adam_start(params)

    def update(self, params: Params, grads: Params, state: AdamState) -> tuple[Params, AdamState]:
        """Return the new parameters and state; errors as in `Adam.update`."""
        check_gradients_fit("AdamW.update", params, grads)
        check_memory_fits("AdamW.update", params, state, AdamState, "mean", "square")
        rates = decay_rates(params, self.weight_decay, self.spare)
        shrunk = tree_map(lambda theta, rate: theta * (1.0 - self.learning_rate * rate), params, rates)
        return _adam_step("AdamW.update", self, shrunk, grads, state)


def _adam_start(params: Params) -> AdamState:
    return AdamState(0, tree_map(np.zeros_like, params), tree_map(np.zeros_like, params))


def _adam_step(
    where: str, rule: Adam | AdamW, params: Params, grads: Params, state: AdamState
) -> tuple[Params, AdamState]:
    k = state.updates + 1
    mean = tree_map(lambda m, g: rule.beta1 * m + (1 - rule.beta1) * g, state.mean, grads)
    square = tree_map(lambda v, gg: rule.beta2 * v + (1 - rule.beta2) * gg, state.square, squares(where, grads))
    unbias_mean, unbias_square = 1 - rule.beta1**k, 1 - rule.beta2**k
    new = tree_map(
        lambda theta, m, v: theta
        - rule.learning_rate * (m / unbias_mean) / (np.sqrt(v / unbias_square) + rule.epsilon),
        params, mean, square,
    )
    return new, AdamState(k, mean, square)


def squares(where: str, grads: Params) -> Params:
    """Return g² for every array; refuse gradients whose square overflows, since their entry would never move again."""
    with np.errstate(over="ignore"):
        found: Params = tree_map(lambda g: g * g, grads)
    for name, array in leaves(found):
        because = f"its square is beyond {array.dtype}, and the running mean would stay infinite"
        if not np.isfinite(array).all():
            largest = f"{np.sqrt(np.finfo(array.dtype).max):.1g}"
            validate.fail(
                where, f"grads {name} has an entry too large to square", f"entries below {largest} in size", because,
                "Clip the gradient before this update.",
            )
    return found


def _check_adam(rule: Adam | AdamW) -> None:
    check_learning_rate(rule)
    for name in ("beta1", "beta2"):
        _check_share(rule, name)
    _check_epsilon(rule)
    check_decay(rule)


def _check_share(rule: RMSprop | Adam | AdamW, name: str) -> None:
    check_number(rule, name, at_least=0.0, below=1.0, because="it is the share that a running mean keeps")


def _check_epsilon(rule: AdaGrad | RMSprop | Adam | AdamW) -> None:
    check_number(rule, "epsilon", above=0.0, because="it keeps the division finite")
