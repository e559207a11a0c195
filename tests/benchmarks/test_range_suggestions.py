"""The ways of reading a range test's curve: each reads what it says, and the saved result is what the code gives."""

import numpy as np
import pytest

from benchmarks import range_suggestions as benchmark
from benchmarks.machine import load_result
from rnn_from_scratch.optim import GradientDescent
from rnn_from_scratch.training import RangeTest, range_test


def test_each_way_reads_its_own_place():
    rates = np.geomspace(1e-4, 1.0, 41)
    losses = np.r_[np.full(10, 2.0), np.linspace(2.0, 1.0, 11)[1:], np.full(5, 1.0), np.linspace(1.0, 0.0, 6)[1:],
                   np.full(11, 3.0)]
    found = benchmark.readings(RangeTest(rates, losses, losses, 0.5, ""))
    assert found["four fifths of the fall"] == 0.5, "the test's own suggestion"
    assert rates[25] < found["steepest fall"] < rates[30]
    assert found["a tenth of the lowest"] == pytest.approx(rates[29] / 10)
    assert benchmark.readings(RangeTest(rates, losses, losses, None, "")) == {}


def test_what_a_rate_misses():
    row = {"first": 2.0, "grid": [1.5, None, 1.0], "ways": {
        "a": {"loss": 1.25}, "b": {"loss": None}, "c": {"loss": 7.0}, "d": {"loss": 0.9}}}
    assert [benchmark.missed(row, way) for way in "abcd"] == pytest.approx([0.25, 1.0, 1.0, -0.1])


def test_saved_result_is_what_the_code_gives():
    found = load_result("range_suggestions")
    rows = [row for row in found["rows"] if row["ways"]]
    assert len(found["rows"]) == 24
    assert found["silent"] == 24 - len(rows)
    for way, summary in found["missed"].items():
        missed = [benchmark.missed(row, way) for row in rows]
        assert summary == {"mean": pytest.approx(np.mean(missed)), "worst": pytest.approx(max(missed))}
    name, model, params, source = next(benchmark.tasks(0))
    sweep = range_test(model, params, source, GradientDescent(1.0), highest=100.0, clip=benchmark.CLIP,
                       rng=np.random.default_rng(0))
    first = found["rows"][0]
    assert (first["task"], first["optimizer"]) == (name, "GradientDescent")
    assert sweep.suggestion == pytest.approx(first["ways"]["four fifths of the fall"]["rate"], rel=1e-6)
