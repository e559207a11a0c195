"""The matrix products alone: what any implementation has to multiply, and nothing else.

No gate is computed here, no array is made, nothing is laid out anew: every product is one call into arrays that stand
ready, features first, so that each step's part is contiguous. A layer can come near to that time and not below it,
unless it multiplies in a cleverer way. Two ways to multiply forwards are timed and the quicker counts: one product a
step with input, bias and state above each other, or the inputs of all steps first. `--against floor` has them run
against PyTorch, and a third way beside.

The numbers in the arrays are small and mean nothing, so there is nothing to compare with: zeros would let some machines
multiply faster, hence random ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.speed.sides import Problem, Side
from rnn_from_scratch.fused.products import row_blocks

BLOCKS = {"rnn": 1, "lstm": 4, "gru": 3}


def product_sides(problem: Problem, what: str) -> dict[str, Side]:
    """Return the two ways by name."""
    return {name: _side(problem, what, together) for name, together in (("together", True), ("inputs first", False))}


def quickest_sides(problem: Problem, what: str) -> dict[str, Side]:
    """Return these two, and a third that cuts its products into blocks as the fused kernels do, where they do."""
    return {**product_sides(problem, what), "in blocks": _side(problem, what, together=True, blocks=True)}


def _side(problem: Problem, what: str, together: bool, blocks: bool = False) -> Side:
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

    def cut(matrix: np.ndarray, columns: int) -> list[tuple[Any, slice]]:
        rows, inner = matrix.shape
        slices = row_blocks(rows, inner, columns, dtype) if blocks else [slice(0, rows)]
        return [(matrix[rows].dot, rows) for rows in slices]

    def calls(matrix: np.ndarray, operands: list[np.ndarray], outs: list[np.ndarray]) -> list[tuple[Any, ...]]:
        dots = cut(matrix, N)
        return [(dot, step, out[rows]) for step, out in zip(operands, outs, strict=True) for dot, rows in dots]

    forward_calls = calls(step_weights, inputs, gates)
    backward_calls = calls(W_h_back, deltas, [dhs] * T)
    input_calls = cut(all_deltas.T.copy(), D) if blocks else []  # rows of deltas, where they go into blocks
    dx_rows, W_x_rows = np.empty((T * N, D), dtype), W_x_back.T.copy()

    def forward() -> None:
        if not together:
            W_x.dot(all_inputs, all_gates)
        for product, step, out in forward_calls:
            product(step, out)

    def train() -> None:
        forward()
        for product, delta, out in backward_calls:
            product(delta, out)
        all_deltas.dot(all_rows, dW)
        if not blocks:
            W_x_back.dot(all_deltas, dxs)
        for product, rows in input_calls:
            product(W_x_rows, dx_rows[rows])

    def values() -> dict[str, np.ndarray]:
        """How far what the calls wrote is from the same products by @."""
        (train if what == "train" else forward)()
        kept = (0, -1) if what == "train" else (-1,)  # inference writes every step's gates to one place
        found = {f"gates {t}": gates[t] - step_weights @ inputs[t] for t in kept}
        if what == "train":
            found |= {"dhs": dhs - W_h_back @ deltas[-1], "dW": dW - all_deltas @ all_rows}
            found["dxs"] = (dx_rows.T if blocks else dxs) - W_x_back @ all_deltas
        return found if together else found | {"all gates": all_gates - W_x @ all_inputs}

    return Side(train if what == "train" else forward, values)
