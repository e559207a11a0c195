"""Claim C4 (article §1.2, §4.1, §4.2): more efficient algorithms train faster, and infer faster in real time.

Equal numbers first: an algorithm that computes something else is no faster way to the same. Then two comparisons.
Training: an LSTM's forward and backward pass as a textbook writes it, by the stepwise engine, and by the fused one.
Real time: inputs that come one at a time, by a state that is carried (`layer.stream`), and by running the layer on all
inputs so far whenever one comes. Both by the same kernel, so only the algorithm differs.

Times are this process's own CPU time, in float32, all sides in turns. What each trick between textbook and kernel gains
stands in c4_ladder.py.

Source: article §1.2, §4.1, §4.2; notebook 16; benchmarks/claim_c4.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import numpy as np

from ...arrays import Array
from ...cells import LSTMCell
from ...layers import Recurrent
from .c2_times import Side, in_turns
from .c4_ladder import Problem, Size, difference, problem
from .c4_rows import Found, textbook

SIZES: Sequence[Size] = (
    (1, 100, 10, 5), (1, 100, 64, 128), (16, 100, 10, 32), (32, 100, 64, 64), (64, 100, 64, 128), (64, 50, 128, 256),
)
LENGTHS = (1, 3, 10, 30, 100, 300)
STREAM = (1, 64, 128)  # N, D, H
FASTER = 1.1  # a ratio below that is no difference
EQUAL = 1e-12  # relative to an array's largest number, in float64
WAYS = ("textbook", "stepwise", "fused")


def train(way: str, given: Problem) -> Found:
    """Run a training step, forward and backward, in one of `WAYS`."""
    if way == "textbook":
        return textbook(*given)
    params, xs, dhs = given
    layer = Recurrent(LSTMCell(xs.shape[2], dhs.shape[2]), way)
    hs, _, cache = layer.forward(params, xs)
    dxs, _, grads = layer.backward(params, dhs, cache)
    assert dxs is not None
    return Found(hs, dxs, grads)


def streamed(layer: Recurrent, params: Any, xs: Array) -> Array:
    """Return hs (T, N, H) of inputs that come one at a time, the state carried."""
    step = layer.stream(params, xs.shape[1])
    return np.stack([step(x) for x in xs])


def from_the_prefix(layer: Recurrent, params: Any, xs: Array) -> Array:
    """Return the same from all inputs so far, whenever one comes."""
    return np.stack([layer.infer(params, xs[: t + 1])[0][-1] for t in range(len(xs))])


def equality(sizes: Sequence[Size] = ((3, 40, 5, 7), (1, 30, 4, 6))) -> dict[str, float]:
    """Return the largest relative difference of each way's numbers from the stepwise engine's, in float64."""
    found = {"textbook": 0.0, "fused": 0.0, "streaming": 0.0, "prefix": 0.0}
    for seed, size in enumerate(sizes):
        given = problem(size, "float64", seed)
        expected = train("stepwise", given)
        for way in ("textbook", "fused"):
            found[way] = max(found[way], difference(train(way, given), expected))
        layer = Recurrent(LSTMCell(size[2], size[3]))
        for name, run in (("streaming", streamed), ("prefix", from_the_prefix)):
            hs = run(layer, given.params, given.xs)
            found[name] = max(found[name], float(np.abs(hs - expected.hs).max() / np.abs(expected.hs).max()))
    return found


def run(
    *, sizes: Sequence[Size] = SIZES, lengths: Sequence[int] = LENGTHS, stream: tuple[int, int, int] = STREAM,
    rounds: int = 9, report: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Run the experiment.

    Parameters
    ----------
    sizes : list of (N, T, D, H)
        Where training is timed.
    lengths : list of int
        The steps that have come when streaming stops, ascending.
    stream : (N, D, H)
        Of the layer that streams.
    rounds : int
        Of every measurement in turns.
    report : callable, optional
        Called with a line after each measurement.

    Returns
    -------
    dict
        `equality`; `training`, by size: seconds of the fused engine, and times of all ways as ratios to it;
        `streaming`: along `lengths`, seconds of streaming, and the time from the prefix as a ratio to it. The verdict.
    """
    result: dict[str, Any] = {"claim": "C4", "dtype": "float32", "equality": equality(), "training": []}
    for size in sizes:
        given = problem(size, "float32")
        seconds, ratios = in_turns({way: _training(way, given) for way in WAYS}, "fused", rounds)
        result["training"].append({"size": list(size), "seconds": seconds, "times": ratios})
        if report is not None:
            report(f"N, T, D, H = {size}: " + ", ".join(f"{way} {ratio:.2f}" for way, ratio in ratios.items()))
    N, D, H = stream
    found: dict[str, Any] = {"N, D, H": list(stream), "lengths": list(lengths), "seconds": [], "prefix": []}
    for T in lengths:
        given = problem((N, T, D, H), "float32")
        sides = {"streaming": _streaming(streamed, given), "prefix": _streaming(from_the_prefix, given)}
        seconds, ratios = in_turns(sides, "streaming", rounds)
        found["seconds"].append(seconds)
        found["prefix"].append(ratios["prefix"])
        if report is not None:
            report(f"{T} steps: from the prefix {ratios['prefix']:.2f} times as long as streaming")
    result["streaming"] = found
    result["verdict"] = verdict(result)
    return result


def _training(way: str, given: Problem) -> Side:
    def fresh() -> Callable[[], object]:
        own = deepcopy(given)
        return lambda: train(way, own)

    return fresh


def _streaming(run_all: Callable[[Recurrent, Any, Array], Array], given: Problem) -> Side:
    layer = Recurrent(LSTMCell(given.xs.shape[2], given.dhs.shape[2]))

    def fresh() -> Callable[[], object]:
        params, xs, _ = deepcopy(given)
        return lambda: run_all(layer, params, xs)

    return fresh


def verdict(result: dict[str, Any]) -> str:
    """Say in words whether the better algorithm is faster: at every size and length, at some, or nowhere."""
    largest = max(result["equality"].values())
    if not largest <= EQUAL:
        return f"Not judged: the ways differ by {largest:.0e}, so they do not compute the same."
    textbook = [row["times"]["textbook"] for row in result["training"]]
    stepwise = [row["times"]["stepwise"] for row in result["training"]]
    prefix = result["streaming"]["prefix"]
    lengths = result["streaming"]["lengths"]
    training, streaming = word_for([*textbook, *stepwise]), word_for(prefix)
    if streaming == "holds for some":
        first = next((T for k, T in enumerate(lengths) if min(prefix[k:]) > FASTER), None)
        streaming = "holds for some lengths" if first is None else f"holds from {first} steps on"
    if training == "holds for some":
        training = "holds at some sizes"
    ahead = sum(one > FASTER * other for one, other in zip(textbook, stepwise, strict=True))
    return (
        f"For training it {training}: with equal gradients the textbook takes {min(textbook):.1f} to "
        f"{max(textbook):.1f} times as long as the fused engine, the stepwise engine {min(stepwise):.1f} to "
        f"{max(stepwise):.1f} times (and is ahead of the textbook at {ahead} of {len(textbook)} sizes). In real "
        f"time it {streaming}: running all inputs so far again takes {prefix[0]:.1f} times as long as carrying the "
        f"state over {lengths[0]} steps, {prefix[-1]:.0f} times over {lengths[-1]}."
    )


def word_for(ratios: Sequence[float]) -> str:
    """Say whether all of the slower way's times are longer, some, or none."""
    longer = [ratio > FASTER for ratio in ratios]
    return "holds" if all(longer) else "holds for some" if any(longer) else "does not hold"
