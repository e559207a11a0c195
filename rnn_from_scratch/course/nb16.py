"""Exercises of notebook 16: make it fast."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..arrays import Array
from ..article.claims.c4_ladder import Counted, counting
from .comparing import unchanged
from .marking import Exercise

# 1: the weight gradient as one product


def _steps(T: int = 5, N: int = 3, H: int = 4, G: int = 6) -> tuple[Array, Array]:
    rng = np.random.default_rng(16)
    return rng.standard_normal((T, N, H)), rng.standard_normal((T, N, G))


def _product(h_prevs: Array, deltas: Array) -> Array:
    return h_prevs.reshape(-1, h_prevs.shape[2]).T @ deltas.reshape(-1, deltas.shape[2])


def _step_by_step(h_prevs: Array, deltas: Array) -> Array:
    total = np.zeros((h_prevs.shape[2], deltas.shape[2])).view(type(h_prevs))
    for h_prev, delta in zip(h_prevs, deltas, strict=True):
        total = total + h_prev.T @ delta
    return total


def _product_of_sums(h_prevs: Array, deltas: Array) -> Array:
    return np.outer(h_prevs.sum(axis=(0, 1)), deltas.sum(axis=(0, 1)))


def _in_place(h_prevs: Array, deltas: Array) -> Array:
    h_prevs *= 1.5
    return _product(h_prevs, deltas) / 1.5


_WEIGHTS: dict[str, Callable[[Array, Array], Array]] = {
    "the transpose: dW is (H, G), and h_{t−1} stands on the left.": lambda h, d: _product(h, d).T,
    "the mean over the steps: the gradient is their sum.": lambda h, d: _product(h, d) / len(h),
    "the mean over steps and sequences: the gradient is the sum.": lambda h, d: _product(h, d) / h[..., 0].size,
    "the last step alone: every step uses W_hh, so every step adds.": lambda h, d: h[-1].T @ d[-1],
    "the first sequence alone: the sum runs over the batch too.": lambda h, d: _product(h[:, :1], d[:, :1]),
    "the product of the sums: the sum of products has to keep each δ with its own h.": _product_of_sums,
    "reshaped where it should be transposed: reshape(H, −1) tears the rows apart.":
        lambda h, d: h.reshape(h.shape[2], -1) @ d.reshape(-1, d.shape[2]),
    "with each δ beside the h of the step after it.": lambda h, d: _product(h[1:], d[:-1]),
    "with each δ beside the h of the step before it.": lambda h, d: _product(h[:-1], d[1:]),
}


def _prove_weights(function: Callable[[Array, Array], Any]) -> str | None:
    given = _steps()
    h_prevs, deltas = (array.copy() for array in given)
    found = function(h_prevs, deltas)
    unchanged(h_prevs=(h_prevs, given[0]), deltas=(deltas, given[1]))
    if found is None:
        return "Your function returned None. Is the return line missing?"
    right = _product(*given)
    if not _same(found, right):
        for says, wrong in _WEIGHTS.items():
            if _same(found, wrong(*given)):
                return f"That is {says}"
        got = np.shape(found)
        return f"It has the shape {got}, and should be (H, G) = {right.shape}." if got != right.shape else (
            "It is not Σ_t h_{t−1}ᵀ δ_t. With T = 1 it would be a single product: begin there.")
    with counting() as counted:
        function(*(array.view(Counted) for array in given))
        made = counted()
    most = 2  # a product, and room for a sum or a tensordot
    if made > most:
        return f"The numbers are right, with {made} calls for {len(given[0])} steps: one product is enough."
    return None


def _same(one: Any, other: Array) -> bool:
    return np.shape(one) == other.shape and np.allclose(one, other, rtol=0, atol=1e-10)


# 2: a sigmoid by tanh, backwards


def _gate_point() -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(17)
    return rng.standard_normal((3, 3)), rng.standard_normal((3, 2)), rng.standard_normal((3, 2))  # W/2, z, ds


def _gate(
    *, slope: str = "s (1 - s)", weights: float = 1.0, back: float = 2.0, transposed: bool = True
) -> Callable[[], tuple[Array, Array]]:
    """(dW, dz) of s = (1 + tanh(Ŵ z))/2 with Ŵ = W/2; the arguments make typical mistakes."""

    def gradients() -> tuple[Array, Array]:
        half, z, ds = _gate_point()
        t = np.tanh(half @ z)
        s = (1 + t) / 2
        by = {"s (1 - s)": s * (1 - s), "1 - s2": 1 - s**2, "1 - t2": 1 - t**2, "none": np.ones_like(s),
              "t (1 - t)": t * (1 - t), "quarter": s * (1 - s) / 2}[slope]
        delta = ds * by
        return weights * delta @ z.T, back * (half.T if transposed else half) @ delta

    return gradients


def _run_gate(function: Callable[..., Any]) -> Any:
    point = _gate_point()
    given = tuple(array.copy() for array in point)
    found = function(*given)
    unchanged(**{name: (after, was) for name, after, was in zip(("W_half", "z", "ds"), given, point, strict=True)})
    return found


# 3: the operator of the scan

_PAIRS = [((0.5, 3.0), (2.0, -1.0)), ((-1.0, 0.25), (0.3, 4.0)), ((0.0, 2.0), (5.0, 1.0))]


def _joined(join: Callable[[float, float, float, float], tuple[float, float]]) -> Callable[[], Array]:
    return lambda: np.array([join(*first, *second) for first, second in _PAIRS])


# 5: when the products rule

_H, _D, _CALL, _FLOPS = 50, 100, 0.2e-6, 1e11


def _sequences(products: float, *, count: int = 18, scale: float = 1.0) -> Callable[[], float]:
    """The N at which `products`, in units of 4H multiplications of a number in a step, take as long as the calls."""
    return lambda: scale * count * _CALL * _FLOPS / (2 * 4 * _H * products)


_ALL = (_D + _H) + _H + (_D + _H) + _D  # gates; back to h; weights' gradients; inputs' gradients


EXERCISES: dict[str, Exercise] = {
    "16-product": Exercise(
        title="a sum over time as one product",
        points=2,
        prove=_prove_weights,
        wrong={
            **_WEIGHTS,
            "with 10 calls for 5 steps: one product is enough": _step_by_step,
            "changed h_prevs": _in_place,
        },
        hint="Lay all steps and sequences below each other: (T·N, H) and (T·N, G).",
    ),
    "16-sigma": Exercise(
        title="back through a halved sigmoid",
        points=2,
        run=_run_gate,
        expected=_gate(),
        tolerance=1e-10,
        wrong={
            "right for dW; dz goes back through W, which is twice what you were given.": _gate(back=1.0),
            "right for dz; dW is the gradient of Ŵ, twice that of W = 2 Ŵ.": _gate(weights=2.0),
            "right for dz; dW is halved, where the slope s (1 − s) already is that of W z.": _gate(weights=0.5),
            "with everything halved once too often: s (1 − s) is the whole slope of σ.": _gate(slope="quarter"),
            "with the slope 1 − s²: that is tanh's by its own output, and s is not tanh's output.":
                _gate(slope="1 - s2"),
            "with the slope 1 − tanh²: it is four times s (1 − s).": _gate(slope="1 - t2"),
            "with t (1 − t), t the tanh: write the slope by s.": _gate(slope="t (1 - t)"),
            "without a slope: ds has to pass σ before it reaches the weights.": _gate(slope="none"),
            "right for dW; dz goes back through the transpose.": _gate(transposed=False),
        },
        hint="First δ = ds ⊙ s (1 − s): that is ∂L/∂(W z), whatever way s was computed. Then the matrix rule, with W.",
    ),
    "16-scan": Exercise(
        title="two steps as one",
        run=lambda join: np.array([join(first, second) for first, second in _PAIRS], dtype=float),
        expected=_joined(lambda a1, b1, a2, b2: (a2 * a1, a2 * b1 + b2)),
        wrong={
            "the second step taken first: it is a₂ that b₁ has to pass.":
                _joined(lambda a1, b1, a2, b2: (a1 * a2, a1 * b2 + b1)),
            "right for a; b₁ also passes the second step, so it is multiplied by a₂.":
                _joined(lambda a1, b1, a2, b2: (a1 * a2, b1 + b2)),
            "right for a; b₂ comes last, and nothing multiplies it.":
                _joined(lambda a1, b1, a2, b2: (a1 * a2, a2 * (b1 + b2))),
            "right for a; b₁ comes after a₁, which does not multiply it.":
                _joined(lambda a1, b1, a2, b2: (a1 * a2, a2 * a1 * b1 + b2)),
            "right for b; the factors are multiplied, not added.":
                _joined(lambda a1, b1, a2, b2: (a1 + a2, a2 * b1 + b2)),
            "right for b; h passes the first step too: a₂ a₁.":
                _joined(lambda a1, b1, a2, b2: (a2 + 0 * a1, a2 * b1 + b2)),
            "right for a; the b are not multiplied with each other.":
                _joined(lambda a1, b1, a2, b2: (a1 * a2, b1 * b2)),
            "right, with b first: here a pair is (a, b).": _joined(lambda a1, b1, a2, b2: (a2 * b1 + b2, a2 * a1)),
        },
        hint="Write h₁ = a₁ h₀ + b₁ into h₂ = a₂ h₁ + b₂ and multiply out.",
    ),
    "16-factor": Exercise(
        title="derivatives from products",
        expected=[2 / 15, 3 / 20, 32 / 75],
        wrong={
            "P times the gate: that is what is taken away from P.": [4 / 15, 9 / 20, 6 / 25],
            "the slopes alone: k_i is g times that, k_f is c₀ times that, k_g is i times that.":
                [2 / 9, 3 / 16, 16 / 25],
            "P − P²: the second P should be the gate.": [6 / 25, 6 / 25, 32 / 75],
            "right but for k_g: g has the slope of tanh, so i − P g, not P − P g.": [2 / 15, 3 / 20, 4 / 25],
            "right but for k_g: i (1 − i) is the slope of the gate; g's is 1 − g².": [2 / 15, 3 / 20, 2 / 9],
            "with the two products exchanged: i goes with i g, f with f c₀.": [1 / 5, 1 / 10, 23 / 75],
            "P minus the gate: the product with the gate is subtracted.": [-4 / 15, -3 / 20, -1 / 5],
            "with 1 − g in place of 1 − g² in k_g.": [2 / 15, 3 / 20, 4 / 15],
            "right, in the order f, i, g.": [3 / 20, 2 / 15, 32 / 75],
        },
        hint="P_i = i g = 2/5 serves k_i and k_g; P_f = f c₀ = 3/5 serves k_f.",
    ),
    "16-when": Exercise(
        title="when the products rule",
        points=2,
        expected=_sequences(_ALL),
        tolerance=1e-3,
        wrong={
            "twice the answer: a multiplication and an addition are two operations.": _sequences(_ALL, scale=2.0),
            "with the forward's products alone.": _sequences(_D + _H),
            "with the products of the loops alone: the gradients of weights and inputs are made after them.":
                _sequences(_D + 2 * _H),
            "with one gate in place of four.": _sequences(_ALL, scale=4.0),
            "without the inputs' gradient dx = δ W_xhᵀ.": _sequences(_ALL - _D),
            "without the weights' gradients.": _sequences(_ALL - _D - _H),
            "with the forward's nine calls against the products of both passes.": _sequences(_ALL, count=9),
            "N·H: divide by H.": _sequences(_ALL, scale=_H),
            "with the product back to h_{t−1} missing.": _sequences(_ALL - _H),
        },
        hint="18 calls are 3.6 µs, in which 10¹¹ operations a second make 360 000. Count 2·4H·(…)·N for each product.",
    ),
}
