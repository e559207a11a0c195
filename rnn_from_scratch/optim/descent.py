r"""Gradient descent (article E2.2, E2.3), momentum and Nesterov's momentum.

An optimiser is a frozen dataclass of choices. `init(params) -> state` and
`update(params, grads, state) -> params, state` are pure: new arrays come back, nothing is changed.
`weight_decay` and `spare`, which every optimiser has, are explained in `optim/decay.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..arrays import Params, Tree, leaves, tree_map
from .decay import check_decay, decayed


class DescentState(NamedTuple):
    """Gradient descent remembers nothing but how many updates it has made."""

    updates: int


@dataclass(frozen=True)
class GradientDescent:
    r"""Gradient descent (article E2.2): one step along −∇L.

    .. math:: \theta^{(k+1)} = \theta^{(k)} - \eta \, \nabla_\theta L(\theta^{(k)})

    (The article writes θ_t; t counts updates there, not time.) Batch, mini-batch and stochastic gradient descent
    (E2.3) are this one rule: they differ in how many examples stand in the gradient, see `data.batching`.

    Source: Cauchy (1847); notebook 05; tests/optim/test_descent.py.
    """

    learning_rate: float
    weight_decay: float = 0.0
    spare: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_learning_rate(self)
        check_decay(self)

    def init(self, params: Params) -> DescentState:
        """Return the state before the first update."""
        return DescentState(0)

    def update(self, params: Params, grads: Params, state: DescentState) -> tuple[Params, DescentState]:
        """Return θ − η g and the new state.

        Raises ArgumentError if grads does not have the keys and shapes of params, or is not finite.
        """
        check_gradients_fit("GradientDescent.update", params, grads)
        grads = decayed(params, grads, self.weight_decay, self.spare)
        new = tree_map(lambda theta, g: theta - self.learning_rate * g, params, grads)
        return new, DescentState(state.updates + 1)


class MomentumState(NamedTuple):
    """The velocity of every parameter."""

    updates: int
    velocity: Params


@dataclass(frozen=True)
class Momentum:
    r"""Gradient descent with momentum: a running sum of gradients, old ones fading by μ.

    .. math:: v^{(k+1)} = \mu v^{(k)} + g, \qquad \theta^{(k+1)} = \theta^{(k)} - \eta\, v^{(k+1)}

    As in PyTorch's SGD: η multiplies the velocity (Sutskever et al. 2013, eqs 1, 2 put it inside v; for a constant
    η that is the same path).

    Source: Polyak (1964); tests/optim/test_descent.py.
    """

    learning_rate: float
    momentum: float = 0.9
    weight_decay: float = 0.0
    spare: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_learning_rate(self)
        check_momentum(self)
        check_decay(self)

    def init(self, params: Params) -> MomentumState:
        """Return a velocity of zero."""
        return MomentumState(0, tree_map(np.zeros_like, params))

    def update(self, params: Params, grads: Params, state: MomentumState) -> tuple[Params, MomentumState]:
        """Return the new parameters and velocity; errors as in `GradientDescent.update`."""
        check_gradients_fit("Momentum.update", params, grads)
        check_memory_fits("Momentum.update", params, state, MomentumState, "velocity")
        grads = decayed(params, grads, self.weight_decay, self.spare)
        velocity = tree_map(lambda v, g: self.momentum * v + g, state.velocity, grads)
        new = tree_map(lambda theta, v: theta - self.learning_rate * v, params, velocity)
        return new, MomentumState(state.updates + 1, velocity)


@dataclass(frozen=True)
class Nesterov:
    r"""Nesterov's momentum: the gradient is taken where the velocity is about to lead.

    Sutskever et al. (2013, eqs 3, 4) write it with a velocity u that holds the step itself:

    .. math:: u^{(k+1)} = \mu u^{(k)} - \eta \nabla L(\theta^{(k)} + \mu u^{(k)}), \qquad
              \theta^{(k+1)} = \theta^{(k)} + u^{(k+1)}

    That asks for a gradient at a point other than the parameters. Here, as in PyTorch's SGD with nesterov=True, the
    parameters kept *are* that point, φ = θ + μu, and v = −u/η:

    .. math:: v^{(k+1)} = \mu v^{(k)} + g(\varphi^{(k)}), \qquad
              \varphi^{(k+1)} = \varphi^{(k)} - \eta\,(g + \mu v^{(k+1)})

    For a constant η both take the same gradients at the same points; where the velocity has faded they meet.

    Source: Nesterov (1983); Sutskever et al. (2013), §2; notebook 06; tests/optim/test_descent.py.
    """

    learning_rate: float
    momentum: float = 0.9
    weight_decay: float = 0.0
    spare: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_learning_rate(self)
        check_momentum(self)
        check_decay(self)

    def init(self, params: Params) -> MomentumState:
        """Return a velocity of zero."""
        return MomentumState(0, tree_map(np.zeros_like, params))

    def update(self, params: Params, grads: Params, state: MomentumState) -> tuple[Params, MomentumState]:
        """Return the new parameters and velocity; errors as in `GradientDescent.update`."""
        check_gradients_fit("Nesterov.update", params, grads)
        check_memory_fits("Nesterov.update", params, state, MomentumState, "velocity")
        grads = decayed(params, grads, self.weight_decay, self.spare)
        velocity = tree_map(lambda v, g: self.momentum * v + g, state.velocity, grads)
        new = tree_map(
            lambda theta, g, v: theta - self.learning_rate * (g + self.momentum * v), params, grads, velocity
        )
        return new, MomentumState(state.updates + 1, velocity)


def check_number(optimizer: Any, name: str, **bounds: Any) -> None:
    """Check one choice of an optimiser and keep it as a Python float.

    A NumPy float64 would turn float32 parameters into float64 at the first update.
    """
    value = validate.number(type(optimizer).__name__, name, getattr(optimizer, name), **bounds)
    object.__setattr__(optimizer, name, value)


def check_learning_rate(optimizer: Any) -> None:
    """Refuse a rate that is not above 0."""
    because = "the step goes along −∇L, and the minus sign is in the rule already"
    check_number(optimizer, "learning_rate", above=0.0, because=because, hint="0.01 is the article's.")


def check_momentum(optimizer: Any) -> None:
    """Refuse a momentum outside 0 … 1."""
    because = "with 1 or more the velocity never fades"
    check_number(optimizer, "momentum", at_least=0.0, below=1.0, because=because)


def check_gradients_fit(where: str, params: Tree, grads: Tree) -> None:
    """Refuse gradients whose keys, shapes or dtypes are not the parameters', or that are not finite."""
    own, given = dict(leaves(params)), dict(leaves(grads))
    if set(own) != set(given):
        validate.fail(
            where, f"grads has {sorted(given)}", f"{sorted(own)}", "gradients have the keys of their parameters",
            "Pass the whole dictionary that backward returned.",
        )
    for name, array in own.items():
        validate.float_array(where, f"params {name}", array)
        gradient = validate.float_array(where, f"grads {name}", given[name])
        validate.shape(where, f"grads {name}", gradient, array.shape, "each entry moves one entry of the parameter")
        validate.same_dtype(where, params=array, grads=gradient)
        validate.finite(where, f"grads {name}", gradient, hint="Clip, or lower the learning rate, before this update.")


def check_memory_fits(where: str, params: Tree, state: Any, kind: type, *parts: str) -> None:
    """Refuse an optimiser's memory that belongs to another optimiser or to other parameters."""
    if not isinstance(state, kind):
        validate.fail(
            where, f"state is a {type(state).__name__}", f"a {kind.__name__}", "each optimiser has its own memory",
            "Start with state = optimizer.init(params).", validate.DtypeError,
        )
    shapes = {name: np.shape(array) for name, array in leaves(params)}
    for part in parts:
        own = {name: np.shape(array) for name, array in leaves(getattr(state, part))}
        if own != shapes:
            validate.fail(
                where, f"state.{part} has {own}", f"{shapes}", "there is one memory for each parameter",
                "Start with state = optimizer.init(params).", validate.ShapeError,
            )
