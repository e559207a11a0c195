"""A model's loss and gradient on a batch of a source: whether the two fit, and whether that is what came back."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from .. import validate
from ..arrays import Params, State


def check_source(where: str, name: str, source: Any, *further: str) -> None:
    """Refuse what is no source; `further` are the parts that are asked of it beside the batches, see `data.sources`."""
    lacking = [part for part in ("epoch", "carries", *further) if not hasattr(source, part)]
    if lacking or isinstance(source, type):
        validate.fail(
            where, f"{name} is {source!r:.60}" + (f" without {', '.join(lacking)}" if lacking else ""),
            "a source of batches", "", "Try Sequences(xs, targets, batch_size=32).", validate.DtypeError,
        )


def check_fits(where: str, model: Any, batch: Any, carries: bool) -> None:
    """Refuse a batch that has other arguments than the model's loss_and_grads takes."""
    if not hasattr(batch, "arguments"):
        hint = "minibatches() gives such; a source is Sequences(xs, targets, batch_size=32)."
        because = "its arguments() go to the model"
        validate.fail(where, f"a batch is a {type(batch).__name__}", "a Batch", because, hint, validate.DtypeError)
    takes = inspect.signature(model.loss_and_grads).parameters
    if carries and not getattr(getattr(model, "recurrent", None), "causal", True):
        validate.fail(
            where, "a model that also reads backwards meets a source that carries the state", "one that reads forwards",
            "a window ends before the text does, and what comes after is not known yet",
            "Leave out Bidirectional, or train on Sequences.",
        )
    needed = {*batch.arguments(), "rng", *(["state"] if carries else [])}
    lacking = sorted(needed - set(takes))
    if lacking and not any(one.kind is inspect.Parameter.VAR_KEYWORD for one in takes.values()):
        validate.fail(
            where, f"the model's loss_and_grads has no argument {', '.join(lacking)}",
            f"those of a {type(batch).__name__}", "the source's batches have them",
            "An encoder–decoder is trained on Pairs, other models on Sequences, Streams or Fresh.", validate.DtypeError,
        )


def gradients(
    where: str, model: Any, params: Params, batch: Any, carries: bool, state: State | None,
    rng: np.random.Generator | None,
) -> tuple[float, Params, State]:
    """Return a batch's loss, its gradients and the final state, whether they are finite or not."""
    found = model.loss_and_grads(params, **batch.arguments(), **({"state": state} if carries else {}), rng=rng)
    if not isinstance(found, tuple) or len(found) != 3:
        got = f"a tuple of {len(found)}" if isinstance(found, tuple) else f"a {type(found).__name__}"
        validate.fail(where, f"loss_and_grads returned {got}", "(loss, grads, final_state)", error=validate.DtypeError)
    loss, grads, final_state = found
    if not isinstance(loss, int | float | np.number | np.ndarray) or np.ndim(loss) != 0 or np.iscomplexobj(loss):
        got = f"a loss of type {type(loss).__name__} and shape {np.shape(loss)}"
        validate.fail(where, f"loss_and_grads returned {got}", "one real number", error=validate.DtypeError)
    if not isinstance(grads, dict):
        got, expected = f"gradients of type {type(grads).__name__}", "a dictionary with the keys of params"
        validate.fail(where, f"loss_and_grads returned {got}", expected, error=validate.DtypeError)
    return float(loss), grads, final_state
