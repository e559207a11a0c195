"""The matrix products alone: what any implementation has to multiply, and nothing else.

No gate is computed here, no array is made, nothing is laid out anew: every product is one call into arrays that stand
ready, features first, so that each step's part is contiguous. A layer can come near to that time and not below it,
unless it multiplies in a cleverer way. Two ways to multiply forwards are timed and the quicker counts: one product a
step with input, bias and state above each other, or the inputs of all steps first.

The numbers in the arrays are small and mean nothing, so there is nothing to compare with: zeros would let some machines
multiply faster, hence random ones.
"""

from __future__ import annotations

import numpy as np

from benchmarks.speed.sides import Problem, Side

BLOCKS = {"rnn": 1, "lstm": 4, "gru": 3}


def product_sides(problem: Problem, what: str) -> dict[str, Side]:
    """Return the two ways by name."""
    return {name: _side(problem, what, together) for name, together in (("together", True), ("inputs first", False))}


def _side(problem: Problem, what: str, together: bool) -> Side:
    T, N, D = problem.xs.shape
    H = problem.cell.hidden_size
    G, K = BLOCKS[problem.kind] * H, D + 1 + H
    rng = np.random.default_rng(0)
    dtype = problem.xs.dtype

    def drawn(*shape: int) -> np.ndarray:
        return rng.uniform(-0.1, 0.1, shape).astype(dtype)

    W, W_x, W_h = drawn(G, K), drawn(G, D + 1), drawn(G, H)
    W_h_back, W_x_back = drawn(H, G), drawn(D, G)
    inputs = list(drawn(T, K if together else H, N))
    # Training keeps every step's gates, so each step writes to a place of its own; inference needs one place.
    gates = list(np.empty((T, G, N), dtype)) if what == "train" else [np.empty((G, N), dtype)] * T
    all_inputs, all_gates = drawn(D + 1, T * N), np.empty((G, T * N), dtype)
    deltas, dhs = list(drawn(T, G, N)), np.empty((H, N), dtype)
    all_deltas, all_rows = drawn(G, T * N), drawn(T * N, K)
    dW, dxs = np.empty((G, K), dtype), np.empty((D, T * N), dtype)
    step_weights = W if together else W_h

    def forward() -> None:
        if not together:
            W_x.dot(all_inputs, all_gates)
        product = step_weights.dot
        for step, out in zip(inputs, gates, strict=True):
            product(step, out)

    def train() -> None:
        forward()
        product = W_h_back.dot
        for delta in deltas:
            product(delta, dhs)
        all_deltas.dot(all_rows, dW)
        W_x_back.dot(all_deltas, dxs)

    return Side(train if what == "train" else forward, dict)
