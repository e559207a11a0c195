"""What a run is asked to do, checked once before it begins."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import is_dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .. import validate
from ..arrays import Params
from ..optim import clip_by_global_norm
from .archive import checked_path
from .calling import check_source


class Step(NamedTuple):
    """What a callback is told of an update."""

    update: int  # from 1
    epoch: int  # whole epochs so far
    loss: float  # of the update's batch, before it
    norm: float  # of its gradient, before clipping
    rate: float  # the learning rate
    params: Params  # after the update
    before: Params  # and before it
    validation: float | None  # the validation loss, if it was measured after this update


Clip: TypeAlias = Callable[[Params], tuple[Params, float]]
Callback: TypeAlias = Callable[[Step], Any]


class Plan(NamedTuple):
    """The checked arguments of `train`."""

    where: str
    model: Any
    params: Params
    source: Any
    optimizer: Any
    updates: int  # when to end, from the run's beginning
    schedule: Any
    on_plateau: bool  # whether the schedule has a state that sees validation losses
    clip: Clip | None
    validation: Any
    validate_every: int
    patience: int | None
    checkpoint: Path | None
    checkpoint_every: int
    resume: bool
    notes: dict[str, Any] | None
    settings: dict[str, str]  # what must be the same where a run goes on
    rng: np.random.Generator | None
    callbacks: tuple[Callback, ...]
    progress: bool


def checked_plan(
    where: str, *, model: Any, params: Params, source: Any, optimizer: Any, epochs: int | None, updates: int | None,
    schedule: Any, clip: Any, validation: Any, validate_every: int | None, patience: int | None,
    checkpoint: str | Path | None, checkpoint_every: int | None, resume: bool, notes: Any,
    rng: np.random.Generator | None, callbacks: Sequence[Callback], progress: bool,
) -> Plan:
    """Return the plan, or say which argument cannot be used."""
    for name, value, needed in (
        ("model", model, "loss_and_grads"), ("optimizer", optimizer, "update"), ("optimizer", optimizer, "init"),
    ):
        if not hasattr(value, needed) or isinstance(value, type):
            validate.fail(where, f"{name} is {value!r:.60}", f"an object with {needed}()", error=validate.DtypeError)
    kept = [] if checkpoint is None else ["fingerprint"]
    check_source(where, "source", source, "updates", *kept)
    if (epochs is None) == (updates is None):
        got = "neither epochs nor updates" if epochs is None else f"both epochs={epochs} and updates={updates}"
        validate.fail(where, f"there is {got}", "one of the two", "it says when to end")
    total = (
        validate.size(where, "updates", updates) if epochs is None
        else validate.size(where, "epochs", epochs) * source.updates
    )
    on_plateau = _checked_schedule(where, schedule, optimizer, validation)
    if validation is None:
        for name, value in (("validate_every", validate_every), ("patience", patience)):
            if value is not None:
                validate.fail(where, f"{name} is {value!r} without validation", "a source to validate on")
    else:
        check_source(where, "validation", validation, *kept)
    if patience is not None:
        patience = validate.size(where, "patience", patience)
    if rng is not None:
        validate.generator(where, rng)
    for callback in callbacks if isinstance(callbacks, list | tuple) else [callbacks]:
        if not callable(callback) or not isinstance(callbacks, list | tuple):
            got = f"callbacks is {callbacks!r:.60}"
            validate.fail(where, got, "a list of functions of a Step", error=validate.DtypeError)
    every = {
        name: source.updates if value is None else validate.size(where, name, value)
        for name, value in (("validate_every", validate_every), ("checkpoint_every", checkpoint_every))
    }
    clip = checked_clip(where, clip)
    path = _checked_checkpoint(where, checkpoint, checkpoint_every, resume, notes)
    settings = {
        "model": _in_words(model), "optimizer": _in_words(optimizer), "schedule": _in_words(schedule),
        "clip": _clip_in_words(clip),
        "data": source.fingerprint() if path is not None else "",
        "validation data": validation.fingerprint() if path is not None and validation is not None else "None",
        "validate_every": str(every["validate_every"]) if validation is not None else "None",
    }
    return Plan(
        where, model, params, source, optimizer, total, schedule, on_plateau, clip, validation,
        every["validate_every"], patience, path, every["checkpoint_every"], bool(resume), _copied(where, notes),
        settings, rng, tuple(callbacks), bool(progress),
    )


def _in_words(choice: Any) -> str:
    """Return a choice's repr, without an object's address, which is another one next time."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(choice))


def _checked_schedule(where: str, schedule: Any, optimizer: Any, validation: Any) -> bool:
    """Check a schedule; return whether it is one with a state, that sees the validation loss."""
    if schedule is None:
        return False
    on_plateau = hasattr(schedule, "init") and hasattr(schedule, "update")
    if isinstance(schedule, type) or not (on_plateau or callable(schedule)):
        hint = "Try Cosine(updates=1000)."
        validate.fail(where, f"schedule is {schedule!r:.60}", "a schedule", "", hint, validate.DtypeError)
    if on_plateau and validation is None:
        validate.fail(
            where, f"schedule is {schedule!r:.60} without validation", "a source to validate on",
            "it lowers the rate where the validation loss no longer falls",
        )
    if getattr(schedule, "mode", "min") == "max":
        validate.fail(where, f"schedule is {schedule!r:.100}", 'mode="min"', "a validation loss is good when it is low")
    check_rate(where, optimizer, "a schedule multiplies its learning_rate")
    return on_plateau


def check_rate(where: str, optimizer: Any, because: str) -> None:
    """Refuse an optimiser whose rate cannot be replaced."""
    if not hasattr(optimizer, "learning_rate") or not is_dataclass(optimizer):
        validate.fail(where, f"optimizer is {optimizer!r:.60}", "a dataclass with a learning_rate", because)


def checked_clip(where: str, clip: Any) -> Clip | None:
    """Return a clip as a function; a number is C, the largest global norm."""
    if clip is None or callable(clip):
        return clip  # type: ignore[no-any-return]
    if isinstance(clip, bool) or not isinstance(clip, int | float | np.integer | np.floating):
        expected = "a number C for the global norm, or a function grads -> grads, norm_before"
        validate.fail(where, f"clip is {clip!r:.60}", expected, error=validate.DtypeError)
    return partial(clip_by_global_norm, threshold=validate.number(where, "clip", clip, above=0.0))


def clipped(where: str, clip: Clip, grads: Params) -> Params:
    """Call a clip; one that returns the gradients alone is told so."""
    result = clip(grads)
    if not isinstance(result, tuple) or len(result) != 2:
        validate.fail(where, f"clip returned a {type(result).__name__}", "grads, norm_before", "a clip returns both")
    return result[0]


def _clip_in_words(clip: Clip | None) -> str:
    threshold = clip.keywords["threshold"] if isinstance(clip, partial) and clip.func is clip_by_global_norm else clip
    return "a function" if callable(threshold) else repr(threshold)


def _checked_checkpoint(
    where: str, checkpoint: Any, checkpoint_every: int | None, resume: bool, notes: Any
) -> Path | None:
    """Check where the run is kept."""
    if checkpoint is None:
        for name, value in (("checkpoint_every", checkpoint_every), ("resume", resume or None), ("notes", notes)):
            if value is not None:
                validate.fail(where, f"{name} is {value!r:.60} without a checkpoint", "the name of a file for it")
        return None
    path = checked_path(where, checkpoint, to_write=True)
    if not path.parent.is_dir():
        validate.fail(where, f"checkpoint is {str(path)!r}", "a file in a folder that exists", "it is written later on")
    return path


def _copied(where: str, notes: Any) -> dict[str, Any] | None:
    """Return notes as they will come back from the checkpoint, which must be as they are."""
    try:
        copy = json.loads(json.dumps(notes))
        got = "" if copy == notes and (notes is None or isinstance(notes, dict)) else f"notes is {notes!r:.60}"
    except (TypeError, ValueError, RecursionError) as fault:
        got = f"notes is a {type(notes).__name__} that JSON cannot hold ({fault})"
    if got:
        validate.fail(
            where, got, "a dictionary of what JSON can hold", "it is kept as text in the checkpoint",
            "Names are str; a tuple would come back as a list.", validate.DtypeError,
        )
    checked: dict[str, Any] | None = copy
    return checked
