"""Where a run stands: all that the next update depends on, to the last bit."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..arrays import Params, State

#: NumPy's own bit generators: a file that names another is refused.
GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")


class History(NamedTuple):
    """What happened, update by update."""

    losses: list[float]  # each batch's loss, before its update
    norms: list[float]  # the gradient's global norm before clipping
    epoch_losses: list[float]  # Σ weight·loss over each whole epoch's batches
    rates: list[float]  # each update's learning rate
    validations: list[tuple[int, float]]  # (update from 1, loss on the validation source after it)


class Best(NamedTuple):
    """The parameters with the lowest validation loss so far."""

    params: Params
    loss: float
    update: int


class RunState(NamedTuple):
    """A run after a whole number of updates. `history` may hold more than that: `counted` cuts it."""

    params: Params
    optimizer: Any  # the optimiser's own state
    updates: int
    epoch: int  # whole epochs
    batch: int  # batches of this epoch
    carried: State | None  # the state that the next window starts from
    rng: dict[str, Any] | None  # the generator's state now
    rng_at_epoch: dict[str, Any] | None  # and where this epoch began, before it was shuffled
    epoch_loss: float  # Σ weight·loss so far in this epoch
    epoch_weight: float  # Σ weight
    plateau: Any  # a ReduceOnPlateau's own state
    best: Best | None
    waited: int  # validations since the best one
    asked: bool  # a callback asked to stop
    notes: dict[str, Any] | None  # of whoever trains, kept with it
    history: History

    def counted(self) -> History:
        """Return the history up to this state, as lists of its own."""
        losses, norms, epoch_losses, rates, validations = self.history
        return History(
            losses[: self.updates], norms[: self.updates], epoch_losses[: self.epoch], rates[: self.updates],
            [entry for entry in validations if entry[0] <= self.updates],
        )


def generator_state(rng: np.random.Generator | None) -> dict[str, Any] | None:
    """Return a generator's state as plain values."""
    if rng is None:
        return None
    plain: dict[str, Any] = _plain(rng.bit_generator.state)
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def restore_generator(where: str, rng: np.random.Generator | None, state: dict[str, Any] | None) -> None:
    """Put a generator where it was; refuse one of another kind, and a state that its kind cannot have."""
    if (rng is None) != (state is None):
        with_one, now = ("without", "with one") if state is None else ("with", "without")
        validate.fail(where, f"the run was begun {with_one} a generator and goes on {now}", "the same", "it draws")
    if rng is None or state is None:
        return
    own, saved = type(rng.bit_generator).__name__, state.get("bit_generator")
    if own not in GENERATORS or saved != own:
        validate.fail(
            where, f"rng draws by {own} and the run by {saved!r:.40}", "the same bit generator",
            "its state is of that kind", "np.random.default_rng() makes a PCG64.",
        )
    try:
        rng.bit_generator.state = _arrays(state)
    except Exception as fault:  # NumPy checks little, and raises what comes
        validate.fail(where, f"a generator's state cannot be used ({fault!r:.80})", f"one of {own}")


def _arrays(value: Any) -> Any:
    """Return a state with its lists as the arrays that NumPy expects."""
    if isinstance(value, dict):
        return {key: _arrays(item) for key, item in value.items()}
    return np.array(value, np.uint64) if isinstance(value, list) else value
