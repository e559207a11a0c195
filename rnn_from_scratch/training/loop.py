"""One training loop for every model: batches from a source, a schedule, clipping, validation, checkpoints.

A run that was killed at any moment and goes on from its checkpoint gives bit for bit what it would have given: all that
an update depends on stands in one `RunState`, replaced in one assignment once the update is complete.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..arrays import Params, tree_map
from .calling import check_fits, gradients
from .checkpoint import restore_run, save_run
from .evaluating import evaluate
from .failing import TrainingStopped, stopped_message, what_is_not_finite
from .plan import Callback, Clip, Plan, checked_plan
from .progress import progress_bar
from .state import Best, History, RunState, generator_state, restore_generator
from .updating import paced, try_validation, updated


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
        An .npz file that holds the whole run. It is written and read back before anything is trained, so that what
        cannot be kept is refused then; and again at the end, and when Ctrl-C, a callback's error or a number that is
        not finite ends the run.
    checkpoint_every : int, optional
        Updates between two writes; default an epoch's.
    resume : bool
        Go on from the file at `checkpoint`; where there is none yet, begin. A file that is there is never overwritten
        by a run that did not come from it.
    notes : dict, optional
        Anything JSON can hold, kept in the checkpoint: a vocabulary, for instance. A run that goes on without keeps
        those it has.
    rng : Generator, optional
        Shuffles, draws dropout and fresh data; None keeps the order and trains without dropout. A run that goes on
        puts it where it was.
    callbacks : functions of a `Step`, optional
        Called after each update. One that returns True ends the run for good; one that raises (KeyboardInterrupt when
        the time is up, say) leaves a run that can go on.
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
    state, new = _begun(plan)
    kept = state  # what stands in the checkpoint
    previous: RunState | None = None  # before the last update: its loss and gradient were finite
    with ExitStack() as stack:
        tell = stack.enter_context(progress_bar(plan.updates, state.updates)) if plan.progress else None
        saving = False
        try:
            batches = _entered(plan, state)
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
                if previous is None:
                    check_fits(plan.where, plan.model, batch, plan.source.carries)
                optimizer = paced(plan, state)
                try:
                    with np.errstate(all="ignore"):  # what is not finite is looked for, and told once
                        after, step = updated(plan, state, batch, optimizer)
                except validate.ArgumentError as fault:
                    if state.updates == 0:
                        raise  # nothing was trained yet: the arguments are wrong, and the message says how
                    raise _failed(plan, previous or state, state, batch, str(fault)) from fault
                if previous is None:
                    try_validation(plan, step.params)
                previous, state = state, after
                if state.batch == 0:
                    batches = None
                if tell is not None:
                    tell(step.update, step.loss)
                if any([callback(step) is True for callback in plan.callbacks]):  # every one is called
                    state = state._replace(asked=True)
                if plan.checkpoint is not None and (state.updates % plan.checkpoint_every == 0 or _ended(plan, state)):
                    saving = True
                    save_run(plan, state)
                    kept, saving = state, False
        except BaseException as fault:  # Ctrl-C, or a callback's own error: what was learned is kept
            written_or_full = isinstance(fault, TrainingStopped) or (saving and isinstance(fault, OSError))
            if state.updates == 0:
                _withdraw(plan, new)
            elif plan.checkpoint is not None and state is not kept and not written_or_full:
                save_run(plan, state)
            raise
    best = state.best
    return Result(
        state.params if best is None else best.params, state.counted(), state.params, best, _why(plan, state)
    )


def _begun(plan: Plan) -> tuple[RunState, bool]:
    """Return the state before the first update, or where the checkpoint left off; and whether the run is a new one.

    A new one is written and read back at once. What cannot be kept is refused before hours were spent on it, and a
    second run of that name finds the file and stops.
    """
    state = RunState(
        plan.params, plan.optimizer.init(plan.params), 0, 0, 0, None, generator_state(plan.rng), None, 0.0, 0.0,
        plan.schedule.init() if plan.on_plateau else None, None, 0, False, plan.notes, History([], [], [], [], []),
    )
    if plan.checkpoint is None:
        return state, True
    new = not plan.checkpoint.exists()
    if not new and not plan.resume:
        validate.fail(
            plan.where, f"{str(plan.checkpoint)!r} exists", "a new name, or resume=True to go on from it",
            "a run that was kept is never overwritten by another",
        )
    try:
        if new:
            save_run(plan, state)
        return restore_run(plan, state), new
    except BaseException:
        _withdraw(plan, new)
        raise


def _withdraw(plan: Plan, new: bool) -> None:
    """Leave no file of a run that learned nothing."""
    if new and plan.checkpoint is not None:
        plan.checkpoint.unlink(missing_ok=True)


def _entered(plan: Plan, state: RunState) -> Iterator[Any] | None:
    """Return what is left of the epoch that a run was stopped in; None at the beginning of one."""
    if plan.checkpoint is None:
        return None
    batches = None
    if state.batch > 0:
        restore_generator(plan.where, plan.rng, state.rng_at_epoch)
        batches = plan.source.epoch(plan.rng, state.batch)
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


def _failed(plan: Plan, good: RunState, state: RunState, batch: Any, fault: str) -> TrainingStopped:
    """Keep the last good parameters, on disk too, and return the error that says all of it."""
    history = state.counted()
    kept = f"The parameters after update {good.updates} are kept in this error's .params"
    if plan.checkpoint is not None:
        save_run(plan, good)
        kept += f" and in {plan.checkpoint.name}"
    message = stopped_message(
        plan.where, fault, history, state.epoch, plan.clip is not None, kept + ".", _never_worked(plan, batch)
    )
    return TrainingStopped(message, tree_map(np.array, good.params), good.updates, history)


def _never_worked(plan: Plan, batch: Any) -> str | None:
    """Say what is wrong with a batch or the validation source whatever the parameters; None if they are to blame."""
    try:
        with np.errstate(all="ignore"):
            loss, grads, _ = gradients(plan.where, plan.model, plan.params, batch, plan.source.carries, None, plan.rng)
            if plan.validation is not None:
                evaluate(plan.model, plan.params, plan.validation)
    except validate.ArgumentError as fault:
        return str(fault)
    return what_is_not_finite(loss, grads)
