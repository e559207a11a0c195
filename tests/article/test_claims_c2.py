"""Claim C2: a short version with one seed, what is counted, formats that give the same numbers, and the verdict."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves
from rnn_from_scratch.article.claims import c2, c2_formats, c2_times
from rnn_from_scratch.compression import count, prune, size_in_bytes
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.models import SequenceClassifier

ROOT = Path(__file__).parents[2]
RNG = np.random.default_rng
SHORT = {"seeds": (0,), "rates": (0.01,), "updates": 20, "units": 32, "points": ((16, 4, True),), "rounds": 1}
ZEROS = [name for name in c2_formats.FORMATS if name.endswith("with the zeros")]
ALONE = [name for name in c2_formats.FORMATS if name.endswith("entries alone")]
EIGHT = [name for name in c2_formats.FORMATS if name.startswith("8 bits")]


@pytest.fixture(scope="module")
def short():
    """The experiment with one seed, on small networks: what needs no clock can be judged."""
    patch = pytest.MonkeyPatch()
    patch.setattr(c2_times, "SAMPLE", 0.0)
    yield c2.run(**SHORT)
    patch.undo()


def test_a_short_run_has_every_figure(short):
    assert list(short["kinds"]) == list(c2.KINDS)
    assert list(short["formats"]) == list(c2_formats.FORMATS)
    (point,) = short["points"]
    assert set(point["pass"]) == set(point["update"]) == set(c2.KINDS)
    assert set(point["formats"]) == set(c2_formats.FORMATS)
    for family in ("LSTM", "RNN"):
        assert point["pass"][family] == point["update"][family] == 1.0
    assert min(*point["pass"].values(), *point["update"].values(), *point["formats"].values()) > 0
    assert short["verdict"] == c2.verdict(short)
    json.dumps(short, allow_nan=False)
    for row in (short["kinds"] | short["formats"]).values():
        assert len(row["losses"]) == 1
        assert row["difference"][1] is None


def test_the_counts(short):
    kinds = {kind: row["parameters"] for kind, row in short["kinds"].items()}
    H, V = 32, len(c2.date_vocabularies()[0])
    around = V * H + H * V + V  # the embedding and the output layer
    assert kinds == {
        "LSTM": around + 8 * H * H + 4 * H, "LSTM, rank H/4": around + 4 * H * H + 8 * 5 * H + 4 * H,
        "LSTM, rank H/16": around + 4 * H * H + 2 * 5 * H + 4 * H, "LSTM, i = 1 − f": around + 6 * H * H + 3 * H,
        "LSTM, tied embedding": around - V * H + 8 * H * H + 4 * H, "RNN": around + 2 * H * H + H,
        "RNN, rank H/8": around + H * H + 4 * 2 * H + H, "RNN, diagonal": around + H * H + 2 * H,
    }
    recurrent = {kind: row["recurrent"] for kind, row in short["kinds"].items()}
    assert recurrent["LSTM"] == recurrent["LSTM, tied embedding"] == 4 * H * H
    assert (recurrent["LSTM, rank H/16"], recurrent["RNN, diagonal"]) == (10 * H, H)
    assert all(row["bytes"] == 4 * row["parameters"] for row in short["kinds"].values())
    assert all(kinds[kind] < kinds[one.family] for kind, one in c2.KINDS.items() if kind != one.family)


def test_the_bytes(short):
    rows = short["formats"]
    full = rows[c2_formats.FULL]["bytes"]
    assert full == short["kinds"]["LSTM"]["bytes"]
    for name in ZEROS:
        assert rows[name]["bytes"] == full  # zeros take as much room as other numbers
    assert 0.5 * full < rows[ALONE[0]]["bytes"] < 0.75 * full  # half of the entries, and a byte more for each
    assert 0.1 * full < rows[ALONE[1]]["bytes"] < 0.2 * full
    for name in EIGHT:
        assert 0.25 * full < rows[name]["bytes"] < 0.3 * full
    assert rows[ALONE[1]]["parameters"] == rows[ZEROS[1]]["parameters"] < 0.12 * rows[c2_formats.FULL]["parameters"]


def test_what_needs_no_clock(short):
    losses = {name: row["losses"][0] for name, row in short["formats"].items()}
    full = losses[c2_formats.FULL]
    assert losses[c2_formats.AGAIN] == full == pytest.approx(short["kinds"]["LSTM"]["losses"][0], rel=1e-5)
    for name in EIGHT:
        assert abs(losses[name] - full) < 0.01  # rounding to 8 bits changes next to nothing
    assert losses[ZEROS[1]] > losses[ZEROS[0]] > full  # leaving weights out does, without training on
    assert losses[ALONE[0]] == pytest.approx(losses[ZEROS[0]], rel=1e-5)
    first, second, third = short["counterexample"]["models"].values()
    assert 0 <= second["parameters"] - first["parameters"] < 16  # to one row of the table
    assert third["parameters"] > 20 * first["parameters"]


def test_the_kinds_learn_from_the_same_batches(monkeypatch):
    seen = []
    original = c2.batch_of
    monkeypatch.setattr(c2, "batch_of", lambda texts: seen.append(tuple(texts)) or original(texts))
    ends = [c2.train(kind, 0.01, 3, updates=12, units=16).loss for kind in ("LSTM", "RNN, diagonal")]
    per_kind = [seen[:13], seen[13:]]  # twelve updates and the held-out dates
    assert per_kind[0] == per_kind[1]
    assert len(set(seen[:13])) == 13
    assert c2.train("LSTM", 0.01, 3, updates=12, units=16).loss == ends[0]
    untrained = c2.train("LSTM", 0.01, 3, updates=0, units=16).loss
    assert untrained == pytest.approx(np.log(112), abs=0.3)
    assert all(loss < untrained - 0.2 for loss in ends)
    assert not set(seen[12]) & {text for batch in seen[:12] for text in batch}


@pytest.mark.parametrize(("losses", "best", "asked"), [
    ((3.0, 1.0, 2.0, 4.0), 0.2, [0.3, 0.2, 0.1]), ((4.0, 3.0, 1.0, 2.0), 0.3, [0.3, 0.2, 0.4]),
    ((1.0, 2.0, 3.0, 4.0), 0.1, [0.3, 0.2, 0.1]), ((4.0, 3.0, 2.0, 1.0), 0.4, [0.3, 0.2, 0.4]), ((5.0,), 0.1, []),
])
def test_the_best_rate_is_that_of_the_tuning_seed(losses, best, asked, monkeypatch):
    rates, seen = (0.1, 0.2, 0.3, 0.4)[: len(losses)], []

    def trained(kind, rate, seed, updates, units):
        assert (kind, seed, updates, units) == ("RNN", c2.TUNING_SEED, 7, 16)
        seen.append(rate)
        return c2.Trained({}, losses[rates.index(rate)])

    monkeypatch.setattr(c2, "train", trained)
    assert c2.best_rate("RNN", rates, 7, 16) == best
    assert seen == asked


def test_the_interval_of_paired_differences():
    mean, half = c2.difference([1.1, 2.2, 3.3, 4.4, 5.5], [1.0, 2.0, 3.0, 4.0, 5.0])
    assert mean == pytest.approx(0.3)
    assert half == pytest.approx(2.776 * np.std([0.1, 0.2, 0.3, 0.4, 0.5], ddof=1) / np.sqrt(5))
    assert c2.difference([2.0], [1.5]) == (0.5, None)


# Formats


def sparse(shape, share, seed=0):
    W = RNG(seed).standard_normal(shape)
    W[RNG(seed + 1).random(shape) < share] = 0
    return W


@pytest.mark.parametrize("share", [0.0, 0.5, 0.95])
@pytest.mark.parametrize("shape", [(3, 4), (40, 30), (1, 5), (200, 6)])
@pytest.mark.parametrize("gather", [0, 10**9])  # column by column, all at once
def test_a_product_of_entries_alone_is_the_product(share, shape, gather, monkeypatch):
    monkeypatch.setattr(c2_formats, "GATHER", gather)
    W = sparse(shape, share)
    W[:, 1] = 0  # a column without entries
    x = RNG(2).standard_normal((5, 2, shape[0]))
    for at_once in (1, 50, 10**9):
        monkeypatch.setattr(c2_formats, "AT_ONCE", at_once)
        y = x @ c2_formats.SparseColumns(W)
        assert y.shape == (5, 2, shape[1])
        np.testing.assert_allclose(y, x @ W, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(x[0, :1] @ c2_formats.SparseColumns(W), x[0, :1] @ W, rtol=1e-12, atol=1e-13)


def test_no_entry_at_all():
    for x in (np.ones((2, 3)), np.ones((1, 3), np.float32)):
        y = x @ c2_formats.SparseColumns(np.zeros((3, 4), x.dtype))
        assert (y.shape, y.dtype, np.abs(y).max()) == ((len(x), 4), x.dtype, 0.0)


def test_the_room_of_entries_alone():
    W = np.zeros((100, 50), np.float32)
    W[3, 4] = W[99, 0] = 1.0
    assert c2_formats.SparseColumns(W).nbytes == 2 * (4 + 1) + 51  # a value and a row of one byte; starts of one byte
    wide = np.ones((300, 50), np.float32)
    assert c2_formats.SparseColumns(wide).nbytes == 15_000 * (4 + 2) + 51 * 2


def test_whole_numbers_round_the_inputs_too():
    W, x = np.array([[127.0, 2.0], [-64.0, 1.0]]), np.array([[1.0, 0.5], [0.0, 127.0]])
    y = x @ c2_formats.WholeNumbers(W)
    q_x, q_w = np.array([[127, 64], [0, 127]]), np.array([[127, 127], [-64, 64]])
    np.testing.assert_allclose(y, q_x @ q_w * np.array([[1 / 127], [1.0]]) * np.array([1.0, 2 / 127]), rtol=1e-14)
    x, W = (RNG(n).standard_normal((40, 40)).astype(np.float32) for n in (0, 1))
    y = x @ c2_formats.WholeNumbers(W)
    assert y.dtype == np.float32
    bound = 40 * 0.5 * (np.abs(x).max() * np.abs(W).max() / 127 * 2 + np.abs(x).max() * np.abs(W).max() / 127**2)
    assert 0.01 < np.abs(y - x @ W).max() < bound


@pytest.mark.parametrize("kind", ["LSTM", "LSTM, rank H/4", "LSTM, tied embedding", "RNN, diagonal"])
def test_a_pass_is_the_models_forward(kind):
    model = c2.model_of(kind, 32)
    params = model.init_params(rng=RNG(0))
    xs = RNG(1).integers(0, model.vocabulary_size, (5, 3))
    np.testing.assert_array_equal(c2_formats.logits_of(model, params, xs), model.forward(params, xs)[0])
    classifier = SequenceClassifier(Recurrent(c2.KINDS[kind].cell(32), engine="stepwise"), 7, 2)
    params = classifier.init_params(rng=RNG(0))
    np.testing.assert_array_equal(
        c2_formats.logits_of(classifier, params, xs % 7), classifier.forward(params, xs % 7)[0])


@pytest.mark.parametrize("name", [*ZEROS, *ALONE, *EIGHT])
def test_every_format_gives_the_numbers_that_it_stands_for(name):
    model = c2.model_of("LSTM", 32)
    params = model.init_params(rng=RNG(0))
    xs = RNG(1).integers(0, model.vocabulary_size, (5, 3))
    form = c2_formats.FORMATS[name]
    found = c2_formats.logits_of(model, form.load(params), xs)
    if name in EIGHT:
        np.testing.assert_allclose(found, c2_formats.logits_of(model, params, xs), atol=0.05)
        assert form.nbytes(params) == sum(
            array.size + 8 * array.shape[1] if array.ndim == 2 else array.nbytes for _, array in leaves(params))
        return
    smaller = prune(params, form.sparsity)
    table = smaller["embedding"]
    np.testing.assert_allclose(found, model.forward({**smaller, "embedding": table}, xs)[0], rtol=1e-11, atol=1e-12)
    entries = sum(int(np.count_nonzero(array)) for _, array in leaves(smaller))
    assert form.nbytes(params) >= (8 * entries if name in ALONE else size_in_bytes(params))
    assert count(params) > entries


# Clocks


def test_sides_take_turns_with_copies_of_their_own(monkeypatch):
    ticks, made = iter(range(10**6)), []

    def side(name, cost):
        def fresh():
            made.append(name)
            return lambda: [next(ticks) for _ in range(cost)]

        return fresh

    monkeypatch.setattr(c2_times, "SAMPLE", 0.0)
    monkeypatch.setattr(c2_times.time, "process_time", lambda: next(ticks))
    seconds, ratios = c2_times.in_turns({"one": side("one", 9), "two": side("two", 19)}, "one", rounds=9)
    assert seconds == 10  # nine ticks, and the clock's own
    assert ratios == {"one": 1.0, "two": 2.0}
    assert made[:2] == ["one", "two"]
    rounds = [made[n : n + 2] for n in range(2, 20, 2)]
    assert all(sorted(names) == ["one", "two"] for names in rounds)
    assert ["one", "two"] in rounds
    assert ["two", "one"] in rounds


# The verdict


def measured(shrinking, others, sizes=(32, 128), control=1.0):
    """Ratios at two sizes for what makes products smaller, and one for all that does not."""
    kinds = {kind: {"difference": [0.0, 0.0]} for kind in c2.KINDS}
    kinds["RNN, diagonal"]["difference"] = [0.2, 0.1]
    points = []
    for units, ratio in zip(sizes, shrinking, strict=True):
        found = {kind: ratio if one.shrinks else others for kind, one in c2.KINDS.items()} | {"LSTM": 1.0, "RNN": 1.0}
        formats = {name: others for name in c2_formats.FORMATS} | {c2_formats.AGAIN: control}
        points.append({"units": units, "pass": found, "update": found, "formats": formats})
    models = {"a": {"parameters": 10, "pass": 1.0, "update": 1.0}, "b": {"parameters": 10, "pass": 0.4, "update": 0.5},
              "c": {"parameters": 99, "pass": 1.02, "update": 2.0}}
    return {"kinds": kinds, "formats": {name: {"difference": [0.0, 0.1]} for name in c2_formats.FORMATS},
            "points": points, "counterexample": {"models": models}}


@pytest.mark.parametrize(("shrinking", "others", "word"), [
    ((0.5, 0.6), 0.7, "it holds;"), ((0.95, 1.2), 1.0, "it does not hold;"),
    ((0.5, 0.6), 1.0, "it holds where a step's dense products become smaller;"),
    ((1.1, 0.6), 1.0, "it holds where a step's dense products become smaller and are large, here from 128 units on;"),
    ((0.5, 1.1), 1.0, "it holds for some ways to have fewer;"),
    ((0.5, 1.1), 0.5, "it holds for some ways to have fewer;"),
])
def test_the_verdict_follows_the_figures(shrinking, others, word):
    told = c2.verdict(measured(shrinking, others, control=0.1))  # the control is no way to have fewer
    assert told.startswith(f"For a pass {word}")
    assert "A higher loss than the full one's (95 % interval): RNN, diagonal." in told
    assert "a pass of 10 parameters takes 0.40 of the time of one of 10, and one of 99 parameters 1.02" in told


def test_the_verdict_tells_a_pass_from_an_update():
    found = measured((0.5, 0.6), 1.0)
    for point in found["points"]:
        point["update"] = {kind: 1.0 for kind in c2.KINDS}
    assert "smaller; for an update it does not hold." in c2.verdict(found)
    assert "Faster at some points: LSTM, rank H/4 (0.50 to 1.00)" in c2.verdict(found)


# The saved result


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.compression")


@pytest.fixture(scope="module")
def saved():
    return json.loads((ROOT / "benchmarks" / "results" / "compression.json").read_text(encoding="utf-8"))


def test_the_saved_result_is_what_the_code_gives(saved):
    assert saved["verdict"] == c2.verdict(saved)
    assert list(saved["kinds"]) == list(c2.KINDS)
    assert list(saved["formats"]) == list(c2_formats.FORMATS)
    assert [(row["units"], row["sequences"], "update" in row) for row in saved["points"]] == list(c2_times.POINTS)
    assert (saved["units"], saved["updates"], saved["rates"]) == (c2.UNITS, c2.UPDATES, list(c2.RATES))
    assert len(saved["seeds"]) == 5
    assert saved["tuning_seed"] not in saved["seeds"]
    assert saved["machine"]["blas_threads"] == 1
    for kind, row in saved["kinds"].items():
        assert min(saved["rates"]) < row["rate"] < max(saved["rates"])  # a wider grid would change nothing
        params = c2.model_of(kind, c2.UNITS).init_params(rng=RNG(0), dtype=np.float32)
        assert (row["parameters"], row["bytes"]) == (count(params), size_in_bytes(params))
        reference = saved["kinds"][c2.KINDS[kind].family]["losses"]
        assert row["difference"] == pytest.approx(c2.difference(row["losses"], reference))
    for row in saved["formats"].values():
        assert row["difference"] == pytest.approx(c2.difference(row["losses"], saved["kinds"]["LSTM"]["losses"]))


def test_the_saved_figures_say_what_the_project_says_of_them(saved):
    """Unstructured sparsity and 8 bits make weights smaller and NumPy no faster; by hand they make it slower."""
    for row in saved["points"]:
        for name in (*ZEROS, EIGHT[0], c2_formats.AGAIN):
            assert abs(row["formats"][name] - 1) < c2.SAME
        for name in (*ALONE, EIGHT[1]):
            assert row["formats"][name] > 2
    large = [row for row in saved["points"] if row["units"] == 512]
    for kind, one in c2.KINDS.items():
        if one.shrinks:
            assert all(row[what][kind] < 1 - c2.SAME for row in large for what in ("pass", "update") if what in row)
    assert abs(saved["formats"][EIGHT[0]]["difference"][0]) < 0.001
    assert saved["formats"][ZEROS[1]]["difference"][0] > 1
    first, second, third = saved["counterexample"]["models"].values()
    assert first["parameters"] == second["parameters"]
    assert second["pass"] < 0.6
    assert third["parameters"] > 10 * first["parameters"]
    assert abs(third["pass"] - 1) < c2.SAME


def test_the_table(script, saved):
    lines = script.table(saved).splitlines()
    assert len(lines) == 1 + len(c2.KINDS) + len(c2_formats.FORMATS) + 2 + 3
    assert lines[1].split()[:3] == ["LSTM", "160368", "626"]
    assert all(len(line) == len(lines[0]) for line in lines[: 1 + len(c2.KINDS) + len(c2_formats.FORMATS)])
    assert {len(row) for row in (script.QUICK["seeds"], script.QUICK["rates"])} == {1}
