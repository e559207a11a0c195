"""The measuring itself: its checks, files and tables, and a short run. Its arithmetic is in test_speed_race.py."""

import math
import subprocess
import sys
import time
import types
from pathlib import Path

import numpy as np
import pytest

from benchmarks import run
from benchmarks.machine import RESULTS, load_result
from benchmarks.speed import figure, points, quiet, saving, sides, tables, textbook, worker
from benchmarks.speed.products import quickest_sides
from benchmarks.speed.sides import Side, make_problem
from rnn_from_scratch.cells import GRUCell, LSTMCell, RNNCell
from rnn_from_scratch.layers import Recurrent

TINY = ["2,5,3,4", "3,4,2,5"]


# What is compared


@pytest.mark.parametrize("kind", points.CELLS)
def test_the_textbook_program_gives_the_packages_gradients(kind):
    problem = sides.make_problem(kind, (3, 6, 4, 5), "float64")
    layer = Recurrent(problem.cell, "stepwise")
    hs, _, cache = layer.forward(problem.params, problem.xs)
    dxs, _, grads = layer.backward(problem.params, problem.upstream, cache)
    found = sides.textbook_side(problem, "train").values()
    assert found.keys() == {"hs", "dxs", *grads}
    for name, expected in {"hs": hs, "dxs": dxs, **grads}.items():
        np.testing.assert_allclose(found[name], expected, rtol=1e-12, atol=1e-12, err_msg=name)
    assert all(np.abs(array).min(initial=1.0) > 0 for array in grads.values())


def test_the_textbook_takes_weights_apart_and_puts_them_together():
    for kind, cell in (("rnn", RNNCell(2, 3)), ("lstm", LSTMCell(2, 3)), ("gru", GRUCell(2, 3))):
        params = cell.init_params(rng=np.random.default_rng(0))
        again = textbook.join(kind, textbook.split(kind, params))
        assert again.keys() == params.keys()
        assert all(np.array_equal(again[name], params[name]) for name in params)


@pytest.mark.parametrize("what", ["train", "infer"])
@pytest.mark.parametrize(("kind", "size"), [("lstm", (3, 4, 5, 6)), ("gru", (32, 2, 64, 128)), ("rnn", (1, 3, 4, 5))])
def test_the_bare_products_are_products(kind, size, what):
    """Also where they are cut into blocks, as at the second size: nothing is left out, nothing done twice."""
    sides = quickest_sides(make_problem(kind, size, "float32"), what)
    assert list(sides) == ["together", "inputs first", "in blocks"]
    for side in sides.values():
        for name, difference in side.values().items():
            assert np.abs(difference).max() < 1e-4, name


def test_the_floor_is_the_quickest_products_time_beside_pytorchs(monkeypatch, tmp_path):
    """PyTorch starts, so what the race finds is turned over."""
    module = types.ModuleType("benchmarks.speed.torch_sides")
    module.torch_sides = lambda problem, what: {"nn.LSTM": Side(lambda: time.sleep(0.02), dict)}
    monkeypatch.setitem(sys.modules, "benchmarks.speed.torch_sides", module)
    task = {"against": "floor", "what": "infer", "dtype": "float32", "threads": 2, "rounds": 3, "seconds": 0.3}
    record = worker.measure(task, "lstm", (1, 100, 10, 5))
    assert record["ratio"] < 0.1
    assert record["low"] <= record["ratio"] <= record["high"]
    assert record["ours"] < 0.002 < record["theirs"]["nn.LSTM"]
    assert record["against"] == "nn.LSTM"
    assert record["quickest"] in {"together", "inputs first", "in blocks"}
    part = points.Part("infer", "float32", 2)
    path, _ = saving.merge("floor", part, {}, [record], tmp_path, None)
    assert path.exists()
    assert tables.readme_table(tmp_path).splitlines()[2].startswith("| the bare matrix products / PyTorch's, inference")


def test_sides_that_disagree_are_refused():
    ours = {"hs": np.array([1.0, 2.0]), "dW": np.array([4.0])}
    assert sides.disagreement(ours, {"hs": np.array([1.0, 2.0])}, 1e-9) == (0.0, None)
    difference, refusal = sides.disagreement(ours, {"hs": np.array([1.0, 2.0]), "dW": np.array([5.0])}, 1e-9)
    assert difference == pytest.approx(0.2)
    assert refusal == "dW differs by 2.0e-01 of its largest number, more than 1e-09"
    assert sides.disagreement(ours, {"hs": np.array([1.0, math.nan])}, 1e-9)[1].startswith("hs differs by nan")
    assert "float32" in sides.disagreement(ours, {"hs": np.array([1.0, 2.0], "float32")}, 1e-9)[1]
    with pytest.raises(KeyError):
        sides.disagreement(ours, {"dxs": np.array([1.0])}, 1e-9)


# Files and tables


def record(cell, point, ratio, **more):
    return {"cell": cell, "point": point, "ratio": ratio, **more}


def test_parts_are_saved_beside_each_other(tmp_path):
    train, infer = points.Part("train", "float32", 1), points.Part("infer", "float32", 1)
    one, other = {"numpy": "2.4"}, {"numpy": "2.5"}
    saving.merge("torch", train, one, [record("lstm", "9,9,9,9", 0.7), record("rnn", "1,100,10,5", 0.5)], tmp_path)
    saving.merge("torch", infer, one, [record("rnn", "1,100,10,5", 0.2)], tmp_path)
    path, dropped = saving.merge("torch", train, one, [record("lstm", "1,100,10,5", 0.9)], tmp_path)
    assert (path.name, dropped) == ("speed_torch.json", 0)
    found = saving.load("torch", tmp_path)
    assert found.keys() == {"train float32 1", "infer float32 1"}
    assert [r["ratio"] for r in found[train.key]["records"]] == [0.5, 0.9, 0.7]  # points of one's own come last
    # The same again replaces; another machine's figures do not stand beside these.
    _, dropped = saving.merge("torch", train, other, [record("rnn", "1,100,10,5", 0.4)], tmp_path)
    assert dropped == 2
    found = saving.load("torch", tmp_path)
    assert [r["ratio"] for r in found[train.key]["records"]] == [0.4]
    assert found[infer.key]["machine"] == one


def test_the_tables_tell_mean_and_worst_and_what_was_refused(tmp_path):
    part = points.Part("train", "float64", 2)
    records = [
        record("rnn", "1,100,10,5", 0.25), record("gru", "1,100,10,5", 0.08), record("rnn", "32,20,10,32", 1.0),
        {"cell": "gru", "point": "32,20,10,32", "refused": "nn.GRU: dxs differs"},
    ]  # fmt: skip
    assert tables.part_table("torch", part, records).splitlines() == [
        "training (forward and backward), float64, 2 threads: our time / PyTorch's (wall time)",
        "| N, T, D, H | RNN | GRU |", "|---|---|---|",
        "| 1,100,10,5 | .25 | .080 |", "| 32,20,10,32 | 1.00 | refused |",
        "| geometric mean | .50 | .080 |", "| worst | 1.00 | .080 |",
        "refused: GRU at 32,20,10,32: nn.GRU: dxs differs",
    ]  # fmt: skip
    saving.merge("torch", part, {}, [*records[:3], record("rnn", "7,7,7,7", 9.0)], tmp_path)  # not one of points.py
    saving.merge("gru", points.Part("train", "float32", 1), {}, [record("mingru", "1,1000,32,32", 0.1)], tmp_path)
    ways = [{"cell": "lstm", "way": way, "point": "32,10000,64,128", "peak": 250.4, "seconds": 3.33}
            for way in ("PyTorch", "whole")]
    saving.merge("torch", points.Part("memory", "float32", 1), {}, ways, tmp_path)
    assert tables.readme_table(tmp_path).splitlines() == [
        "| our time divided by | RNN | LSTM | GRU |", "|---|---|---|---|",
        "| PyTorch's, training (forward and backward), float64, 2 threads | .50 (worst 1.00) |  | .080 (worst .080) |",
        "| minGRU / our GRU's, training (forward and backward), float32, 1 thread |  |  | .10 (worst .10) |", "",
        "memory, T = 10000, N = 32, D = 64, H = 128, float32, 1 thread: MiB above the start, processor seconds", "",
        "|  | PyTorch | whole |", "|---|---|---|", "| LSTM | 250, 3.3 | 250, 3.3 |", "",
        "234 MiB of each are the outputs and the inputs' gradients alone.",
    ]  # fmt: skip


def test_memory_is_the_median_of_repeats_and_gradients_must_agree():
    def once(way, peak, norm):
        return {"cell": "rnn", "way": way, "point": "1,9,2,2", "peak": peak, "seconds": peak / 100, "norm": norm}

    found = run.medians([
        once("PyTorch", 800, 2.0), once("PyTorch", 790, 2.0), once("PyTorch", 990, 2.0), once("whole", 300, 2.0001),
        once("recomputed in segments of 100", 200, 2.1), once("truncated at 100", 200, 1.5),
    ])  # fmt: skip
    assert [r["peak"] for r in found] == [800, 300, 200, 200]
    assert found[0]["repeats"] == 3
    assert ["refused" in r for r in found] == [False, False, True, False]


def test_it_is_told_whether_others_used_the_machine(tmp_path, monkeypatch):
    stat = tmp_path / "stat"
    stat.write_text("cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 …\ncpu1 …\nintr 1\n", encoding="utf-8")
    later = "cpu  130 0 60 850 60 0 0 0 0 0\ncpu0 …\ncpu1 …\nintr 1\n"  # 100 ticks of two cores, 60 of them idle
    monkeypatch.setattr(quiet.time, "sleep", lambda _: stat.write_text(later, encoding="utf-8"))
    assert quiet.busy_cores(stat=stat) == pytest.approx(0.8)
    assert quiet.busy_cores(stat=tmp_path / "none") is None

    part = points.Part("train", "float32", 2)
    for busy in (0.8, 0.1, None):  # what is kept was measured on a busy machine
        saving.merge("torch", part, {}, [record("rnn", "1,1,1,1", 1.0)], tmp_path, busy)
        saving.merge("torch", part, {}, [record("gru", "1,1,1,1", 1.0)], tmp_path, busy)
        assert saving.load("torch", tmp_path)[part.key]["busy"] == 0.8


# The command


def planned(*arguments):
    commands = run.parser()
    jobs = run.plan(commands, commands.parse_args(arguments), cores=2)
    return {(against, part.key): tasks for against, part, tasks in jobs}


def test_what_is_planned_unless_told_otherwise():
    jobs = planned("--against", "torch")
    assert len(jobs) == 2 * 2 * 2 + 2 + 1  # streaming and memory have one thread, memory float32
    assert jobs["torch", "train float64 2"][0]["points"] == points.POINTS
    assert len(points.POINTS) == 17
    assert (jobs["torch", "train float32 1"][0]["rounds"], jobs["torch", "train float32 1"][0]["seconds"]) == (9, 2.5)
    assert jobs["torch", "stream float32 1"][0]["points"] == points.STREAM_POINTS
    assert len(jobs["torch", "memory float32 1"]) == 3 * 4 * 3  # a process each: cells, ways, repeats
    assert {task["point"] for task in jobs["torch", "memory float32 1"]} == {points.MEMORY_POINT}


def test_what_is_planned_when_told():
    jobs = planned("--against", "torch", "gru", "--what", "train", "--cells", "lstm", "mingru", "--dtype", "float64",
                   "--threads", "2", "--points", "2,3,4,5", "--rounds", "5", "--seconds", "1")  # fmt: skip
    assert jobs.keys() == {("torch", "train float64 2"), ("gru", "train float64 2")}
    (task,) = jobs["torch", "train float64 2"]
    assert (task["cells"], task["points"], task["rounds"], task["seconds"]) == (["lstm"], [(2, 3, 4, 5)], 5, 1.0)
    assert jobs["gru", "train float64 2"][0]["cells"] == ["mingru"]


@pytest.mark.parametrize(("arguments", "message"), [
    ([], "nothing to do: name what to measure --against"),
    (["--against", "textbook", "--what", "stream"], "nothing is left to measure"),
    (["--against", "stepwise", "--points", "1,2,3"], "invalid point_of value: '1,2,3'"),
    (["--against", "stepwise", "--threads", "9999"], "this machine has"),
])
def test_what_cannot_be_done_is_said(arguments, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        run.main(arguments)
    assert message in capsys.readouterr().err


def test_without_pytorch_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(run.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="2"):
        run.main(["--against", "torch", "--quick"])
    assert "python -m pip install torch" in capsys.readouterr().err


def test_a_refused_point_is_shown_and_the_run_fails(monkeypatch, capsys, tmp_path):
    refused = {"cell": "rnn", "point": "2,5,3,4", "difference": None, "refused": "nn.RNN: hs differs"}
    lines = [{"machine": {}}, refused, record("lstm", "2,5,3,4", 0.5)]
    monkeypatch.setattr(run, "run", lambda task: iter(lines))
    monkeypatch.setattr(run, "busy_cores", lambda: 1.5)
    arguments = ["--against", "stepwise", "--what", "train", "--points", "2,5,3,4", "--folder", str(tmp_path)]
    assert run.main(arguments) == 1
    shown = capsys.readouterr().out
    assert "| 2,5,3,4 | refused | .50 |" in shown
    assert "not a quiet machine: other processes kept 1.5 cores busy" in shown
    assert saving.load("stepwise", tmp_path)["train float32 1"]["records"] == lines[1:]


def test_wall_time_on_a_busy_machine_is_not_saved(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(run, "run", lambda task: iter([{"machine": {}}, record("lstm", "2,5,3,4", 0.5)]))
    monkeypatch.setattr(run, "describe_machine", lambda: {"cores": 2})
    for busy, saved in ((0.9, False), (0.1, True)):
        monkeypatch.setattr(run, "busy_cores", lambda busy=busy: busy)
        assert run.main(["--against", "stepwise", "--what", "train", "--threads", "2", "--folder", str(tmp_path)]) == 0
        assert ("not saved" in capsys.readouterr().out) is not saved
        assert bool(saving.load("stepwise", tmp_path)) is saved


def test_a_process_that_fails_fails_the_run():
    with pytest.raises(subprocess.CalledProcessError):
        list(run.run({"threads": 1, "against": "stepwise"}))  # a task without `what`


def test_the_figure_is_drawn_from_what_is_saved(tmp_path):
    pytest.importorskip("matplotlib")
    with pytest.raises(FileNotFoundError, match="nothing to draw"):
        figure.save_figure(tmp_path)
    records = [record(cell, points.text_of(point), 0.5) for cell in points.CELLS for point in points.POINTS[:9]]
    saving.merge("torch", points.Part("train", "float32", 1), {}, records, tmp_path)
    assert figure.save_figure(tmp_path).read_bytes().startswith(b"\x89PNG")


def test_a_short_run_from_end_to_end(tmp_path, capfd):
    short = ["--cells", "rnn", "lstm", "--what", "train", "--seconds", "0.02", "--rounds", "2", "--points", *TINY]
    assert run.main(["--against", "stepwise", "textbook", *short, "--folder", str(tmp_path)]) == 0
    shown = capfd.readouterr().out
    assert shown.count("| geometric mean |") == shown.count("| worst |") == 2
    for against in ("stepwise", "textbook"):
        found = load_result(f"speed_{against}", tmp_path)
        (part,) = found["parts"].values()
        assert part["machine"]["blas_threads"] == 1
        assert [(r["point"], r["cell"]) for r in part["records"]] == [(p, c) for p in TINY for c in ("rnn", "lstm")]
        for r in part["records"]:
            assert r["rounds"] >= 2
            assert r["difference"] < 1e-5
            assert r["low"] <= r["ratio"] <= r["high"]
            assert r["ours"] > 0
            assert r["theirs"].keys() == {against}
    assert run.main(["--show", "--folder", str(tmp_path)]) == 0
    assert "the textbook program's" in capfd.readouterr().out


def test_readme_shows_what_is_saved():
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    saved = tables.readme_table(RESULTS).splitlines()
    assert sum(line.startswith("| PyTorch's, ") for line in saved) >= 5
    assert "\n".join(saved) in readme
    parts = load_result("speed_torch")["parts"]
    faster = [
        sum(ratio < 1 for ratio in tables.ratios_of(parts[f"{what} float32 1"]["records"], "lstm"))
        for what in ("train", "infer")
    ]
    assert "ours is faster at {} of 17 sizes in training and at {} in inference.".format(*faster) in readme
    parts = load_result("speed_torch")["parts"]
    ahead = [sum(record["ratio"] < 1 for record in parts[f"{what} float32 1"]["records"] if record["cell"] == "lstm")
             for what in ("train", "infer")]
    said = f"ours is faster at {ahead[0]} of 17 sizes in training and at {ahead[1]} in inference"
    assert said in " ".join(readme.split())
