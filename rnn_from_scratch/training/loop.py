"""A small training loop: minibatches, optional clipping, one optimiser, a history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .. import validate
from ..arrays import Array, Params
from ..data.batching import minibatches
from ..models import LanguageModel, SequenceClassifier, SequenceModel

Model: TypeAlias = SequenceModel | LanguageModel | SequenceClassifier


class History(NamedTuple):
    """What happened, update by update."""

    losses: list[float]  # each batch's loss, before its update
    norms: list[float]  # the gradient's global norm before clipping (NaN where nothing clips)
    epoch_losses: list[float]  # Σ weight·loss over each epoch's batches


def fit(
    model: Model,
    params: Params,
    xs: Array,
    targets: Array,
    optimizer: Any,
    *,
    epochs: int,
    batch_size: int | None = None,
    mask: Array | None = None,
    target_mask: Array | None = None,
    clip: Callable[[Params], tuple[Params, float]] | None = None,
    rng: np.random.Generator | None = None,
    on_update: Callable[[int, float], None] | None = None,
) -> tuple[Params, History]:
    """Train with minibatches (article E2.2, E2.3) and return new parameters and the history.

    Parameters
    ----------
    model, params, xs, targets, mask, target_mask
        As in `SequenceModel.loss_and_grads`; all N sequences at once. For a LanguageModel or a SequenceClassifier xs
        are tokens, integers (T, N).
    optimizer : GradientDescent, Momentum, Adam
        Anything with init and update.
    epochs : int
        Times through the data.
    batch_size : int, optional
        B of E2.3; default all.
    clip : callable, optional
        grads -> grads, norm_before: for instance `lambda grads: clip_by_global_norm(grads, 1.0)`.
    rng : Generator, optional
        Shuffles the sequences anew in each epoch, and draws the dropout of a model that has any. None keeps their
        order and trains without dropout.
    on_update : callable, optional
        Called with (update number from 1, loss): a progress bar.

    Returns
    -------
    params : dict
    history : History

    Raises
    ------
    ArgumentError
        Bad arguments, or a loss or gradient that is not finite: training diverged, and the message says where.
    """
    validate.size("fit", "epochs", epochs)
    for name, value, needed in (("model", model, "loss_and_grads"), ("optimizer", optimizer, "update")):
        if not hasattr(value, needed):
            validate.fail("fit", f"{name} is {value!r:.60}", f"an object with {needed}()", error=validate.DtypeError)
    if not hasattr(model, "outputs"):
        validate.fail(
            "fit", f"model is {model!r:.60}", "a model with outputs: many-to-many or many-to-one",
            "an encoder–decoder has sources and targets of other lengths",
            "Loop over its loss_and_grads and the optimizer's update.", validate.DtypeError,
        )
    for name, function in (("clip", clip), ("on_update", on_update)):
        if function is not None and not callable(function):
            validate.fail("fit", f"{name} is {function!r:.60}", "a function", error=validate.DtypeError)
    over_time = model.outputs == "many-to-many"
    state = optimizer.init(params)
    history = History([], [], [])
    for _ in range(epochs):
        epoch_loss = 0.0
        for batch in minibatches(
            xs, targets, batch_size, mask=mask, target_mask=target_mask, over_time=over_time, rng=rng
        ):
            try:
                loss, grads, _ = model.loss_and_grads(
                    params, batch.xs, batch.targets, mask=batch.mask, target_mask=batch.target_mask, rng=rng
                )
                validate.finite("fit", "the loss", np.asarray(loss))
                norm = float("nan")
                if clip is not None:
                    grads, norm = _clipped(clip, grads)
                params, state = optimizer.update(params, grads, state)
            except validate.ArgumentError as fault:
                if not history.losses:
                    raise  # nothing was trained yet: the arguments are wrong, and the message says how
                raise validate.ArgumentError(_stopped(history.losses, str(fault))) from fault
            epoch_loss += batch.weight * float(loss)
            history.losses.append(float(loss))
            history.norms.append(norm)
            if on_update is not None:
                on_update(len(history.losses), float(loss))
        history.epoch_losses.append(epoch_loss)
    return params, history


def _clipped(clip: Callable[[Params], tuple[Params, float]], grads: Params) -> tuple[Params, float]:
    """Call a clip; one that returns the gradients alone is told so."""
    result = clip(grads)
    if not isinstance(result, tuple) or len(result) != 2:
        validate.fail("fit", f"clip returned a {type(result).__name__}", "grads, norm_before", "a clip returns both")
    return result


def _stopped(losses: list[float], fault: str) -> str:
    """Say at which update training could not go on, and how the loss came there."""
    return (
        f"fit: update {len(losses) + 1} failed after losses of {losses[0]:.4g} (first) and {losses[-1]:.4g} (last). "
        f"If they grew, training diverged: lower the learning rate or clip the gradient. {fault}"
    )
