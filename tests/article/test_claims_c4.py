"""Claim C4: every rung of the ladder gives the same gradients; what needs no clock; and the verdict."""

import importlib
import inspect
import json
from copy import deepcopy
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.article.claims import c2_times, c4, c4_buffers, c4_ladder, c4_rows
from rnn_from_scratch.article.claims.c4_ladder import LADDER, Counted, count_calls, problem
from rnn_from_scratch.cells import LSTMCell
from rnn_from_scratch.layers import Recurrent

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
SIZES = [(3, 7, 4, 5), (1, 9, 6, 4), (2, 1, 3, 2), (5, 40, 2, 30)]
every_rung = pytest.mark.parametrize("name", LADDER)


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(c2_times, "SAMPLE", 0.0)


# The ladder


@every_rung
@pytest.mark.parametrize("size", SIZES)
def test_every_rung_gives_the_reference_gradients(name, size):
    given = problem(size, "float64", seed=3)
    layer = Recurrent(LSTMCell(size[2], size[3]), "stepwise")
    hs, _, cache = layer.forward(given.params, given.xs)
    dxs, _, grads = layer.backward(given.params, given.dhs, cache)
    found = LADDER[name](*given)
    assert found.grads.keys() == grads.keys()
    for got, expected in [(found.hs, hs), (found.dxs, dxs), *((found.grads[key], grads[key]) for key in grads)]:
        assert got.shape == expected.shape
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)
    assert c4_ladder.difference(found, c4_rows.Found(hs, dxs, grads)) < 1e-12


@pytest.mark.parametrize(("numbers", "groups"), [(1, 7), (24, 4), (36, 3), (10**6, 1)])
def test_groups_of_any_length(numbers, groups, monkeypatch):
    """Of 7 steps, with 12 numbers a step: one by one, by twos with one left, by threes, all together."""
    monkeypatch.setattr(c4_buffers, "GROUP_NUMBERS", numbers)
    given = problem((3, 7, 5, 4), "float64", seed=4)
    runs = []
    run = c4_buffers.Prepared.run_backward
    monkeypatch.setattr(c4_buffers.Prepared, "run_backward", lambda self, *args: runs.append(args) or run(self, *args))
    assert c4_ladder.difference(c4_buffers.in_groups(*given), c4_rows.textbook(*given)) < 1e-12
    assert len(runs) == groups


def same(found, expected):
    np.testing.assert_array_equal(found.hs, expected.hs)
    np.testing.assert_array_equal(found.dxs, expected.dxs)
    assert found.grads.keys() == expected.grads.keys()
    for key, array in expected.grads.items():
        np.testing.assert_array_equal(found.grads[key], array)


@every_rung
@pytest.mark.parametrize("N", [1, 2])
def test_a_rung_changes_nothing_and_keeps_nothing_back(name, N):
    """Buffers that stay must not show: neither in what is passed in, nor in what an earlier call returned."""
    first, second = problem((N, 6, 3, 4), "float64", seed=1), problem((N, 6, 3, 4), "float64", seed=2)
    before = deepcopy(first)
    found = LADDER[name](*first)
    copy = deepcopy(found)
    LADDER[name](*second)
    same(found, copy)
    same(LADDER[name](*first), copy)
    for array, was in [(first.xs, before.xs), (first.dhs, before.dhs), *zip(
        first.params.values(), before.params.values(), strict=True,
    )]:
        np.testing.assert_array_equal(array, was)


@every_rung
def test_float32_stays_float32(name):
    given = problem((2, 5, 3, 4), "float32")
    found = LADDER[name](*given)
    expected = c4_rows.textbook(*(given._replace(**{
        "params": {key: array.astype(float) for key, array in given.params.items()},
        "xs": given.xs.astype(float), "dhs": given.dhs.astype(float),
    })))
    assert {found.hs.dtype, found.dxs.dtype, *(array.dtype for array in found.grads.values())} == {np.dtype("float32")}
    assert c4_ladder.difference(found, expected) < 1e-5


def test_a_wrong_rung_would_be_seen():
    given = problem((2, 5, 3, 4), "float64")
    expected = c4_rows.textbook(*given)
    for key in expected.grads:
        wrong = expected._replace(grads={**expected.grads, key: expected.grads[key] * 1.001})
        assert c4_ladder.difference(wrong, expected) == pytest.approx(0.001)
    assert c4_ladder.difference(expected._replace(dxs=-expected.dxs), expected) == pytest.approx(2.0)


def test_rungs_are_short():
    for run in LADDER.values():
        assert len(inspect.getsource(run).splitlines()) < 60


def test_calls_are_counted_however_they_are_written():
    a, out = np.ones((3, 3)).view(Counted), np.empty((3, 3)).view(Counted)
    with c4_ladder.counting() as counted:
        found = a * a + 1  # two
        np.tanh(a, out)
        a.dot(found, out)
        out += a[0]
        _ = (a @ a).T, a[:, 0], a.sum(axis=0)  # a product, a view, a view, a sum
    assert counted() == 7
    np.testing.assert_array_equal(out, np.full((3, 3), 7.0))


def test_calls_of_a_step():
    calls = dict(zip(LADDER, c4_ladder.calls(), strict=True))
    assert calls.pop(c4_ladder.KERNEL) is None
    assert all(after <= before for before, after in pairwise(calls.values()))
    # Forward: product, tanh, two for σ, five for c and h. Backward: eight and a product.
    assert calls["derivatives before the recursion"] == calls["buffers and views kept"] == 9 + 9
    assert calls[c4_ladder.TEXTBOOK] == 98  # the numbers that notebook 16 speaks of
    one_tanh, two_functions = (LADDER[name] for name in ("one tanh for all gates", "[x; 1; h]: one product a step"))
    assert count_calls(two_functions, 12) - count_calls(one_tanh, 12) > 12  # a call or more a step


def test_gains_are_quotients_of_neighbours():
    assert c4_ladder.gains([1.0, 0.5, 0.25, 0.5]) == [1.0, 2.0, 2.0, 0.5]


def test_a_short_climb():
    found = c4_ladder.climb({"tiny": (2, 3, 4, 5)}, rounds=1)
    assert found["rungs"] == list(LADDER)
    (row,) = found["sizes"].values()
    assert (row["size"], row["times"][0], len(row["gains"])) == ([2, 3, 4, 5], 1.0, len(LADDER))
    assert np.prod(row["gains"]) == pytest.approx(1 / row["times"][-1])
    json.dumps(found, allow_nan=False)


def test_every_rung_is_timed_under_its_name(monkeypatch):
    called = []
    ladder = {name: lambda *_, name=name: called.append(name) for name in LADDER}
    monkeypatch.setattr(c4_ladder, "LADDER", ladder)
    monkeypatch.setattr(c4_ladder, "calls", list)
    once = lambda sides, *_: (1.0, {name: side()() or 1.0 for name, side in sides.items()})  # noqa: E731
    monkeypatch.setattr(c4_ladder, "in_turns", once)
    c4_ladder.climb({"tiny": (2, 3, 4, 5)}, rounds=1)
    assert called == list(LADDER)


# The claim


@pytest.fixture(scope="module")
def short():
    patch = pytest.MonkeyPatch()
    patch.setattr(c2_times, "SAMPLE", 0.0)
    yield c4.run(sizes=((2, 5, 3, 4),), lengths=(1, 4), stream=(2, 3, 4), rounds=1)
    patch.undo()


def test_a_short_run_has_every_figure(short):
    assert short["equality"].keys() == {"textbook", "fused", "streaming", "prefix"}
    assert max(short["equality"].values()) <= c4.EQUAL
    (row,) = short["training"]
    assert list(row["times"]) == list(c4.WAYS)
    assert row["times"]["fused"] == 1.0
    assert len(short["streaming"]["prefix"]) == len(short["streaming"]["seconds"]) == 2
    assert short["verdict"] == c4.verdict(short)
    json.dumps(short, allow_nan=False)


@pytest.mark.parametrize("engine", ["stepwise", "fused"])
def test_streaming_and_the_prefix_give_the_forward(engine):
    given = problem((3, 8, 4, 5), "float64", seed=5)
    layer = Recurrent(LSTMCell(4, 5), engine)
    hs = layer.forward(given.params, given.xs)[0]
    for run in (c4.streamed, c4.from_the_prefix):
        np.testing.assert_allclose(run(layer, given.params, given.xs), hs, rtol=0, atol=1e-14)


def test_the_prefix_runs_through_all_that_came(monkeypatch):
    """Without a clock: 1 + 2 + … + T steps instead of T."""
    steps = []
    infer = Recurrent.infer
    monkeypatch.setattr(Recurrent, "infer", lambda self, params, xs: steps.append(len(xs)) or infer(self, params, xs))
    given = problem((1, 9, 2, 3), "float64")
    c4.from_the_prefix(Recurrent(LSTMCell(2, 3)), given.params, given.xs)
    assert steps == list(range(1, 10))


def measured(textbook, stepwise, prefix, equal=1e-15):
    rows = [{"size": [1, 1, 1, 1], "times": {"textbook": a, "stepwise": b, "fused": 1.0}}
            for a, b in zip(textbook, stepwise, strict=True)]
    return {"equality": {"fused": equal}, "training": rows, "streaming": {"lengths": [1, 10, 100], "prefix": prefix}}


@pytest.mark.parametrize(("textbook", "stepwise", "prefix", "training", "real_time"), [
    ((4.0, 9.0), (2.0, 3.0), [2.0, 5.0, 50.0], "For training it holds:", "In real time it holds:"),
    ((4.0, 9.0), (2.0, 1.0), [0.5, 5.0, 50.0], "it holds at some sizes:", "In real time it holds from 10 steps on:"),
    ((2.1, 3.0), (2.0, 3.0), [0.5, 5.0, 1.0], "For training it holds:", "In real time it holds for some lengths:"),
    ((1.0, 1.0), (1.0, 1.0), [0.5, 1.0, 1.0], "it does not hold:", "In real time it does not hold:"),
])
def test_the_verdict_follows_the_figures(textbook, stepwise, prefix, training, real_time):
    told = c4.verdict(measured(textbook, stepwise, prefix))
    assert training in told
    assert real_time in told
    assert f"{min(textbook):.1f} to {max(textbook):.1f} times as long as the fused engine" in told
    ahead = sum(a > 1.1 * b for a, b in zip(textbook, stepwise, strict=True))
    assert f"ahead of the textbook at {ahead} of 2 sizes" in told


def test_unequal_ways_are_not_compared():
    told = c4.verdict(measured((4.0,), (2.0,), [1, 2, 3], equal=1e-9))
    assert told.startswith("Not judged: the ways differ by 1e-09")
    assert c4.verdict(measured((4.0,), (2.0,), [1, 2, 3], equal=float("nan"))).startswith("Not judged")


# The saved results


@pytest.fixture(scope="module")
def saved():
    return json.loads((RESULTS / "claim_c4.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def tricks():
    return json.loads((RESULTS / "tricks.json").read_text(encoding="utf-8"))


def test_the_saved_claim_is_what_the_code_gives(saved):
    assert saved["verdict"] == c4.verdict(saved)
    assert [tuple(row["size"]) for row in saved["training"]] == list(c4.SIZES)
    assert (saved["streaming"]["lengths"], saved["streaming"]["N, D, H"]) == (list(c4.LENGTHS), list(c4.STREAM))
    assert max(saved["equality"].values()) <= c4.EQUAL
    assert saved["machine"]["blas_threads"] == 1


def test_the_saved_figures_say_what_the_project_says_of_them(saved):
    """The fused engine is the fastest everywhere; a prefix run anew costs more the longer it is."""
    for row in saved["training"]:
        assert min(row["times"]["stepwise"], row["times"]["textbook"]) > 1
    prefix = saved["streaming"]["prefix"]
    assert all(before < after for before, after in pairwise(prefix))
    assert prefix[-1] > 10
    assert "In real time it holds" in saved["verdict"]


def test_the_saved_tricks_are_what_the_code_gives(tricks):
    assert tricks["rungs"] == list(LADDER)
    assert tricks["calls"] == c4_ladder.calls()
    assert {name: tuple(row["size"]) for name, row in tricks["sizes"].items()} == dict(c4_ladder.SIZES)
    assert max(tricks["differences"].values()) <= 1e-12
    for row in tricks["sizes"].values():
        assert row["gains"] == pytest.approx(c4_ladder.gains(row["times"]))
        assert row["times"][-1] < 1
    script = importlib.import_module("benchmarks.tricks")
    assert len(script.table(tricks).splitlines()) == 2 + len(LADDER)


def test_what_notebook_16_says_of_pytorch_and_of_the_products():
    """RNN and GRU are further ahead than the LSTM; beside bare products little is left where N·H is large."""
    if not all((RESULTS / f"speed_{other}.json").exists() for other in ("torch", "products")):
        pytest.skip("python -m benchmarks.run --against torch products has not been run")
    ratios = {}
    for other in ("torch", "products"):
        parts = json.loads((RESULTS / f"speed_{other}.json").read_text(encoding="utf-8"))["parts"]
        for what in ("train", "infer"):
            for record in parts[f"{what} float32 1"]["records"]:
                ratios.setdefault((other, what, record["cell"]), {})[record["point"]] = record["ratio"]
    mean = {key: np.exp(np.mean(np.log(list(found.values())))) for key, found in ratios.items()}
    for what in ("train", "infer"):
        assert max(mean["torch", what, "rnn"], mean["torch", what, "gru"]) < min(1, mean["torch", what, "lstm"])
    by_size = {True: [], False: []}  # whether N·H is large
    for point, ratio in ratios["products", "train", "lstm"].items():
        N, _, _, H = map(int, point.split(","))
        by_size[N * H >= 8192].append(ratio)
    assert max(by_size[True]) < max(by_size[False])


def test_calls_rule_the_small_and_products_the_large(tricks):
    """What notebook 16 says of the waterfall."""
    small, middle, large = (1 / tricks["sizes"][name]["times"][-1] for name in ("small", "middle", "large"))
    assert small > 2 * middle
    assert small > 2 * large
    gains = dict(zip(tricks["rungs"], tricks["sizes"]["small"]["gains"], strict=True))
    assert set(sorted(gains, key=gains.get)[-3:]) == {
        "one matrix for all gates", "derivatives before the recursion", "buffers and views kept",
    }
