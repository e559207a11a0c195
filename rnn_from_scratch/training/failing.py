"""Training that cannot go on: at which update, in which array, how it came there, what is kept, what to try."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import validate
from ..arrays import Params, leaves
from .state import History


class TrainingStopped(validate.ArgumentError):
    """A loss or a gradient was not finite.

    Attributes
    ----------
    params : dict
        The last parameters whose loss and gradient were both finite.
    update : int
        How many updates had been made to reach them.
    history : History
        Up to and including the last update.
    """

    def __init__(self, message: str, params: Params, update: int, history: History) -> None:
        super().__init__(message)
        self.params, self.update, self.history = params, update, history

    def __reduce__(self) -> tuple[Any, ...]:
        """Let it pass from process to process."""
        return type(self), (str(self), self.params, self.update, self.history)


def what_is_not_finite(loss: Any, tree: Params, what: str = "the gradient of") -> str | None:
    """Say which number of a loss and its gradient (or of new parameters) is not finite; None if all are."""
    if not np.all(np.isfinite(loss)):
        return f"the loss is {loss}"
    bad = [(name, array) for name, array in leaves(tree) if not np.isfinite(array).all()]
    if not bad:
        return None
    name, array = bad[0]
    places = np.argwhere(~np.isfinite(array))
    index = tuple(int(i) for i in places[0])
    place = f"[{', '.join(map(str, index))}]" if index else ""
    others = f"; so are {', '.join(other for other, _ in bad[1:])}" if len(bad) > 1 else ""
    return (
        f"{what} {name} is not finite ({len(places)} of {array.size} entries, {name}{place} is "
        f"{array[index]}){others}"
    )


def stopped_message(
    where: str, fault: str, history: History, epoch: int, clipped: bool, kept: str, never: str | None
) -> str:
    """Say at which update training could not go on, how loss and norm came there, and what to try.

    `never` says what is wrong whatever the parameters; None if they are to blame.
    """
    losses, norms = history.losses, history.norms
    largest = int(np.argmax(norms))
    lower = "start again from the kept parameters with a learning rate of a third or a tenth"
    if never is not None:
        advice = f"Training did not diverge: with the first parameters it fails as well ({never.rstrip('.')})."
    elif clipped:
        advice = (
            f"If they grew, training diverged. The gradient is clipped already: {lower}, look for a bad batch, or use "
            "float64."
        )
    else:
        advice = (
            f"If they grew, training diverged. Clip the gradient (clip=1.0 bounds its global norm), or {lower}; "
            "range_test finds one."
        )
    return (
        f"{where}: update {len(losses) + 1} (epoch {epoch + 1}) failed: {fault.rstrip('.')}. The loss went from "
        f"{losses[0]:.4g} at update 1 to {losses[-1]:.4g} at update {len(losses)}, the gradient's norm from "
        f"{norms[0]:.4g} to {norms[-1]:.4g}, its largest {norms[largest]:.4g} at update {largest + 1}. {kept} {advice}"
    )
