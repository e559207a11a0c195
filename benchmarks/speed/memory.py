"""How much memory a long sequence takes, each way in a process of its own: a peak can only be seen once.

What is told is the peak above the start, when the libraries are loaded and have run once, and the weights and inputs
stand ready. What comes out is kept on every way alike: all outputs, and the gradient of every input. The gradient that
goes in is that of a plain sum, ones that take no memory (NumPy's broadcast, PyTorch's expand).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.points import RECOMPUTE_EVERY, Point, text_of
from benchmarks.speed.sides import Problem, make_problem
from rnn_from_scratch.arrays import Array, Params, global_norm, tree_add
from rnn_from_scratch.layers import Recurrent

PYTORCH, WHOLE = "PyTorch", "whole"
RECOMPUTED = f"recomputed in segments of {RECOMPUTE_EVERY}"
TRUNCATED = f"truncated at {RECOMPUTE_EVERY}"
WAYS = (PYTORCH, WHOLE, RECOMPUTED, TRUNCATED)
STATUS = Path("/proc/self/status")


def measure(kind: str, way: str, point: Point) -> dict[str, Any]:
    """Run one way once, and return MiB, processor seconds, and the norm of the weights' gradient.

    The norm is what the first three must agree on; truncation computes another gradient.
    """
    run = _way(way)
    N, _, D, H = point
    run(make_problem(kind, (N, 3, D, H), "float32"))  # threads, buffers and libraries that load at the first call
    problem = make_problem(kind, point, "float32")
    start, began = _mebibytes("VmRSS"), time.process_time()
    norm = run(problem)
    return {
        "cell": kind, "way": way, "point": text_of(point), "peak": _mebibytes("VmHWM") - start,
        "seconds": time.process_time() - began, "norm": norm,
    }  # fmt: skip


def _way(way: str) -> Callable[[Problem], float]:
    if way == PYTORCH:
        return _pytorch
    if way == TRUNCATED:
        return _truncated
    options: dict[str, Any] = {"recompute_every": RECOMPUTE_EVERY} if way == RECOMPUTED else {}

    def whole(problem: Problem) -> float:
        layer = Recurrent(problem.cell, **options)
        hs, _, cache = layer.forward(problem.params, problem.xs)
        dxs, _, grads = layer.backward(problem.params, _ones(hs), cache)
        assert dxs.shape == problem.xs.shape
        return global_norm(grads)

    return whole


def _ones(hs: Array) -> Array:
    """The gradient of hs.sum(): one number, seen as the whole array."""
    return np.broadcast_to(np.ones((), hs.dtype), hs.shape)


def _truncated(problem: Problem) -> float:
    """Windows one after another, the state carried and held constant; the outputs and gradients of all are kept."""
    layer, params, xs = Recurrent(problem.cell), problem.params, problem.xs
    T, N, _ = xs.shape
    hs, dxs = np.empty((T, N, layer.hidden_size), xs.dtype), np.empty_like(xs)
    state, total = None, None
    for start in range(0, T, RECOMPUTE_EVERY):
        here = slice(start, start + RECOMPUTE_EVERY)
        hs[here], state, cache = layer.forward(params, xs[here], state)
        dxs[here], _, grads = layer.backward(params, _ones(hs[here]), cache)
        total = grads if total is None else tree_add(total, grads)
    return global_norm(total)


def _pytorch(problem: Problem) -> float:
    import torch

    from benchmarks.speed.torch_sides import torch_layer

    module = torch_layer(problem)
    xs = torch.from_numpy(problem.xs).requires_grad_()
    hs = module(xs)[0]
    hs.sum().backward()
    grads: Params = {key: leaf.grad.numpy() for key, leaf in module.named_parameters() if leaf.grad is not None}
    if problem.kind == "gru":  # of the second bias only the third block has a gradient of its own
        grads["bias_hh_l0"] = grads["bias_hh_l0"][2 * problem.cell.hidden_size :]
    else:
        del grads["bias_hh_l0"]
    return global_norm(grads)


def _mebibytes(entry: str) -> float:
    """Return VmRSS, what the process has now, or VmHWM, the most it ever had. Elsewhere than on Linux, the latter."""
    if STATUS.exists():
        (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith(f"{entry}:"))
        return int(line.split()[1]) / 1024
    if sys.platform == "win32":
        raise NotImplementedError("the memory is read from /proc or from `resource`, and Windows has neither")
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 2**20 if sys.platform == "darwin" else most / 1024
