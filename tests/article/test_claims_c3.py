"""Claim C3: a short version, what is counted without a clock, the processes with their threads, and the verdict."""

import json
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.article.claims import c2_times, c3, c3_threads
from rnn_from_scratch.scan import scan_blelloch, scan_loop

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"
SHORT = {
    "batches": (1, 4), "layer": (3, 4, 5), "learners": (4, 64), "rates": (0.03,), "seeds": (0,),
    "shapes": ((20, 3), (5, 8)), "sizes": ((2, 6, 3, 4),), "threaded": (), "rounds": 1,
}


@pytest.fixture(scope="module")
def short():
    patch = pytest.MonkeyPatch()
    patch.setattr(c2_times, "SAMPLE", 0.0)
    patch.setattr(c3, "TARGET", 1.0)
    found = c3.run(**SHORT)
    patch.undo()
    return found


def test_a_short_run_has_every_figure(short):
    for what in ("training", "inference"):
        seconds, rates = short["seconds"][what], short["sequences_per_second"][what]
        assert rates == [N / took for N, took in zip((1, 4), seconds, strict=True)]
        assert min(seconds) > 0
    learning = short["learning"]
    assert learning["rate"] == [0.03, 0.03]
    assert learning["seconds"] == [
        count * took for count, took in zip(learning["updates"], learning["seconds_per_update"], strict=True)]
    assert [(row["T"], row["numbers"]) for row in short["scan"]] == [(20, 3), (5, 8)]
    assert [row["size"] for row in short["minGRU"]] == [[2, 6, 3, 4]]
    assert short["threads"] == []
    assert short["verdict"] == c3.verdict(short)
    json.dumps(short, allow_nan=False)


def test_updates_repeat_exactly_and_fewer_are_needed_of_larger_batches(monkeypatch):
    monkeypatch.setattr(c3, "TARGET", 1.0)
    few, many = (c3.updates_to_target(N, 0.03, 0, 2000) for N in (64, 4))
    assert few == c3.updates_to_target(64, 0.03, 0, 2000)
    assert few < many
    assert many % 16 == 0  # judged every 64 sequences
    assert c3.updates_to_target(64, 0.03, 0, few - 1) is None  # given up one update before


def test_a_rate_that_blows_up_never_arrives():
    assert c3.updates_to_target(64, 1e200, 0, 50) is None


def test_every_batch_size_sees_so_many_sequences_at_most(monkeypatch):
    limits = {}
    monkeypatch.setattr(c2_times, "SAMPLE", 0.0)
    monkeypatch.setattr(
        c3, "updates_to_target", lambda N, rate, seed, most: limits.update({N: most}) or (None if rate == 1 else 7))
    found = c3.to_the_target((1, 64, 256), (1, 2, 3), (0,), 1)
    assert limits == {1: c3.MOST_UPDATES, 64: c3.MOST_SEQUENCES // 64, 256: c3.MOST_SEQUENCES // 256}
    assert (found["rate"], found["updates"]) == ([2, 2, 2], [7, 7, 7])


def recorded(monkeypatch, *functions):
    """Record the calls of functions of c3, and measure by calling each side once: 2 seconds, ratios 1."""
    called = []

    def recording(name, function):
        return lambda *args, **kwargs: called.append(name) or function(*args, **kwargs)

    def once(sides, reference, rounds):
        for name, fresh in sides.items():
            called.append(f"{name}:")
            fresh()()
        return 2.0, dict.fromkeys(sides, 1.0)

    for owner, name in functions:
        monkeypatch.setattr(owner, name, recording(name, getattr(owner, name)))
    monkeypatch.setattr(c3, "in_turns", once)
    return called


def test_the_sides_run_what_they_are_called(monkeypatch):
    called = recorded(
        monkeypatch, (c3, "scan_loop"), (c3, "scan_blelloch"), (c3.Recurrent, "forward"), (c3.Recurrent, "backward"),
        (c3.Recurrent, "infer"), (c3.Adam, "update"),
    )
    c3.scans([(3, 4)], 1)
    assert called == ["loop:", "scan_loop", "scan:", "scan_blelloch"]
    called.clear()
    c3.throughput([2], (3, 4, 5), 1)
    assert called == ["2:", "forward", "backward", "2:", "infer"]
    called.clear()
    c3.to_the_target((4,), (), (0,), 1)
    assert called == ["4:", "forward", "backward", "update"]


def test_the_cells_are_those_that_are_named(monkeypatch):
    kinds = []
    forward = c3.Recurrent.forward
    monkeypatch.setattr(
        c3.Recurrent, "forward", lambda self, *args: kinds.append(type(self.cell).__name__) or forward(self, *args))
    recorded(monkeypatch)
    c3.cells([(2, 3, 4, 5)], 1)
    assert kinds == ["MinGRUCell", "GRUCell"]


def test_all_batch_sizes_see_one_task():
    xs, targets = c3._sequences(np.random.default_rng(0), 1000)
    assert xs.shape == (c3.LAG + 1, 1000, c3.SYMBOLS + 1)
    assert (xs[0, :, :-1].argmax(axis=-1) == targets).mean() > 0.9  # the cue can be read through the noise
    assert len(np.unique(xs[:, :, 0])) == xs[:, :, 0].size


def test_both_ways_of_a_scan_give_the_same():
    rng = np.random.default_rng(0)
    a, b, h0 = rng.uniform(0, 1, (100, 7)), rng.standard_normal((100, 7)), rng.standard_normal(7)
    np.testing.assert_allclose(scan_blelloch(a, b, h0), scan_loop(a, b, h0), rtol=0, atol=1e-13)


# Threads


def test_every_process_has_its_own_threads():
    with c3_threads.start(1) as one, c3_threads.start(2) as two:
        environments = [Path(f"/proc/{worker.pid}/environ") for worker in (one, two)]
        seconds = [c3_threads.ask(worker, (2, 3, 4, 5)) for worker in (one, two)]
        assert min(seconds) > 0
        if environments[0].exists():
            for path, threads in zip(environments, (b"1", b"2"), strict=True):
                told = dict(line.split(b"=", 1) for line in path.read_bytes().split(b"\0") if b"=" in line)
                assert {told[name.encode()] for name in c3_threads.VARIABLES} == {threads}
    assert (one.returncode, two.returncode) == (0, 0)


def test_a_process_that_ended_is_missed(capfd):
    with c3_threads.start(1) as worker, pytest.raises(RuntimeError, match="ended without an answer"):
        c3_threads.ask(worker, (1, 2, 3))  # a size too few
    assert "ValueError" in capfd.readouterr().err
    assert worker.returncode == 1


def test_processes_take_turns(monkeypatch):
    class Worker:
        def __init__(self, threads):
            self.threads = threads

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    asked = []
    monkeypatch.setattr(c3_threads, "start", Worker)
    monkeypatch.setattr(c3_threads, "ask", lambda worker, size: asked.append(worker.threads) or 3.0 / worker.threads)
    (found,) = c3_threads.compare([(1, 2, 3, 4)], (1, 2), rounds=2)
    assert found == {"size": [1, 2, 3, 4], "seconds": 3.0, "times": {"1": 1.0, "2": 0.5}}
    assert asked == [1, 2] * 3


# The verdict


def measured(training=(10.0, 100.0), seconds=(1.0, 2.0), scan=(5.0, 0.5), threads=(0.6, 1.2)):
    return {
        "batches": [1, 256], "sequences_per_second": {"training": list(training), "inference": [1.0, 50.0]},
        "learners": [4, 256], "learning": {"seconds": list(seconds)},
        "scan": [{"T": 100, "numbers": M, "loop": ratio} for M, ratio in zip((8, 2048), scan, strict=True)],
        "minGRU": [{"size": [1, 1, 1, 1], "GRU": 3.0}, {"size": [1, 1, 1, 2], "GRU": 2.0}],
        "threads": [{"size": [N, 1, 1, 100], "times": {"1": 1.0, "2": ratio}}
                    for N, ratio in zip((1, 64), threads, strict=True)],
    }


@pytest.mark.parametrize(("figures", "says"), [
    ({}, "for sequences per second it holds, from N = 1 to N = 256 10 times (training) and 50 times (inference)"),
    ({}, "for seconds to a given loss it does not hold: N = 4 arrives first, N = 256 takes 2.0 times as long."),
    ({"training": (10.0, 10.0)}, "for sequences per second it does not hold"),
    ({"seconds": (2.0, 1.0)}, "for seconds to a given loss it holds up to N = 256."),
    ({"seconds": (1.0, None)}, "N = 4 arrives first, N = 256 never does."),
    ({"seconds": (None, None)}, "no N reached the target."),
    ({}, "All steps at once: it holds where a step has few numbers, here up to N·H = 8; the loop takes up to 5.0 "),
    ({"scan": (5.0, 2.0)}, "All steps at once: it holds; "),
    ({"scan": (1.0, 1.0)}, "All steps at once: it does not hold;"),
    ({"scan": (0.5, 2.0)}, "All steps at once: it holds for some shapes;"),
    ({}, "trains 2.0 to 3.0 times as fast as a GRU."),
    ({}, "2 threads of BLAS: it holds at some sizes; times as fast as one: 1.67 at N·H = 100, 0.83 at N·H = 6400."),
    ({"threads": (0.6, 0.7)}, "2 threads of BLAS: it holds;"), ({"threads": (1.0, 1.2)}, "of BLAS: it does not hold;"),
])
def test_the_verdict_follows_the_figures(figures, says):
    assert says in c3.verdict(measured(**figures))


def test_the_middle_may_be_best():
    found = measured(seconds=(2.0, 3.0))
    found["learners"], found["learning"]["seconds"] = [1, 16, 256], [2.0, 1.0, 3.0]
    assert "it holds up to N = 16 alone: N = 16 arrives first, N = 256 takes 3.0 times as long." in c3.verdict(found)


# The saved result


@pytest.fixture(scope="module")
def saved():
    return json.loads((RESULTS / "claim_c3.json").read_text(encoding="utf-8"))


def test_the_saved_result_is_what_the_code_gives(saved):
    assert saved["verdict"] == c3.verdict(saved)
    assert (saved["batches"], saved["T, D, H"]) == (list(c3.BATCHES), list(c3.LAYER))
    assert (saved["learners"], saved["rates"], saved["target"]) == (list(c3.LEARNERS), list(c3.RATES), c3.TARGET)
    assert (saved["lag"], saved["noise"], len(saved["seeds"])) == (c3.LAG, c3.NOISE, 3)
    assert [(row["T"], row["numbers"]) for row in saved["scan"]] == list(c3.SCANS)
    assert [tuple(row["size"]) for row in saved["minGRU"]] == list(c3.CELLS)
    assert [tuple(row["size"]) for row in saved["threads"]] == list(c3.THREADED)
    assert saved["machine"]["blas_threads"] == 1
    learning = saved["learning"]
    for N, rate, updates in zip(saved["learners"], learning["rate"], learning["updates"], strict=True):
        if N == 64:  # updates repeat exactly, on the machine that made them and nearly so on any other
            found = [c3.updates_to_target(N, rate, seed, 500) for seed in saved["seeds"]]
            assert np.median(found) == pytest.approx(updates, rel=0.25)


def test_the_saved_figures_say_what_the_project_says_of_them(saved):
    """Throughput grows and flattens; updates become fewer and longer; a scan pays for short steps, threads for long."""
    for rates in saved["sequences_per_second"].values():
        assert rates[-1] > 3 * rates[0]
        assert rates[-1] < 1.5 * rates[-3]
    learning = saved["learning"]
    assert learning["updates"] == sorted(learning["updates"], reverse=True)
    assert learning["seconds_per_update"] == sorted(learning["seconds_per_update"])
    threads = [row["times"]["2"] for row in saved["threads"]]
    assert threads[0] > threads[-1]
    assert all(row["GRU"] > 1.5 for row in saved["minGRU"])
    by_numbers = {M: [row["loop"] for row in saved["scan"] if row["numbers"] == M] for M in (8, 2048)}
    assert min(by_numbers[8]) > 1.5
    assert max(by_numbers[2048]) < 1.5
    assert learning["seconds"][1] < learning["seconds"][0]
