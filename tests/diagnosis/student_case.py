"""Students' backward passes, right and wrong, as test material: what a case says, and how the two folders are read.

Every function in students/ and heldout/ has one form:

    loss_and_grads(params, xs, targets, state) -> losses, grads

params has "W_xh", "W_hh", "b_h", "W_hy", "b_y" (and "b_hn" for a GRU that resets after the product), in the shapes and
gate orders of rnn_from_scratch/cells; xs is (T, N, D) float64, targets (T, N) int, state (h0,) or (h0, c0). The loss is
softmax cross-entropy at every step, its sum is the total: losses is (T, N), or that total. grads holds the total's
gradients under the keys of params, and may hold "xs", "h0" and "c0".

The implementations import nothing of the package, and nothing of each other. All of them were written before any rule
that names their mistakes. Their names were listed first; then a third of the wrong ones, of the broken ones and of the
right ones was drawn for heldout/ with numpy.random.default_rng(1997), and only then were they written.

To read them, put this module into sys.modules as "student_case" and call load_cases("students") or "heldout".
"""

import copy
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

HERE = Path(__file__).parent
FOLDERS = ("students", "heldout")
KINDS = (
    "nondeterministic", "not-reset", "mutates-input", "forward-wrong", "shape", "not-summed-over-batch",
    "not-summed-over-time", "last-step-only", "sign", "scale", "clipped", "regulariser", "zero", "transposed",
    "swapped", "activation-derivative", "carry-dropped", "cell-carry-dropped", "recurrent-matrix", "wrong-time-index",
    "wrong-gate", "truncated", "output-layer", "broken",
)  # fmt: skip
RECURRENT = "W_xh W_hh b_h"  # the layer's parameters: what goes wrong where delta or a carry is wrong
RECURRENT_AFTER = RECURRENT + " b_hn"
EVERY = RECURRENT + " W_hy b_y"
GATES = {"rnn": "", "lstm": "ifgo", "gru": "rzn", "gru-before": "rzn"}  # the order of the blocks of columns


@dataclass(frozen=True)
class Case:
    """One implementation.

    name : what is wrong, in a few words, after the reference; for a right one, its style.
    function : loss_and_grads.
    reference : "rnn" (tanh), "lstm", "gru" (reset after the product) or "gru-before".
    kind : one of KINDS; None where nothing is wrong.
    where : (parameter, gate) of the mistake. The parameter is None where it is in something that several parameters
        share; the gate is None where it is in all gates or in none, two letters where it is in two, "c" where it is
        in the cell state.
    says : the mistake (for a right one, the style) in a few words.
    wrong : the arrays that come out wrong, by name, or by block as in "W_hh:f"; the others come out right. Measured
        on a first call, with a copy of the arguments, against finite differences of the function's own losses, at
        random points of five steps (point below): a limit that clips has something to clip there.
    also : other kinds whose name would fit the same numbers as well.
    """

    name: str
    function: Callable[..., Any]
    reference: str
    kind: str | None
    where: tuple[str | None, str | None]
    says: str
    wrong: str = ""
    also: tuple[str, ...] = ()


def right(module: Any, reference: str, style: str) -> Case:
    """Make the case of a right one, one to a file; its name is made from the file's."""
    name = module.__name__.partition("right_")[2].replace("_", "-")
    return Case(name, module.loss_and_grads, reference, None, (None, None), style)


def wrong(module: Any, reference: str, rows: list[tuple[Any, ...]]) -> list[Case]:
    """Make cases of (function, kind, where, says, wrong, *also); the name is made from the function's."""
    return [
        Case(f"{reference}-{function.replace('_', '-')}", getattr(module, function), reference, kind, where, says,
             *arrays[:1], also=tuple(arrays[1:]))
        for function, kind, where, says, *arrays in rows
    ]


def broken(module: Any, rows: list[tuple[str, str, str]]) -> list[Case]:
    """Make cases of (function, reference, says) whose answer is no set of gradients at all."""
    return [
        Case(function.replace("_", "-"), getattr(module, function), reference, "broken", (None, None), says)
        for function, reference, says in rows
    ]


def load(path: Path) -> ModuleType:
    """Run a file as a new module: whatever it kept from earlier calls is gone."""
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def neighbours(index: str) -> SimpleNamespace:
    """Return the modules beside an index, by name."""
    paths = sorted(Path(index).parent.glob("*.py"))
    return SimpleNamespace(**{path.stem: load(path) for path in paths if path != Path(index)})


def load_cases(folder: str) -> list[Case]:
    """Return the cases of "students" or "heldout", newly loaded."""
    return load(HERE / folder / "index.py").CASES


def blocks(reference: str, name: str, array: Any) -> dict[str, Any]:
    """Cut a parameter's gradient into its gates: {"W_hh:i": …, …}; what has no gates stays whole."""
    gates = GATES[reference] if name in ("W_xh", "W_hh", "b_h") else ""
    if not gates:
        return {name: array}
    width = array.shape[-1] // len(gates)
    return {f"{name}:{gate}": array[..., k * width : (k + 1) * width] for k, gate in enumerate(gates)}


def wrong_blocks(case: Case) -> set[str]:
    """Return case.wrong with every whole parameter spelled out by gates."""
    found = set()
    for name in case.wrong.split():
        whole = ":" not in name and name in ("W_xh", "W_hh", "b_h")
        found |= {f"{name}:{gate}" for gate in GATES[case.reference]} if whole and GATES[case.reference] else {name}
    return found


def point(reference: str, sizes: tuple[int, ...], seed: int = 0) -> tuple[Any, ...]:
    """Return (params, xs, targets, state) for sizes T, N, D, H, K: standard normal, biases and states too."""
    T, N, D, H, K = sizes
    rng = np.random.default_rng([seed, *sizes])
    columns = H * max(len(GATES[reference]), 1)
    shapes = {"W_xh": (D, columns), "W_hh": (H, columns), "b_h": (columns,)}
    if reference == "gru":
        shapes["b_hn"] = (H,)
    shapes |= {"W_hy": (H, K), "b_y": (K,)}
    params = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    state = tuple(rng.standard_normal((N, H)) for _ in range(2 if reference == "lstm" else 1))
    return params, rng.standard_normal((T, N, D)), rng.integers(K, size=(T, N)), state


def differences(losses_of: Callable[..., Any], arguments: Any, names: Any = None, step: float = 1e-5) -> dict[str, Any]:
    """Return central differences of the sum of losses_of(*arguments), by array; of all arrays if names is None."""
    params, xs, targets, state = copy.deepcopy(arguments)
    arrays = {**params, "xs": xs, **dict(zip(("h0", "c0"), state, strict=False))}
    result = {}
    for name in names or arrays:
        result[name] = np.zeros_like(arrays[name])
        for index in np.ndindex(arrays[name].shape):
            value, ends = arrays[name][index], []
            for moved in (value + step, value - step):
                arrays[name][index] = moved
                ends.append(np.sum(losses_of(params, xs, targets, state)))
            arrays[name][index] = value
            result[name][index] = (ends[0] - ends[1]) / (2 * step)
    return result


def error(a: Any, b: Any) -> float:
    """Return the difference's norm relative to the larger of the two."""
    return np.linalg.norm(a - b) / max(np.linalg.norm(a), np.linalg.norm(b), 1e-9)
