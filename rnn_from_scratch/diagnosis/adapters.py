"""Adapters: the usual shapes of students' code, turned into the one that `diagnose` calls.

Each takes a function and returns one; they nest, the student's function innermost:

    diagnose(mean_loss(in_columns(lossFun, names={"W_xh": "Wxh", …})), "rnn")

Source: GRADCHECK's list of what students write; tests/diagnosis/test_adapters.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Any, TypeAlias

import numpy as np

from .. import validate
from ..arrays import Array, Params, State
from .naming.problem import problem_of
from .suite import BrokenError, described

LossAndGrads: TypeAlias = Callable[..., tuple[Any, Params]]

STATES = ("h0", "c0")
OUTER = ("W_hy", "b_y")


def mean_loss(function: LossAndGrads) -> LossAndGrads:
    """Adapt a function whose loss and gradients are the mean over all steps and sequences, not their sum."""

    @wraps(function)
    def adapted(params: Params, xs: Array, targets: Array, state: State) -> tuple[Any, Params]:
        losses, grads = _answer(function(params, xs, targets, state))
        last = targets[-1] if problem_of(function).last_step_only else targets
        counted = last.size if last.dtype.kind in "iu" else last[..., 0].size  # (…, K) for a squared error
        scaled = {name: np.asarray(gradient) * counted for name, gradient in grads.items()}
        return (losses * counted if np.ndim(losses) == 0 else losses), scaled

    return adapted


def squared_error(function: LossAndGrads, factor: float = 0.5) -> LossAndGrads:
    """Adapt a function with a squared error: the loss of a step is factor · Σ_k (y_k − t_k)², targets (T, N, K)."""
    validate.number("squared_error", "factor", factor, above=0.0)
    return _with(function, squared_error=factor)


def last_step_only(function: LossAndGrads) -> LossAndGrads:
    """Adapt a function of many-to-one: targets are the last step's, (N,), and losses (N,) or their sum."""

    @wraps(function)
    def adapted(params: Params, xs: Array, targets: Array, state: State) -> tuple[Any, Params]:
        return function(params, xs, targets[-1], state)

    return _with(adapted, last_step_only=True)


def one_hot_inputs(function: LossAndGrads, vocabulary: int) -> LossAndGrads:
    """Adapt a function of tokens: xs are indices (T, N) below `vocabulary`, which is D, and have no gradient."""
    size = validate.size("one_hot_inputs", "vocabulary", vocabulary)

    @wraps(function)
    def adapted(params: Params, xs: Array, targets: Array, state: State) -> tuple[Any, Params]:
        return function(params, xs.argmax(axis=2), targets, state)

    return _with(adapted, one_hot=True, input_size=size)


def batch_first(function: LossAndGrads) -> LossAndGrads:
    """Adapt a function of xs (N, T, D), targets and losses (N, T)."""

    @wraps(function)
    def adapted(params: Params, xs: Array, targets: Array, state: State) -> tuple[Any, Params]:
        own = np.ascontiguousarray(xs.swapaxes(0, 1))
        turn = _of_every_step(targets, xs) and not problem_of(function).last_step_only
        chosen = np.ascontiguousarray(targets.swapaxes(0, 1)) if turn else targets
        losses, grads = _answer(function(params, own, chosen, state))
        if "xs" in grads:
            grads = {**grads, "xs": np.asarray(grads["xs"]).swapaxes(0, 1)}
        return (np.asarray(losses).T if np.ndim(losses) == 2 else losses), grads

    return adapted


def in_columns(function: LossAndGrads, names: Mapping[str, str] | None = None) -> LossAndGrads:
    """Adapt a function whose vectors stand in columns, one a sequence: y = W x.

    It gets every matrix transposed, W_xh (H, D), W_hh (H, H), W_hy (K, H), biases (H, 1), xs (T, D, N), states (H, N),
    and returns gradients likewise.

    It stands inside of `concatenated`, `per_gate` and `one_sequence`.

    names : {"W_xh": "Wxh", …}
        The function's own names of parameters, where they differ.
    """

    @wraps(function)
    def adapted(params: Params, xs: Array, targets: Array, state: State) -> tuple[Any, Params]:
        turned = {name: np.ascontiguousarray(np.atleast_2d(array).T) for name, array in params.items()}
        columns = tuple(np.ascontiguousarray(part.T) for part in state)
        tokens = xs.ndim == 2 or problem_of(function).one_hot
        inputs = xs if tokens else np.ascontiguousarray(xs.transpose(0, 2, 1))
        losses, grads = _answer(function(_named(turned, names), inputs, targets, columns))
        found = _unnamed(grads, names, params)
        back: Params = {}
        for name, gradient in found.items():
            array = np.asarray(gradient)
            if name == "xs":
                back[name] = array.transpose(0, 2, 1) if array.ndim == 3 else array
            elif name in params and params[name].ndim == 1:
                back[name] = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array
            else:
                back[name] = array.T
        return losses, back

    return adapted


def one_sequence(function: LossAndGrads) -> LossAndGrads:
    """Adapt a function of one sequence at a time; put it outside of `in_columns` for one in columns.

    It gets arrays with N = 1 and returns losses (T, 1), (T,) or their sum; gradients are added up over the batch.
    """

    @wraps(function)
    def adapted(params: Params, xs: Array, targets: Array, state: State) -> tuple[Any, Params]:
        columns, total, beside = [], {}, {name: [] for name in ("xs", *STATES)}  # type: ignore[var-annotated]
        for n in range(xs.shape[1]):
            one = slice(n, n + 1)
            chosen = targets[:, one] if _of_every_step(targets, xs) else targets[one]
            own = tuple(part[one].copy() for part in state)
            losses, grads = _answer(function(params, xs[:, one].copy(), chosen.copy(), own))
            columns.append(np.asarray(losses))
            for name, gradient in grads.items():
                if name in beside:
                    beside[name].append(np.asarray(gradient))
                else:
                    total[name] = total[name] + gradient if name in total else np.array(gradient, dtype=float)
        for name, parts in beside.items():
            if parts:
                total[name] = np.concatenate(parts, axis=1 if name == "xs" else 0)
        if all(losses.size == 1 for losses in columns) and len(xs) > 1:
            return sum(float(losses.sum()) for losses in columns), total
        return np.stack([losses.reshape(-1) for losses in columns], axis=1), total

    return adapted


def concatenated(function: LossAndGrads, order: str = "hx", name: str = "W", bias: str = "b") -> LossAndGrads:
    """Adapt a function with one matrix over [h, x] (order "hx") or [x, h] ("xh").

    It gets params {name: (H + D, ·), bias: (·,), "W_hy", "b_y"} in place of W_xh, W_hh and b_h.
    """
    validate.option("concatenated", "order", order, ("hx", "xh"))
    if name == bias or {name, bias} & set(OUTER):
        validate.fail("concatenated", f"name is {name!r} and bias {bias!r}", f"two names other than {OUTER}")

    @wraps(function)
    def adapted(params: Params, xs: Array, targets: Array, state: State) -> tuple[Any, Params]:
        H = state[0].shape[1]
        pair = [params["W_hh"], params["W_xh"]]
        whole = np.vstack(pair if order == "hx" else pair[::-1])
        others = {key: array for key, array in params.items() if key not in ("W_xh", "W_hh", "b_h")}
        losses, grads = _answer(function({name: whole, bias: params["b_h"], **others}, xs, targets, state))
        _holds(grads, (name, bias))
        matrix = np.asarray(grads[name])
        h, x = (matrix[:H], matrix[H:]) if order == "hx" else (matrix[-H:], matrix[:-H])
        rest = {key: gradient for key, gradient in grads.items() if key not in (name, bias)}
        return losses, {"W_xh": x.copy(), "W_hh": h.copy(), "b_h": grads[bias], **rest}

    return adapted


def per_gate(function: LossAndGrads, gates: str, letters: str | None = None, order: str | None = None) -> LossAndGrads:
    """Adapt a function with a matrix for every gate.

    gates : "ifgo" for an LSTM, "rzn" for a GRU
        The package's order of the blocks.
    letters : such as "ifco"
        The function's own letters for them, in the same order.
    order : None, "hx" or "xh"
        None: {"W_xi": (D, H), "W_hi": (H, H), "b_i": (H,), …}. "hx" or "xh": {"W_i": (H + D, H), "b_i", …}.
    """
    validate.option("per_gate", "gates", gates, ("ifgo", "rzn"))
    validate.option("per_gate", "order", order, (None, "hx", "xh"))
    own = gates if letters is None else letters
    if not isinstance(own, str) or len(own) != len(gates) or len(set(own)) != len(own):
        validate.fail("per_gate", f"letters is {letters!r}", f"{len(gates)} different letters", "there is one a gate")
    if "y" in own:
        validate.fail("per_gate", f"letters is {letters!r}", "letters other than y", "W_hy and b_y are the outputs'")

    @wraps(function)
    def adapted(params: Params, xs: Array, targets: Array, state: State) -> tuple[Any, Params]:
        H = state[0].shape[1]
        others = {key: array for key, array in params.items() if key not in ("W_xh", "W_hh", "b_h")}
        given: Params = dict(others)
        for k, letter in enumerate(own):
            block = slice(k * H, (k + 1) * H)
            x, h = params["W_xh"][:, block], params["W_hh"][:, block]
            if order is None:
                given |= {f"W_x{letter}": x.copy(), f"W_h{letter}": h.copy()}
            else:
                given[f"W_{letter}"] = np.vstack([h, x] if order == "hx" else [x, h])
            given[f"b_{letter}"] = params["b_h"][block].copy()
        wanted = [name for name in given if name not in others]
        losses, grads = _answer(function(given, xs, targets, state))
        _holds(grads, wanted)
        if order is None:
            x_parts, h_parts = ([np.asarray(grads[f"W_{kind}{letter}"]) for letter in own] for kind in "xh")
        else:
            whole = [np.asarray(grads[f"W_{letter}"]) for letter in own]
            h_parts = [part[:H] if order == "hx" else part[-H:] for part in whole]
            x_parts = [part[H:] if order == "hx" else part[:-H] for part in whole]
        biases = [np.asarray(grads[f"b_{letter}"]) for letter in own]
        rest = {key: gradient for key, gradient in grads.items() if key not in wanted}
        return losses, {
            "W_xh": np.concatenate(x_parts, axis=-1), "W_hh": np.concatenate(h_parts, axis=-1),
            "b_h": np.concatenate(biases, axis=-1), **rest,
        }

    return adapted


def _of_every_step(targets: Array, xs: Array) -> bool:
    """True for targets (T, N) or (T, N, K); False for the last step's, (N,) or (N, K)."""
    return targets.ndim > 1 and targets.shape[:2] == xs.shape[:2]


def _with(function: LossAndGrads, **changes: Any) -> LossAndGrads:
    """Return the function with another task said in its `problem`."""

    @wraps(function)
    def adapted(*arguments: Any) -> tuple[Any, Params]:
        return function(*arguments)

    adapted.problem = replace(problem_of(function), **changes)  # type: ignore[attr-defined]
    return adapted


def _named(params: Params, names: Mapping[str, str] | None) -> Params:
    return {(names or {}).get(name, name): array for name, array in params.items()}


def _unnamed(grads: Any, names: Mapping[str, str] | None, params: Params) -> Params:
    _holds(grads, [(names or {}).get(name, name) for name in params])
    back = {own: name for name, own in (names or {}).items()}
    return {back.get(name, name): gradient for name, gradient in grads.items()}


def _answer(returned: Any) -> tuple[Any, Params]:
    """Return (losses, grads), or raise where it is something else: told as the student's mistake."""
    if not isinstance(returned, tuple | list) or len(returned) != 2:
        raise BrokenError(f"it returned {described(returned)}, expected (losses, grads)")
    losses, grads = returned
    if not isinstance(grads, dict):
        raise BrokenError(f"grads is {described(grads)}, expected a dictionary with the keys of params")
    return losses, grads


def _holds(grads: Params, wanted: Iterable[str]) -> None:
    """Raise where the function's gradients lack a name."""
    missing = [name for name in wanted if name not in grads]
    if missing:
        raise BrokenError(f"grads holds {', '.join(map(str, grads)) or 'nothing'}; it lacks {', '.join(missing)}")
