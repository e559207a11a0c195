"""A run on disk: parameters, the optimiser's and the generator's states, where it stands, and what it is a run of.

One .npz file, never pickle (`archive.py`): arrays under "params.…", "optimizer.…", "best.…", "carried.…", "history.…",
and `run.json` with all that is no array. What a file says is checked against the run that goes on from it.

Source: notebook 18; benchmarks/kill_and_resume.py; tests/training/test_resume.py.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np

from .. import __version__, validate
from ..arrays import Array, Params, Tree, leaves
from .archive import Arrays, checked_path, read_archive, write_archive
from .describing import build, describe
from .params import named_arrays, nested_arrays
from .plan import Plan
from .state import Best, History, RunState

FORMAT, VERSION = "rnn_from_scratch run", 1
RUN = "run.json"
PARTS = ("params", "optimizer", "best", "carried", "history")  # of the arrays' names
NUMBERS = ("updates", "epoch", "batch", "waited")


class Checkpoint(NamedTuple):
    """What a file of `train` holds, for anybody to read."""

    params: Params  # the last ones
    best: Best | None  # those of the lowest validation loss
    updates: int
    epoch: int
    history: History
    model: dict[str, Any] | None  # the model's description, see `build_model`; None for a model of one's own
    settings: dict[str, str]  # model, optimiser, schedule, clip, data, in words
    notes: dict[str, Any] | None

    def build_model(self) -> Any:
        """Return the model that was trained; the package's own parts only.

        Raises
        ------
        ArgumentError
            If a part of it was somebody's own, or the description is of something that cannot be.
        """
        if self.model is None:
            validate.fail(
                "Checkpoint.build_model", f"the model has parts of one's own ({self.settings.get('model', '')!r:.120})",
                "the package's own", "a file never names code to run", "Make the model, and take .params.",
            )
        return build(self.model, "Checkpoint.build_model")


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint that `train` wrote. Never runs code from the file.

    Raises
    ------
    ArgumentError
        If the file is damaged, is none that `train` wrote, or was written by a later version in another format.
    OSError
        If there is no such file, or it cannot be read.
    """
    where = "load_checkpoint"
    path = checked_path(where, path)
    arrays, saved = _read(where, path)
    return Checkpoint(
        _nested(where, path, arrays, "params"), _best(where, path, arrays, saved), saved["updates"], saved["epoch"],
        _history(where, path, arrays, saved), saved["model"], saved["settings"], saved["notes"],
    )


def save_run(plan: Plan, state: RunState) -> None:
    """Write a run's state in place of its last checkpoint."""
    if plan.checkpoint is None:
        validate.fail(plan.where, "checkpoint is None", "a path")
    named_arrays(plan.where, state.params)  # refuses what has no name in an archive
    if not hasattr(state.optimizer, "_asdict"):
        got = f"the optimiser's init returned a {type(state.optimizer).__name__}"
        expected = "a NamedTuple of numbers and dictionaries of arrays"
        validate.fail(plan.where, got, expected, "it is kept field by field")
    for name, value in state.optimizer._asdict().items():
        if not isinstance(value, int | float | dict):
            got = f"the optimiser's state: optimizer.{name} is a {type(value).__name__}"
            validate.fail(plan.where, got, "a number or a dictionary of arrays")
    history = state.counted()
    arrays: Arrays = {}
    trees: dict[str, Tree] = {
        "params": state.params, "optimizer": state.optimizer._asdict(), "carried": state.carried,
        "best": None if state.best is None else state.best.params,
    }
    for part, tree in trees.items():
        for name, array in leaves(tree):
            if isinstance(array, np.ndarray):
                arrays[f"{part}.{name}"] = array
    for name, numbers in history._asdict().items():
        arrays[f"history.{name}"] = np.array(numbers, np.float64).reshape(-1, 2 if name == "validations" else 1)
    write_archive(plan.checkpoint, arrays, {RUN: json.dumps({
        "format": FORMAT, "version": VERSION, "package": __version__, "settings": plan.settings,
        "model": describe(plan.model), "notes": state.notes, **{name: getattr(state, name) for name in NUMBERS},
        "asked": state.asked, "epoch_loss": state.epoch_loss, "epoch_weight": state.epoch_weight,
        "optimizer": {
            name: value for name, value in state.optimizer._asdict().items() if isinstance(value, int | float)
        },
        "plateau": None if state.plateau is None else state.plateau._asdict(),
        "best": None if state.best is None else {"loss": state.best.loss, "update": state.best.update},
        "carried": None if state.carried is None else len(state.carried),
        "rng": state.rng, "rng_at_epoch": state.rng_at_epoch,
    }, indent=1)})


def restore_run(plan: Plan, start: RunState) -> RunState:
    """Return the state that a plan's checkpoint holds; `start` is the plan's own, whose structure it must have."""
    path, where = plan.checkpoint, plan.where
    if path is None:
        return start
    arrays, saved = _read(where, path)
    for name, now in plan.settings.items():
        then = saved["settings"].get(name)
        if then != now:
            before, after = _apart(str(then), now)
            validate.fail(
                where, f"{path.name} is of a run whose {name} was {before!r}; now it is {after!r}", "the same",
                "a run that goes on must be the same run",
                "To begin another from its parameters: load_checkpoint(path).params, and a new checkpoint.",
            )
    params = _like(where, path, "params", start.params, _nested(where, path, arrays, "params"))
    best = _best(where, path, arrays, saved)
    carried = saved["carried"]
    return start._replace(
        params=params,
        optimizer=_filled(where, path, start.optimizer, arrays, saved),
        **{name: saved[name] for name in NUMBERS},
        carried=None if carried is None else tuple(
            _array(where, path, arrays, f"carried.[{n}]") for n in range(carried)
        ),
        rng=saved["rng"], rng_at_epoch=saved["rng_at_epoch"], epoch_loss=float(saved["epoch_loss"]),
        epoch_weight=float(saved["epoch_weight"]),
        plateau=None if start.plateau is None else _plateau(where, path, start.plateau, saved["plateau"]),
        best=None if best is None else best._replace(params=_like(where, path, "best", start.params, best.params)),
        asked=bool(saved["asked"]), notes=saved["notes"] if plan.notes is None else plan.notes,
        history=_history(where, path, arrays, saved),
    )


def _apart(one: str, other: str) -> tuple[str, str]:
    """Return two texts that differ, shortened to where they do."""
    pairs = enumerate(zip(one, other, strict=False))
    same = next((n for n, (a, b) in pairs if a != b), min(len(one), len(other)))
    first = max(0, same - 60) if max(len(one), len(other)) > 200 else 0
    mark = "…" if first else ""
    return mark + one[first : first + 200], mark + other[first : first + 200]


def _read(where: str, path: Path) -> tuple[Arrays, dict[str, Any]]:
    """Return the arrays and what run.json says, with every entry that must be there."""
    arrays, texts = read_archive(where, path, "a checkpoint that train wrote", (RUN,))
    try:
        saved = json.loads(texts[RUN])
        ours = isinstance(saved, dict) and saved.get("format") == FORMAT
    except (ValueError, RecursionError):
        ours = False
    if not ours:
        _refuse(where, path, f"its {RUN} is not ours")
    if type(saved.get("version")) is not int or saved["version"] != VERSION:
        _refuse(where, path, f"it has format version {saved.get('version')!r:.20}, and this is version {VERSION}")
    whole = all(_whole(saved.get(name)) for name in NUMBERS)
    sorts = {"settings": dict, "model": dict | None, "notes": dict | None, "optimizer": dict, "plateau": dict | None,
             "best": dict | None, "carried": int | None, "rng": dict | None, "rng_at_epoch": dict | None,
             "asked": bool, "epoch_loss": float, "epoch_weight": float}
    wrong = [name for name, sort in sorts.items() if name not in saved or not isinstance(saved[name], sort)]
    strange = [name for name in arrays if name.partition(".")[0] not in PARTS or "." not in name]
    if strange:
        _refuse(where, path, f"it holds {strange[0]!r:.60}")
    if not whole or wrong or not _whole(saved["carried"] or 0) or (saved["carried"] or 0) > 100:
        _refuse(where, path, f"its {RUN} lacks {', '.join(wrong) or 'a number'}, or has another sort of it")
    return arrays, saved


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53


def _refuse(where: str, path: Path, reason: str) -> NoReturn:
    validate.fail(where, f"{str(path)!r} cannot be used ({reason})", "a checkpoint that train wrote")


def _array(where: str, path: Path, arrays: Arrays, name: str) -> Array:
    if name not in arrays:
        _refuse(where, path, f"it has no array {name!r}")
    return arrays[name]


def _part(arrays: Arrays, part: str) -> Arrays:
    return {name.removeprefix(f"{part}."): array for name, array in arrays.items() if name.startswith(f"{part}.")}


def _nested(where: str, path: Path, arrays: Arrays, part: str) -> Params:
    return nested_arrays(where, path.name, _part(arrays, part))


def _like(where: str, path: Path, part: str, own: Params, saved: Params) -> Params:
    """Return saved parameters if they have the names, shapes and dtypes of the run's own."""
    mine, theirs = ({name: (a.shape, a.dtype.name) for name, a in leaves(tree)} for tree in (own, saved))
    if mine != theirs:
        name = next(name for name in {**mine, **theirs} if mine.get(name) != theirs.get(name))
        got, expected = (
            "no such array" if entry is None else f"shape {entry[0]} and dtype {entry[1]}"
            for entry in (theirs.get(name), mine.get(name))
        )
        validate.fail(
            where, f"{path.name}: {part}.{name} has {got}", expected, "it must fit the parameters that were passed in",
        )
    return saved


def _best(where: str, path: Path, arrays: Arrays, saved: dict[str, Any]) -> Best | None:
    best = saved["best"]
    if best is None:
        return None
    if not _number(best.get("loss")) or not _whole(best.get("update")):
        _refuse(where, path, f"its {RUN} says nothing of the best parameters' loss")
    return Best(_nested(where, path, arrays, "best"), float(best["loss"]), best["update"])


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _history(where: str, path: Path, arrays: Arrays, saved: dict[str, Any]) -> History:
    columns = {}
    lengths = {"losses": saved["updates"], "norms": saved["updates"], "epoch_losses": saved["epoch"],
               "rates": saved["updates"], "validations": None}
    for name, length in lengths.items():
        array = _array(where, path, arrays, f"history.{name}")
        rows = length if length is not None or array.ndim == 0 else len(array)
        if array.shape != (rows, 2 if name == "validations" else 1) or array.dtype != np.float64:
            _refuse(where, path, f"its history.{name} has shape {array.shape} and dtype {array.dtype}")
        columns[name] = array
    validations = columns.pop("validations")
    lists = {name: array[:, 0].tolist() for name, array in columns.items()}
    return History(**lists, validations=[(int(update), float(loss)) for update, loss in validations.tolist()])


def _filled(where: str, path: Path, own: Any, arrays: Arrays, saved: dict[str, Any]) -> Any:
    """Return an optimiser's state of the kind of `own`, with the saved numbers and arrays."""
    fields: dict[str, Any] = {}
    for name, value in own._asdict().items():
        if isinstance(value, int | float):
            number = saved["optimizer"].get(name)
            if not _number(number) or type(number) is not type(value):
                _refuse(where, path, f"its {RUN} has no number optimizer.{name}")
            fields[name] = number
        else:
            part = _nested(where, path, arrays, f"optimizer.{name}")
            fields[name] = _like(where, path, f"optimizer.{name}", value, part)
    return type(own)(**fields)


def _plateau(where: str, path: Path, own: Any, saved: dict[str, Any] | None) -> Any:
    """Return a schedule's state of the kind of `own`."""
    if saved is None or set(saved) != set(own._fields) or not all(v is None or _number(v) for v in saved.values()):
        _refuse(where, path, f"its {RUN} has no state of the schedule")
    return type(own)(**saved)
