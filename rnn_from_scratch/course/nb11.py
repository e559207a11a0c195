"""Exercises of notebook 11: LSTM and GRU."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..activations import sigmoid
from ..arrays import Array, Params, State
from ..cells import GRUCell, LSTMCell, RNNCell
from ..diagnosis import check_cell
from .marking import Exercise, partly, rows_right

# 1: the pocket with a future


def _pocket(
    *, here: float = 1.0, future: float = 0.5, squash: bool = True, slopes: bool = True, partner: str = "right",
    keep: str = "f",
) -> Callable[[], Array]:
    """(δ_i, δ_f, δ_g, δ_o, dc_0) of the pocket, by hand; the arguments make typical mistakes."""
    i, f, g, o, c_0, shown = 2 / 3, 3 / 4, 3 / 5, 1 / 2, 4 / 5, np.tanh(1.0)
    dc = here * o * (1 - shown**2 if squash else 1.0) + future
    first = {"right": (g, c_0, i), "swapped": (c_0, g, i), "own": (i, f, g), "new": (g, 1.0, i)}[partner]
    slope = (i * (1 - i), f * (1 - f), 1 - g**2, o * (1 - o)) if slopes else (1.0, 1.0, 1.0, 1.0)
    handed = [*(dc * other for other in first), shown]
    left = [one * by for one, by in zip(handed, slope, strict=True)]
    return lambda: np.array([*left, dc * {"f": f, "1": 1.0, "i": i}[keep]])


def _pocket_by_the_cell() -> Array:
    cell, biases = LSTMCell(1, 1), np.log([2.0, 3.0, 2.0, 1.0])
    params = {"W_xh": np.zeros((1, 4)), "W_hh": np.zeros((1, 4)), "b_h": biases}
    _, cache = cell.step(params, biases[None], (np.zeros((1, 1)), np.array([[0.8]])))
    (_, dc_0), delta = cell.step_backward(params, (np.array([[1.0]]), np.array([[0.5]])), cache)
    return np.append(delta[0], dc_0)


def _in_another_order() -> Array:
    return _pocket_by_the_cell()[[0, 1, 3, 2, 4]]


# 2: another order of the gates


def _blocks() -> list[Array]:
    """A matrix and a bias for H = 2 in the order i, g, f, o: every entry says where it stood."""
    columns = np.arange(8.0)
    return [10.0 * np.arange(3.0)[:, None] + columns, columns]


def _ordered(order: Sequence[int], H: int = 2) -> Callable[[], list[Array]]:
    """The same with its blocks in another order."""
    index = np.concatenate([np.arange(block * H, (block + 1) * H) for block in order])
    return lambda: [array[..., index] for array in _blocks()]


# 4: the two resets

_H, _R, _W_HN, _DELTA_N = np.array([0.5, -0.25]), np.array([0.5, 0.25]), np.array([[0.0, 2.0], [-1.0, 0.0]]), [1.0, 0.0]


def _reset_deltas(rows: Sequence[bool] = (True, False)) -> Array:
    """δ_r by the package's cell, a row for each: True is reset after, False before."""
    found = []
    for reset_after in rows:
        cell, W_hh = GRUCell(1, 2, reset_after=reset_after), np.zeros((2, 6))
        W_hh[:, 4:] = _W_HN
        params = {"W_hh": W_hh, "b_hn": np.zeros(2)}
        _, cache = cell.step(params, np.concatenate([np.log(_R / (1 - _R)), np.zeros(4)])[None], (_H[None],))
        dh = _DELTA_N / ((1 - cache.z) * (1 - cache.n**2))  # whatever makes δ_n what the exercise says
        found.append(cell.step_backward(params, (dh,), cache)[1][0, :2])
    return np.stack(found)


def _reset_by_hand(slope: Any = _R * (1 - _R), W_after: Array = _W_HN, W_before: Array = _W_HN.T) -> Array:
    """The same by hand; the arguments make typical mistakes."""
    return np.stack([_DELTA_N * (_H @ W_after) * slope, (_DELTA_N @ W_before) * _H * slope])


# 5: a cell of one's own


class _Cache(NamedTuple):
    h_prev: Array  # (N, H)
    z: Array  # (N, H)
    n: Array  # (N, H)


class OneGate(RNNCell):
    """The notebook's cell, h_t = z ⊙ h_{t−1} + (1 − z) ⊙ n; blocks in the order z, n."""

    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return {"W_xh": (D, 2H), "W_hh": (H, 2H), "b_h": (2H,)}."""
        D, H = self.input_size, self.hidden_size
        return {"W_xh": (D, 2 * H), "W_hh": (H, 2 * H), "b_h": (2 * H,)}

    def step(self, params: Params, x_proj: Array, state: State) -> tuple[State, Any]:
        """Advance by one time step."""
        (h_prev,) = state
        a_z, a_n = np.split(x_proj + h_prev @ params["W_hh"], 2, axis=1)
        z, n = sigmoid(a_z), np.tanh(a_n)
        return (z * h_prev + (1.0 - z) * n,), _Cache(h_prev, z, n)

    def step_backward(self, params: Params, dstate: State, cache: Any) -> tuple[State, Array]:
        """Take ∂L/∂h_t back through one time step."""
        dh_prev, delta = _backward(params, dstate[0], cache)
        return (dh_prev,), delta

    def param_grads(
        self, params: Params, xs: Array, caches: Sequence[Any], deltas: Sequence[Array]
    ) -> tuple[Array, Params]:
        """Turn the deltas of all steps into the gradients."""
        delta, h_prev = np.stack(deltas), np.stack([cache.h_prev for cache in caches])
        dxs: Array = delta @ params["W_xh"].T
        return dxs, {
            "W_xh": np.einsum("tnd,tnk->dk", xs, delta), "W_hh": np.einsum("tnh,tnk->hk", h_prev, delta),
            "b_h": delta.sum(axis=(0, 1)),
        }


def _backward(params: Params, dh: Array, cache: _Cache, mistake: str = "") -> tuple[Array, Array]:
    """(dh_prev, delta) of `OneGate`, right or with one typical mistake."""
    h_prev, z, n = cache
    through_z = {"sign": n - h_prev, "one term": h_prev, "other term": -n}.get(mistake, h_prev - n)
    delta_z = dh * through_z * {"no slope z": 1.0, "tanh slope z": 1 - z**2}.get(mistake, z * (1 - z))
    delta_n = dh * (z if mistake == "z for 1 - z" else 1.0 if mistake == "no share" else 1 - z)
    delta_n = delta_n * {"no slope n": 1.0, "1 - n": 1 - n, "sigma slope n": n * (1 - n)}.get(mistake, 1 - n**2)
    delta = np.concatenate([delta_n, delta_z] if mistake == "order" else [delta_z, delta_n], axis=1)
    kept = dh * (1 - z if mistake == "1 - z kept" else z)
    W_hz, W_hn = np.split(params["W_hh"], 2, axis=1)
    by_z, by_n = delta_z @ W_hz.T, delta_n @ W_hn.T
    gates = {"plain matrix": delta_z @ W_hz + delta_n @ W_hn, "by z alone": by_z, "by n alone": by_n}.get(
        mistake, delta @ params["W_hh"].T
    )
    return {"no path": gates, "path alone": kept, "dh whole": dh + gates}.get(mistake, kept + gates), delta


_MISTAKES = {
    "no path": "everything but dh ⊙ z: h_{t−1} also goes straight into h_t, and that is the additive path.",
    "path alone": "dh_prev with dh ⊙ z alone: h_{t−1} is also in both pre-activations, which adds δ W_hhᵀ.",
    "dh whole": "dh_prev with all of dh where only the share z of h_{t−1} was kept: dh ⊙ z.",
    "1 - z kept": "dh ⊙ (1 − z) in dh_prev: that share went to the candidate. h_{t−1} was kept with z.",
    "plain matrix": "dh_prev through the blocks of W_hh, not their transposes: they are square, so no error tells.",
    "by z alone": "dh_prev without the way through the candidate: h_{t−1} is in both pre-activations.",
    "by n alone": "dh_prev without the way through the gate: h_{t−1} is in both pre-activations.",
    "sign": "δ_z with its sign turned: z multiplies h_{t−1}, and n with a minus.",
    "one term": "δ_z from h_{t−1} alone: z stands twice in h_t, also in (1 − z) ⊙ n.",
    "other term": "δ_z from n alone: z stands twice in h_t, also in z ⊙ h_{t−1}.",
    "no slope z": "∂L/∂z, not δ_z: multiply by σ′ = z (1 − z).",
    "tanh slope z": "δ_z with the slope of tanh, 1 − z²: z is a sigmoid.",
    "no slope n": "∂L/∂n, not δ_n: multiply by tanh′ = 1 − n².",
    "1 - n": "δ_n with 1 − n in place of 1 − n².",
    "sigma slope n": "δ_n with the slope of a sigmoid, n (1 − n): n is a tanh.",
    "z for 1 - z": "δ_n with z in place of 1 − z: the candidate has the other share.",
    "no share": "δ_n without 1 − z, the share of the candidate in h_t.",
    "order": "right, with the blocks in the order n, z: here z comes first.",
}


def _wrong_cell(mistake: str) -> type[OneGate]:
    class Wrong(OneGate):
        def step_backward(self, params: Params, dstate: State, cache: Any) -> tuple[State, Array]:
            dh_prev, delta = _backward(params, dstate[0], cache, mistake)
            return (dh_prev,), delta

    return Wrong


class _InPlace(OneGate):
    def step_backward(self, params: Params, dstate: State, cache: Any) -> tuple[State, Array]:
        found = super().step_backward(params, dstate, cache)
        dstate[0][...] *= cache.z
        return found


def _prove_cell(kind: Any) -> str | None:
    """Let `check_cell` decide; if the cell is wrong, say which known mistake it makes, or what the report says."""
    if not isinstance(kind, type):
        return "Give the class itself, without brackets after its name."
    cell, rng, shapes = kind(3, 4), np.random.default_rng(11), OneGate(3, 4).param_shapes()
    if not hasattr(cell, "param_shapes") or dict(cell.param_shapes()) != shapes:
        return "Its parameters are not those of OneGate. Begin with `class MyCell(OneGate):`."
    if getattr(kind, "step_backward", None) is RNNCell.step_backward:
        return "It has no step_backward of its own yet: this one is the vanilla cell's."
    params = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    x_proj, h_prev, dh = (rng.standard_normal(shape) for shape in ((2, 8), (2, 4), (2, 4)))
    (h,), right = OneGate(3, 4).step(params, x_proj, (h_prev,))
    (theirs,), cache = cell.step(params, x_proj, (h_prev,))
    if not np.allclose(theirs, h, rtol=0, atol=1e-12):
        return "Its step computes something else than z ⊙ h_{t−1} + (1 − z) ⊙ n. Leave `step` as it is."
    found = cell.step_backward(params, (dh.copy(),), cache)  # NotImplementedError: not solved yet
    report = check_cell(cell, rng=rng)
    if report.ok:
        return None
    if isinstance(found, tuple) and len(found) == 2 and isinstance(found[0], tuple) and len(found[0]) == 1:
        for mistake, says in _MISTAKES.items():
            wrong = _backward(params, dh, right, mistake)
            if all(_same(one, other) for one, other in zip((found[0][0], found[1]), wrong, strict=True)):
                return partly(f"That is {says}", rows_right(report))
    if report.findings:
        return partly(f"check_cell says: {report.findings[0]}.", rows_right(report))
    plain = [row for row in report.rows if "masked" not in row.name]
    verdicts = ", ".join(f"{row.name} {'right' if row.ok else 'WRONG'}" for row in plain)
    return partly(
        f"check_cell says: {verdicts}. Print its report, and ask which of δ_z, δ_n and dh_prev these depend on.",
        rows_right(report),
    )


def _same(one: Any, other: Array) -> bool:
    return np.shape(one) == other.shape and np.allclose(one, other, rtol=0, atol=1e-10)


EXERCISES: dict[str, Exercise] = {
    "11-future": Exercise(
        title="the pocket with a future",
        points=2,
        expected=_pocket_by_the_cell,
        wrong={
            "with dc_1 from the future alone: dh_1 reaches c_1 too, through o and tanh.": _pocket(here=0.0),
            "with dc_1 from h_1 alone: what comes back from step 2 is added.": _pocket(future=0.0),
            "without 1 − tanh²(c_1) on the way from h_1 to c_1.": _pocket(squash=False),
            "∂L/∂i, ∂L/∂f, ∂L/∂g and ∂L/∂o: to be at the pre-activations each lacks its slope.": _pocket(slopes=False),
            "with the partners exchanged: i multiplies g, and f multiplies c_0.": _pocket(partner="swapped"),
            "with each gate times itself: a product hands back the *other* factor.": _pocket(partner="own"),
            "with c_1 in δ_f: f multiplied the old cell, c_0.": _pocket(partner="new"),
            "right but for dc_0: on its way back dc_1 passes f.": _pocket(keep="1"),
            "right but for dc_0: what kept c_0 is f, not i.": _pocket(keep="i"),
            "with the future subtracted: the two ways add up.": _pocket(future=-0.5),
            "right, in the order i, f, o, g: here it is i, f, g, o.": _in_another_order,
        },
        hint="First dc_1, from both its sources. The rest is as in the notebook.",
    ),
    "11-order": Exercise(
        title="gates in another order",
        run=lambda reorder: [reorder(array) for array in _blocks()],
        expected=_ordered([0, 2, 1, 3]),
        wrong={
            "what was given, in its old order.": _blocks,
            "in the order i, f, o, g: the candidate comes before the output gate.": _ordered([0, 2, 3, 1]),
            "in the order i, o, g, f: it is the second and the third block that change places.": _ordered([0, 3, 2, 1]),
            "with the first two blocks exchanged: it is the second and the third.": _ordered([1, 0, 2, 3]),
            "with the last two blocks exchanged: it is the second and the third.": _ordered([0, 1, 3, 2]),
            "with single columns exchanged: a block is H columns wide.":
                lambda: [array[..., [0, 2, 1, 3, *range(4, 8)]] for array in _blocks()],
        },
        hint="Split the last axis into four blocks of H columns.",
    ),
    "11-bias": Exercise(
        title="a forget bias for a hundred steps",
        expected=lambda: -np.log(2.0 ** (1 / 100) - 1.0),
        tolerance=1e-3,
        wrong={
            "f itself: the bias is what goes into σ.": lambda: 2.0 ** (-1 / 100),
            "the bias for 1/e, not a half, after a hundred steps.": lambda: -np.log(np.exp(1 / 100) - 1.0),
            "ln 99, from f = 1 − 1/100: then 0.99^100 = 0.37 is left, not a half.": np.log(99.0),
            "right but for the sign: that forgets nearly all in one step.": lambda: np.log(2.0 ** (1 / 100) - 1.0),
            "with the inverse of tanh: a gate is a sigmoid.": lambda: np.arctanh(2.0 ** (-1 / 100)),
            "with the logarithm to base 10.": lambda: -np.log10(2.0 ** (1 / 100) - 1.0),
            "the bias for a half after one step in place of a hundred.": 0.0,
            "from f = 1 − 1/200, which a hundred times shrinks to 0.61, not a half.": np.log(199.0),
        },
        hint="First the f with f^100 = 1/2. Then σ(b) = f turned round: b = ln(f / (1 − f)).",
    ),
    "11-reset": Exercise(
        title="δ_r in both variants",
        points=2,
        expected=_reset_deltas,
        wrong={
            "right, with the two variants exchanged: after comes first.": lambda: _reset_deltas()[::-1],
            "reset after in both rows.": lambda: _reset_deltas((True, True)),
            "reset before in both rows.": lambda: _reset_deltas((False, False)),
            "∂L/∂r, not δ_r: multiply by σ′ = r (1 − r).": lambda: _reset_by_hand(1.0),
            "with r in place of r (1 − r).": lambda: _reset_by_hand(_R),
            "right for after; for before δ_n goes back through W_hnᵀ, and this has W_hn.":
                lambda: _reset_by_hand(W_before=_W_HN),
            "right for before; for after r multiplied h W_hn, and this has h W_hnᵀ.":
                lambda: _reset_by_hand(W_after=_W_HN.T),
        },
        hint="r multiplies h W_hn in the first, h in the second. A product hands back the other factor.",
    ),
    "11-cell": Exercise(
        title="a cell of your own",
        points=3,
        prove=_prove_cell,
        wrong={
            **{says: _wrong_cell(mistake) for mistake, says in _MISTAKES.items()},
            "nothing passed in may be written to": _InPlace,
        },
    ),
}
