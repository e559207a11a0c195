"""The date translation benchmark: its parts by hand, a tiny training that learns where to look, its saved results."""

import importlib
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rnn_from_scratch.data import DateData, DateFormat, Vocabulary, date_data, date_vocabularies, split_dates
from rnn_from_scratch.models.decoding import Hypothesis
from rnn_from_scratch.training import load_params

ROOT = Path(__file__).parents[2]


@pytest.fixture
def dates(monkeypatch):
    """The benchmark's modules under short names."""
    monkeypatch.syspath_prepend(str(ROOT))
    names = {"script": "date_translation", "measures": "date_measures", "training": "translating", "machine": "machine"}
    return SimpleNamespace(**{short: importlib.import_module(f"benchmarks.{name}") for short, name in names.items()})


# Measures, by hand


@pytest.mark.parametrize(
    ("source", "target", "year", "day"),
    [
        ("17. März 1998", "1998-03-17", [9, 10, 11, 12], {8: 0, 9: 1}),
        ("Mar 7 1998", "1998-03-07", [6, 7, 8, 9], {9: 4}),  # no zero to look at
        ("07/03/1998", "1998-03-07", [6, 7, 8, 9], {8: 0, 9: 1}),
        ("1998年3月1日", "1998-03-01", [0, 1, 2, 3], {9: 7}),
        ("5/5/1998", "1998-05-05", [4, 5, 6, 7], None),  # which of the two is the day?
        ("the 3rd of May 2003", "2003-05-03", [15, 16, 17, 18], {9: 4}),
        ("20 mai 2020", "2020-05-20", [7, 8, 9, 10], {8: 0, 9: 1}),
        ("3 maj 98", "1998-05-03", None, None),
    ],
)
def test_where_a_targets_digits_stand(dates, source, target, year, day):
    found = dates.measures.digit_places(source, target)
    assert found.get("year") == (None if year is None else dict(enumerate(year)))
    assert found.get("day") == day
    for places in found.values():
        assert all(source[s] == target[t] for t, s in places.items())


def test_every_place_of_the_data_holds_the_digit(dates):
    data = date_data(rng=np.random.default_rng(0), N=2000)
    places = [dates.measures.digit_places(*pair) for pair in zip(data.sources, data.targets, strict=True)]
    assert sum(map(bool, places)) > 1200
    for source, target, found in zip(data.sources, data.targets, places, strict=True):
        for pairs in found.values():
            assert all(source[s] == target[t] for t, s in pairs.items())


def test_attention_on_the_digits_is_counted(dates, monkeypatch):
    """Two sources; the maps say where each target character looks: on it, beside it, elsewhere."""
    texts = ["1998/12/31", "31.12.1998"], ["1998-12-31"] * 2
    maps = np.full((11, 11, 2), 0.01)
    for t, s in {0: 0, 1: 1, 2: 2, 3: 3, 8: 8, 9: 0}.items():
        maps[t, s, 0] = 0.5
    for t, s in {0: 6, 1: 6, 2: 8, 3: 2, 8: 1, 9: 0}.items():
        maps[t, s, 1] = 0.4
    monkeypatch.setattr(dates.measures.translating, "weights_of", lambda *_: maps)
    found = dates.measures.digits_attended(None, None, DateData(*texts, []), date_vocabularies())
    assert [found["year"][key]["right"] for key in ("digits", "beside")] == [6, 7]
    assert [found["day"][key]["right"] for key in ("digits", "beside")] == [1, 3]
    assert [found["year"]["digits"]["of"], found["day"]["digits"]["of"]] == [8, 4]
    assert found["year"]["weight"] == pytest.approx((4 * 0.5 + 2 * 0.4 + 2 * 0.01) / 8, abs=1e-4)
    assert [found["whole years"][key] for key in ("right", "of")] == [1, 2]
    digits = found["year"]["by digit"]
    assert [digit["on it"] for digit in digits] == [1.0, 0.5, 1.0, 0.5]
    assert digits[0] == {"on it": 1.0, "most often": 0, "there": 1.0}
    assert found["day"]["by digit"][1] == {"on it": 0.0, "most often": -9, "there": 0.5}


def test_what_is_wrong_is_named(dates):
    wrong = dates.measures.wrong_fields
    assert wrong("1998-03-17", "1998-03-17") == []
    assert wrong("1998-03-17", "1988-03-12") == ["year", "day"]
    assert wrong("1998-03-17", "1998-30-17") == ["month"]
    assert wrong("1998-03-17", "1998-03-1") == wrong("1998-03-17", "") == ["form"]


def test_month_and_day_in_each_others_place(dates):
    exchanged = dates.measures.exchanged
    assert exchanged(("5/3/98", "1998-03-05", "1998-05-03"))
    assert not exchanged(("5/3/98", "1998-03-05", "1999-05-03"))
    assert not exchanged(("5/5/98", "1998-05-05", "1998-05-05"))


def test_beam_and_greedy_are_compared_line_by_line(dates, monkeypatch):
    """Four sources "a": greedy finds the wanted one, or the beam does, as its first line or a later one, or neither."""
    letters = Vocabulary("axyz")

    def line(text, log_probability):
        return Hypothesis(letters.encode(text).tolist(), log_probability, True)

    plain = [line("x", -1.0), line("y", -2.0), line("y", -2.0), line("z", -1.0)]
    beams = [[line("x", -1.0), line("y", -3.0)], [line("x", -1.5), line("y", -2.0)],
             [line("z", -2.5), line("x", -2.7)], [line("z", -1.0), line("y", -9.0)]]
    monkeypatch.setattr(dates.training, "greedy", lambda *_, **__: plain)
    monkeypatch.setattr(dates.training, "beam_search", lambda *_, **__: beams)
    found = dates.training.beside_beam(None, None, ["a"] * 4, ["x"] * 4, (letters, letters), 3, 2)
    assert found == {"beam width": 2, "sources": 4, "greedy right": 1, "beam right": 2, "in the beam": 3,
                     "different": 2, "beam more probable": 1, "beam less probable": 1}


def test_rows_and_their_score(dates):
    data = DateData(["a", "b", "c", "d", "e"], list("12345"), [])
    assert dates.measures.rows(data, 2) == (["a; b", "c; d"], ["1;2", "3;4"])
    assert dates.measures.rows(data, 5) == (["a; b; c; d; e"], ["1;2;3;4;5"])
    found = dates.measures.judge_rows(["1;2", "4;3", "3", "1;2;3"], ["1;2", "3;4", "3;4", "1;2"], 2)
    assert [found["rows"]["right"], found["dates"]["right"], found["dates"]["of"]] == [1, 5, 8]
    assert found["right by place"] == [0.75, 0.5]
    assert found["dates written"] == 2.0
    sources, targets = dates.measures.row_vocabularies()
    assert set("; ") <= set(sources.characters)
    assert set(targets.characters) == set("0123456789-;")


def test_rows_to_train_on_use_each_date_once_and_the_tests_days_are_new(dates):
    task = dates.script.IN_A_ROW._replace(pairs=30, tests=20)
    (sources, targets), some, tests = dates.script.row_sets(task, 3)
    counts = [target.count(";") + 1 for target in targets]
    assert counts == [1] * 30 + [2] * 30 + [3] * 30
    assert counts == [source.count("; ") + 1 for source in sources]
    splits = split_dates(rng=np.random.default_rng([3, 1]), sizes=(180, 80, 80))
    assert [day for target in targets for day in target.split(";")] == splits.train.targets
    assert list(some) == [1, 2, 3]
    for k, (read, written) in tests.items():
        assert len(read) == len(written) == 20
        assert {target.count(";") + 1 for target in written} == {k}
        assert not {day for target in written for day in target.split(";")} & set(splits.train.targets)


# Training


def test_all_are_trained_side_by_side_and_measured_at_their_marks(dates):
    Progress, order = dates.training.Progress, []

    def run(name, count):
        for n in range(1, count + 1):
            order.append(name)
            yield Progress(n, 0.5, float(n), {"at": n})

    found = dates.training.side_by_side(
        {"long": (run("long", 6), 6), "short": (run("short", 3), 3)},
        {"long": {2, 4}, "short": {1}}.__getitem__, lambda name, params: {"seen": (name, params["at"])},
    )
    assert order == ["long", "short", "long", "long", "short", "long", "long", "short", "long"]
    params, points = found["long"]
    assert params == {"at": 6}
    assert [point["updates"] for point in points] == [2, 4, 6]  # the end is measured too
    assert [point["seconds"] for point in points] == [1.0, 2.0, 3.0]
    assert [point["loss"] for point in points] == [1.5, 3.5, 5.5]
    assert [point["seen"] for point in found["short"][1]] == [("short", 1), ("short", 3)]


def test_the_rate_is_held_and_then_falls_in_a_line(dates, monkeypatch):
    rates = []

    class Still:
        def __init__(self, rate):
            rates.append(rate)

        def init(self, params):
            return None

        def update(self, params, grads, memory):
            return params, memory

    monkeypatch.setattr(dates.training, "Adam", Still)
    model = SimpleNamespace(loss_and_grads=lambda *_: (1.0, {"w": np.ones(1)}, None))
    list(dates.training.training(model, {}, iter([()] * 10), dates.training.Plan(10, 0.5, 1)))
    assert rates[1:] == pytest.approx([0.5] * 6 + [0.4, 0.3, 0.2, 0.1])


def test_a_tiny_run_learns_to_translate_and_where_to_look(dates):
    """Three formats, two seconds. Untrained, a digit in eleven is looked at, and nothing is right."""
    vocabularies, rng = date_vocabularies(), np.random.default_rng(0)
    patterns = (("de_DE", "dd.MM.y"), ("fr_FR", "y/MM/dd"), ("en_US", "E MM-dd y"))
    formats = [DateFormat(locale, "tiny", pattern) for locale, pattern in patterns]
    train, test = (date_data(rng=rng, N=N, formats=formats) for N in (1500, 200))
    model = dates.training.build("Luong", 32, 16, vocabularies)
    params = model.init_params(rng=rng, dtype=np.float32)
    before = dates.training.mean_loss(model, params, *test[:2], vocabularies)
    assert before == pytest.approx(math.log(15), rel=0.1)  # a guess among all 15 tokens
    batches = dates.training.epochs(*train[:2], vocabularies, 32, rng)
    *_, last = dates.training.training(model, params, batches, dates.training.Plan(120, 0.02, 32))
    assert last.params["output"]["W_hy"].dtype == np.float32
    assert dates.training.mean_loss(model, last.params, *test[:2], vocabularies) < 0.08
    looks = dates.measures.digits_attended(model, last.params, test, vocabularies)
    assert looks["year"]["digits"]["share"] > 0.55
    assert looks["day"]["digits"]["share"] > 0.75
    lines = dates.training.translate(model, last.params, test.sources, vocabularies, 12)
    assert dates.training.judge(lines, test.targets)["exact"]["share"] > 0.8


def test_both_parts_run_and_their_counts_agree(dates):
    script = dates.script
    short = {kind: plan._replace(updates=2, batch_size=8) for kind, plan in script.ONE_DATE.plans.items()}
    change = {"plans": short, "H": dict.fromkeys(short, 4), "E": 4, "pairs": 40, "tests": 6, "beam_tests": 1,
              "marks": (1.0,), "seeds": (5, 6)}
    said = []
    first, params = script.one_date(script.ONE_DATE._replace(**change), said.append)
    second = script.in_a_row(script.IN_A_ROW._replace(**change), said.append)
    assert len(said) == 12
    for kind, one in first["kinds"].items():
        assert one["parameters"] == dates.training.count(params[kind])
        for name in ("test", "new_formats"):
            whole = one[name]["all seeds"]
            assert whole["of"] == 12 == sum(part["of"] for part in one[name]["by length"].values())
            assert whole["right"] == sum(own[name]["exact"]["right"] for own in one["seeds"])
            assert len(one[name]["errors of the first seed"]) == 6 - one["seeds"][0][name]["exact"]["right"]
        for own in one["seeds"]:
            assert own["curve"]["updates"] == [2]
            assert ("attention" in own) == (kind != "no attention")
    for one in second["kinds"].values():
        assert [found["rows"]["of"] for found in one["all seeds"].values()] == [12] * 4
        assert [found["dates"]["of"] for found in one["all seeds"].values()] == [12, 24, 36, 48]
    printed = script.table({"one date": first, "in a row": second, "seconds": {"CPU": 1, "wall": 2}})
    assert str(first["kinds"]["Luong"]["parameters"]) in printed
    assert printed.count("no attention") == 2


# The saved results


def test_the_saved_parameters_give_the_saved_result(dates):
    result = dates.machine.load_result("date_translation")["one date"]
    settings, vocabularies = result["settings"], date_vocabularies()
    sizes = settings["pairs"], settings["tests"], settings["tests"]
    splits = split_dates(rng=np.random.default_rng([settings["seeds"][0], 1]), sizes=sizes)
    files = {kind: dates.machine.RESULTS / dates.script.file_name(kind) for kind in dates.training.KINDS}
    assert sum(path.stat().st_size for path in files.values()) < 700_000
    for kind, path in files.items():
        params, saved = load_params(path), result["kinds"][kind]
        assert dates.training.count(params) == saved["parameters"]
        model = dates.training.build(kind, settings["H"][kind], settings["E"], vocabularies)
        for name in ("test", "new_formats"):
            data = getattr(splits, name)
            lines = dates.training.translate(model, params, data.sources, vocabularies, 12)
            right = dates.training.judge(lines, data.targets)["exact"]["right"]
            # Another BLAS rounds float32 otherwise, and a text may tip where two digits are about equally likely.
            assert abs(right - saved["seeds"][0][name]["exact"]["right"]) <= 2, (kind, name)
        if model.attends:
            found = dates.measures.digits_attended(model, params, splits.test, vocabularies)
            for field in ("year", "day"):
                share = saved["seeds"][0]["attention"][field]["digits"]["share"]
                assert found[field]["digits"]["share"] == pytest.approx(share, abs=0.002)


def test_the_saved_result_is_of_the_scripts_settings(dates):
    result = dates.machine.load_result("date_translation")
    for part, task in (("one date", dates.script.ONE_DATE), ("in a row", dates.script.IN_A_ROW)):
        saved = result[part]["settings"]
        assert {key: saved[key] for key in task.settings()} == task.settings()
        assert not {100, 101} & set(saved["seeds"])  # those were for tuning
    sources, targets = date_vocabularies()
    assert isinstance(sources, Vocabulary)
    for kind, one in result["one date"]["kinds"].items():
        assert {"Luong", "Bahdanau", "no attention"} >= {kind}
        for name in ("test", "new_formats"):
            for error in one[name]["errors of the first seed"]:
                assert set(error["source"]) <= set(sources.characters)
                assert error["got"] != error["wanted"]
                assert set(error["got"]) <= set(targets.characters)
