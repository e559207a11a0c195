"""`fit`: the training loop for arrays in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import validate
from ..arrays import Array, Params
from ..data import Sequences
from .loop import run
from .plan import Clip, checked_plan
from .state import History


def fit(
    model: Any,
    params: Params,
    xs: Array,
    targets: Array,
    optimizer: Any,
    *,
    epochs: int,
    batch_size: int | None = None,
    mask: Array | None = None,
    target_mask: Array | None = None,
    clip: Clip | float | None = None,
    rng: np.random.Generator | None = None,
    on_update: Callable[[int, float], None] | None = None,
) -> tuple[Params, History]:
    """Train with minibatches (article E2.2, E2.3) and return new parameters and the history.

    The short form of `train`, which also takes schedules, validation, checkpoints and other sources.

    Parameters
    ----------
    model, params, xs, targets, mask, target_mask
        As in `SequenceModel.loss_and_grads`; all N sequences at once. For a LanguageModel or a SequenceClassifier xs
        are tokens, integers (T, N).
    optimizer : GradientDescent, Momentum, Adam, …
        Anything with init and update.
    epochs : int
        Times through the data.
    batch_size : int, optional
        B of E2.3; default all.
    clip : float or callable, optional
        C for the global norm; or grads -> grads, norm_before: for instance
        `lambda grads: clip_by_value(grads, 0.1)`.
    rng : Generator, optional
        Shuffles the sequences anew in each epoch, and draws the dropout of a model that has any. None keeps their
        order and trains without dropout.
    on_update : callable, optional
        Called with (update number from 1, loss).

    Returns
    -------
    params : dict
    history : History

    Raises
    ------
    ArgumentError
        Bad arguments; TrainingStopped where a loss or gradient is not finite: training diverged, and it says where.
    """
    where = "fit"
    validate.size(where, "epochs", epochs)
    if not hasattr(model, "loss_and_grads"):
        validate.fail(
            where, f"model is {model!r:.60}", "an object with loss_and_grads()", error=validate.DtypeError
        )
    if not hasattr(model, "outputs"):
        validate.fail(
            where, f"model is {model!r:.60}", "a model with outputs: many-to-many or many-to-one",
            "an encoder–decoder has sources and targets of other lengths",
            "Call train with a source of pairs: train(model, params, Pairs(…), optimizer, epochs=…).",
            validate.DtypeError,
        )
    if on_update is not None and not callable(on_update):
        validate.fail(where, f"on_update is {on_update!r:.60}", "a function", error=validate.DtypeError)
    tell = [] if on_update is None else [lambda step: on_update(step.update, step.loss)]
    source = Sequences(xs, targets, batch_size, mask, target_mask, over_time=model.outputs == "many-to-many")
    result = run(checked_plan(
        where, model=model, params=params, source=source, optimizer=optimizer, epochs=epochs, updates=None,
        schedule=None, clip=clip, validation=None, validate_every=None, patience=None, checkpoint=None,
        checkpoint_every=None, resume=False, notes=None, rng=rng, callbacks=tell, progress=False,
    ))
    return result.params, result.history
