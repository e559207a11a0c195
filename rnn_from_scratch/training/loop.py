"""One training loop for every model: batches from a source, a schedule, clipping, validation, checkpoints.

A run that was killed at any moment and goes on from its checkpoint gives bit for bit what it would have given: all that
an update depends on stands in one `RunState`, replaced in one assignment once the update is complete.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..arrays import Params, global_norm, tree_map
from .checkpoint import restore_run, save_run
from .evaluating import evaluate
from .failing import TrainingStopped, stopped_message, what_is_not_finite
from .plan import Callback, Clip, Plan, Step, checked_plan
from .progress import progress_bar
from .state import Best, History, RunState, generator_state, restore_generator


class Result(NamedTuple):
    """What a run gave."""

    params: Params  # those of the lowest validation loss; without validation the last ones
    history: History
    last_params: Params
    best: Best | None  # None without validation
    stopped: str  # why it ended, in words


def train(
    model: Any,
    params: Params,
    source: Any,
    optimizer: Any,
    *,
    epochs: int | None = None,
    updates: int | None = None,
    schedule: Any = None,
    clip: Clip | float | None = None,
    validation: Any = None,
    validate_every: int | None = None,
    patience: int | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int | None = None,
    resume: bool = False,
    notes: dict[str, Any] | None = None,
    rng: np.random.Generator | None = None,
    callbacks: Sequence[Callback] = (),
    progress: bool = False,
) -> Result:
    r"""Train a model (article E2.2, E2.3) on batches from a source, and return its parameters and the history.

    Parameters
    ----------
    model : SequenceModel, LanguageModel, SequenceClassifier, EncoderDecoder, …
        Anything with DESIGN's loss_and_grads.
    params : dict
        Where to start; never changed.
    source : Sequences, Streams, Pairs, Fresh, …
        Gives the batches, see `data.sources`. With `Streams` the state is carried from window to window: truncated
        backpropagation (article §2.4).
    optimizer : GradientDescent, Adam, …
        Anything with `init` and `update`; with a schedule it must have `learning_rate`.
    epochs, updates : int
        When to end, counted from the run's beginning: one of the two.
    schedule : callable, optional
        `schedule(k)` multiplies the learning rate of the update after k updates; or a `ReduceOnPlateau`, which sees
        each validation loss.
    clip : float or callable, optional
        C, for clipping the global norm; or grads -> grads, norm_before.
    validation : source, optional
        Measured without dropout.
    validate_every : int, optional
        Updates between two measurements; default an epoch's.
    patience : int, optional
        End after so many validations in a row without a lower loss (early stopping).
    checkpoint : path, optional
        An .npz file that holds the whole run. It is also written at the end, and when Ctrl-C, a callback's error or a
        number that is not finite ends it.
    checkpoint_every : int, optional
        Updates between two writes; default an epoch's.
    resume : bool
        Go on from the file at `checkpoint`; where there is none yet, begin. A file that is there is never overwritten
        by a run that did not come from it.
    notes : dict, optional
        Anything JSON can hold, kept in the checkpoint: a vocabulary, for instance.
    rng : Generator, optional
        Shuffles, draws dropout and fresh data; None keeps the order and trains without dropout. A run that goes on
        puts it where it was.
    callbacks : functions of a `Step`, optional
        Called after each update; one that returns True ends the run.
    progress : bool
        A bar (tqdm), or without a terminal a line now and then.

    Returns
    -------
    Result

    Raises
    ------
    TrainingStopped
        A loss or gradient was not finite after the first update. It says where, and keeps the last good parameters.
    ArgumentError
        Bad arguments; a checkpoint that is damaged, or of another run.

    Source: notebooks 05, 06, 18; tests/training/.
    """
    plan = checked_plan(
        "train", model=model, params=params, source=source, optimizer=optimizer, epochs=epochs, updates=updates,
        schedule=schedule, clip=clip, validation=validation, validate_every=validate_every, patience=patience,
        checkpoint=checkpoint, checkpoint_every=checkpoint_every, resume=resume, notes=notes, rng=rng,
        callbacks=callbacks, progress=progress,
    )
    return run(plan)


def run(plan: Plan) -> Result:
    """Carry a plan out."""
    state = _begun(plan)
    batches = _entered(plan, state)
    previous: RunState | None = None  # before the last update: its loss and gradient were finite
    with ExitStack() as stack:
        tell = stack.enter_context(progress_bar(plan.updates, state.updates)) if plan.progress else None
        try:
            while not _ended(plan, state):
                if batches is None:
                    state = state._replace(rng_at_epoch=generator_state(plan.rng))
                    batches = plan.source.epoch(plan.rng)
                batch = next(batches, None)
                if batch is None:
                    validate.fail(
                        plan.where, f"the source ended its epoch after {state.batch} batches",
                        f"{plan.source.updates} batches", "its `updates` says so",
                    )
                try:
                    after, step = _updated(plan, state, batch)
                except validate.ArgumentError as fault:
                    if state.updates == 0:
                        raise  # nothing was trained yet: the arguments are wrong, and the message says how
                    raise _failed(plan, previous or state, state, str(fault)) from fault
                previous, state = state, after
                if state.batch == 0:
                    batches = None
                if tell is not None:
                    tell(step.update, step.loss)
                if any([callback(step) is True for callback in plan.callbacks]):  # every one is called
                    state = state._replace(asked=True)
                if _due(plan.checkpoint_every, state.updates, plan):
                    save_run(plan, state)
        except BaseException as fault:  # Ctrl-C, or a callback's own error: what was learned is kept
            written_or_full = isinstance(fault, TrainingStopped | OSError)
            if plan.checkpoint is not None and state.updates and not written_or_full:
                save_run(plan, state)
            raise
    if plan.checkpoint is not None:
        save_run(plan, state)
    best = state.best
    return Result(
        state.params if best is None else best.params, state.counted(), state.params, best, _why(plan, state)
    )


def _begun(plan: Plan) -> RunState:
    """Return the state before the first update, or where the checkpoint left off."""
    state = RunState(
        plan.params, plan.optimizer.init(plan.params), 0, 0, 0, None, generator_state(plan.rng), None, 0.0, 0.0,
        plan.schedule.init() if plan.on_plateau else None, None, 0, False, History([], [], [], [], []),
    )
    if plan.checkpoint is None or not plan.checkpoint.exists():
        return state
    return restore_run(plan, state)


def _entered(plan: Plan, state: RunState) -> Iterator[Any] | None:
    """Return what is left of the epoch that a run was stopped in; None at the beginning of one."""
    restore = state.updates > 0
    batches = None
    if restore and state.batch > 0:
        restore_generator(plan.where, plan.rng, state.rng_at_epoch)
        batches = plan.source.epoch(plan.rng, state.batch)
    if restore:
        restore_generator(plan.where, plan.rng, state.rng)
    return batches


def _ended(plan: Plan, state: RunState) -> bool:
    tired = plan.patience is not None and state.waited >= plan.patience
    return state.updates >= plan.updates or tired or state.asked


def _why(plan: Plan, state: RunState) -> str:
    if plan.patience is not None and state.waited >= plan.patience:
        return f"no lower validation loss in {state.waited} validations (patience={plan.patience})"
    if state.updates >= plan.updates:
        return f"{state.updates} updates were made"
    return f"a callback asked for it after {state.updates} updates"


def _due(every: int, updates: int, plan: Plan) -> bool:
    return plan.checkpoint is not None and updates % every == 0


def _updated(plan: Plan, state: RunState, batch: Any) -> tuple[RunState, Step]:
    """Return the state after one more update, and what is told of it; raise if a number is not finite."""
    stateful = {"state": state.carried} if plan.source.carries else {}
    loss, grads, final_state = plan.model.loss_and_grads(
        state.params, **batch.arguments(), **stateful, rng=plan.rng
    )
    fault = what_is_not_finite(loss, grads)
    if fault is not None:
        raise validate.ArgumentError(fault)
    loss, norm = float(loss), global_norm(grads)
    if plan.clip is not None:
        grads = _clipped(plan, grads)
    optimizer = plan.optimizer
    if plan.schedule is not None:
        factor = state.plateau.factor if plan.on_plateau else plan.schedule(state.updates)
        optimizer = replace(optimizer, learning_rate=optimizer.learning_rate * factor)
    params, memory = optimizer.update(state.params, grads, state.optimizer)

    updates, history = state.updates + 1, state.history
    del history.losses[state.updates :], history.norms[state.updates :], history.rates[state.updates :]
    history.losses.append(loss)
    history.norms.append(norm)
    history.rates.append(float(getattr(optimizer, "learning_rate", float("nan"))))
    epoch_loss, epoch_weight = state.epoch_loss + batch.weight * loss, state.epoch_weight + batch.weight
    whole = state.batch + 1 == plan.source.updates
    if whole:
        del history.epoch_losses[state.epoch :]
        history.epoch_losses.append(epoch_loss / epoch_weight if epoch_weight else 0.0)
    after = state._replace(
        params=params, optimizer=memory, updates=updates, epoch=state.epoch + whole,
        batch=0 if whole else state.batch + 1, carried=None if whole or not plan.source.carries else final_state,
        epoch_loss=0.0 if whole else epoch_loss, epoch_weight=0.0 if whole else epoch_weight,
    )
    validated = None
    if plan.validation is not None and updates % plan.validate_every == 0:
        after, validated = _validated(plan, after)
    after = after._replace(rng=generator_state(plan.rng))
    step = Step(updates, after.epoch, loss, norm, history.rates[-1], params, state.params, validated)
    return after, step


def _validated(plan: Plan, state: RunState) -> tuple[RunState, float]:
    """Measure the validation source, keep the best parameters, and let a plateau's schedule see the loss."""
    loss = evaluate(plan.model, state.params, plan.validation)
    if not np.isfinite(loss):
        raise validate.ArgumentError(f"the validation loss after it is {loss}")
    state.history.validations[:] = [entry for entry in state.history.validations if entry[0] < state.updates]
    state.history.validations.append((state.updates, loss))
    better = state.best is None or loss < state.best.loss
    return state._replace(
        best=Best(state.params, loss, state.updates) if better else state.best,
        waited=0 if better else state.waited + 1,
        plateau=plan.schedule.update(state.plateau, loss) if plan.on_plateau else None,
    ), loss


def _clipped(plan: Plan, grads: Params) -> Params:
    """Call a clip; one that returns the gradients alone is told so."""
    result = plan.clip(grads) if plan.clip is not None else (grads, 0.0)
    if not isinstance(result, tuple) or len(result) != 2:
        validate.fail(
            plan.where, f"clip returned a {type(result).__name__}", "grads, norm_before", "a clip returns both"
        )
    clipped: Params = result[0]
    return clipped


def _failed(plan: Plan, good: RunState, state: RunState, fault: str) -> TrainingStopped:
    """Keep the last good parameters, on disk too, and return the error that says all of it."""
    history = state.counted()
    kept = f"The parameters after update {good.updates} are kept in this error's .params"
    if plan.checkpoint is not None:
        save_run(plan, good)
        kept += f" and in {plan.checkpoint.name}"
    message = stopped_message(plan.where, fault, history, state.epoch, plan.clip is not None, kept + ".")
    return TrainingStopped(message, tree_map(np.array, good.params), good.updates, history)
