"""The loss on a whole source at constant parameters, without a gradient where a model lets one do without."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import validate
from ..arrays import Params, State
from .calling import check_fits, check_source


def evaluate(model: Any, params: Params, source: Any) -> float:
    """Return the mean loss over everything that counts in a source: Σ weight·loss / Σ weight.

    Without dropout. A stream's state is carried from window to window, so that a text is measured as one text: with
    `text_streams(tokens, 1, steps)` every token after the first is predicted once.

    Parameters
    ----------
    model, params
        Any model with loss_and_grads, or with forward and loss.
    source
        See `data.sources`; its order does not matter. `Fresh` needs a generator and is refused.

    Raises
    ------
    ArgumentError
        A source that gives no batches, and what the model refuses.
    """
    check_source("evaluate", "source", source)
    if not hasattr(model, "loss_and_grads") or isinstance(model, type):
        expected = "an object with loss_and_grads()"
        validate.fail("evaluate", f"model is {model!r:.60}", expected, error=validate.DtypeError)
    total = weight = 0.0
    state: State | None = None
    for batch in source.epoch(None):
        if weight == 0.0:
            check_fits("evaluate", model, batch, source.carries)
        loss, state = loss_of(model, params, batch, state if source.carries else None)
        total += float(batch.weight) * float(loss)
        weight += float(batch.weight)
    if weight == 0.0:
        validate.fail("evaluate", "no target of the source is counted", "one at least")
    return total / weight


def loss_of(model: Any, params: Params, batch: Any, state: State | None) -> tuple[Any, State]:
    """Return a batch's loss and the final state; the gradient is computed only where there is no other way."""
    given = batch.arguments()
    if not (hasattr(model, "outputs") and hasattr(model, "loss") and hasattr(model, "forward")):
        loss, _, final = model.loss_and_grads(params, **given, **({} if state is None else {"state": state}))
        return loss, final
    logits, final, _ = model.forward(params, given["xs"], state, given["mask"])
    counted = given["target_mask"]
    if counted is None and given["mask"] is not None:
        counted = given["mask"] if model.outputs == "many-to-many" else np.any(given["mask"], axis=0)
    return model.loss(logits, given["targets"], counted)[0], final
