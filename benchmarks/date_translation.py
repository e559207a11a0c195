"""Dates into ISO form, with attention and without. `python -m benchmarks.date_translation` (about 20 minutes).

Part 1, one date: three encoder–decoders of the same sizes, after the same updates on the same batches. Curves, exact
match and BLEU on days and on formats that training never saw, by source length, the errors, beam search beside greedy
decoding, and whether the attention looks at the digit that is written.

Part 2, dates in a row ("3. Mai 2001; 12/04/98"): about the same number of parameters and the same CPU seconds each.
Trained on one to three dates, tested on one to four; beam search here too. The budget is a number of updates, so that a
run repeats: as many as fit into equal seconds on the machine where it was set. The result says how many seconds they
were.

Saves benchmarks/results/date_translation.json, which notebook 13 shows, and the parameters of the first seed of part 1,
date_translation_*.npz. `--quick` takes less than a minute and saves nothing. The committed result was put together from
two runs with these settings, which agree bit for bit in all but the seconds: those are the first run's, and what the
second measured besides was added.

Rates, sizes and budgets were chosen with seeds 100 and 101; the results are of seeds 0, 1 and 2, which draw other days,
texts and weights. Everything is float32 and runs on one thread.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks import translating
from benchmarks.date_measures import (
    SEPARATORS,
    digits_attended,
    judge_rows,
    reaches,
    right,
    row_vocabularies,
    rows,
    summary,
)
from benchmarks.machine import RESULTS, save_result
from benchmarks.translating import KINDS, Plan, Vocabularies, columns, percent, with_interval
from rnn_from_scratch.arrays import Params
from rnn_from_scratch.data import DateData, DateSplits, date_vocabularies, split_dates
from rnn_from_scratch.models import EncoderDecoder
from rnn_from_scratch.training import save_params

Texts = tuple[list[str], list[str]]  # sources and targets


class Task(NamedTuple):
    """Sizes and budgets, all that --quick changes."""

    H: dict[str, int]  # the decoder's units by kind; the encoder has half as many in each direction
    plans: dict[str, Plan]
    pairs: int  # texts to train on; in part 2 for each number of dates
    tests: int  # texts in each test; in part 2 for each number of dates
    marks: tuple[float, ...]  # when to measure on the way, as shares of the updates
    seeds: tuple[int, ...] = (0, 1, 2)
    E: int = 24
    beam_width: int = 4
    beam_tests: int = 300  # how many of the tests the beam searches: it goes one by one

    def settings(self) -> dict[str, Any]:
        plans = {kind: plan._asdict() for kind, plan in self.plans.items()}
        return {**self._asdict(), "plans": plans, "marks": list(self.marks), "seeds": list(self.seeds)}


MARKS = (*(n / 36 for n in range(1, 11)), *(n / 18 for n in range(6, 19)))  # every 100 updates, then every 200
ONE_DATE = Task(dict.fromkeys(KINDS, 64), dict.fromkeys(KINDS, Plan(3600, 0.006, 64)), 40_000, 1000, MARKS)
IN_A_ROW = Task(  # sizes that give about 40,000 parameters, updates that take about 50 s
    {"Luong": 48, "Bahdanau": 52, "no attention": 68},
    {"Luong": Plan(1150, 0.006, 64), "Bahdanau": Plan(670, 0.006, 64), "no attention": Plan(1730, 0.006, 64)},
    15_000, 300, tuple(n / 10 for n in range(1, 11)), beam_tests=100,
)  # fmt: skip
TRAINED, TESTED = (1, 2, 3), (1, 2, 3, 4)  # dates in a row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one seed, few updates; nothing is saved")
    quick = parser.parse_args().quick
    start, used = time.perf_counter(), time.process_time()
    first, params = one_date(shortened(ONE_DATE, 200) if quick else ONE_DATE, print)
    second = in_a_row(shortened(IN_A_ROW, 40) if quick else IN_A_ROW, print)
    result = {
        "about": "Seconds are CPU seconds of this process, one thread; others worked on the same cores. Intervals are "
        "Wilson's, 95 %, as if all texts were independent; those of a seed share a model.",
        "one date": first, "in a row": second,
        "seconds": {"CPU": round(time.process_time() - used), "wall": round(time.perf_counter() - start)},
    }
    print(table(result))
    if not quick:
        save_result("date_translation", result)
        for kind, trained in params.items():
            save_params(RESULTS / file_name(kind), trained)


def file_name(kind: str) -> str:
    return f"date_translation_{kind.lower().replace(' ', '_')}.npz"


def shortened(task: Task, updates: int) -> Task:
    """Return a task of one seed and few updates."""
    plans = {kind: plan._replace(updates=updates) for kind, plan in task.plans.items()}
    return task._replace(
        plans=plans, pairs=4000, tests=100, beam_tests=50, seeds=task.seeds[:1], marks=(0.25, 0.5, 0.75, 1.0)
    )


def train(
    task: Task, seed: int, vocabularies: Vocabularies, pairs: tuple[Sequence[str], Sequence[str]],
    measure: Callable[[EncoderDecoder, Params], dict[str, Any]],
) -> tuple[dict[str, EncoderDecoder], dict[str, tuple[Params, list[dict[str, Any]]]]]:
    """Train the three kinds side by side on the same stream of batches; return the models, parameters and curves."""
    models = {kind: translating.build(kind, task.H[kind], task.E, vocabularies) for kind in KINDS}
    runs, marks = {}, {}
    for kind, model in models.items():
        plan = task.plans[kind]
        params = model.init_params(rng=np.random.default_rng([seed, 2]), dtype=np.float32)
        batches = translating.epochs(*pairs, vocabularies, plan.batch_size, np.random.default_rng([seed, 3]))
        runs[kind] = (translating.training(model, params, batches, plan), plan.updates)
        marks[kind] = {round(mark * plan.updates) for mark in task.marks}
    return models, translating.side_by_side(runs, marks.__getitem__, lambda kind, p: measure(models[kind], p))


# Part 1


def one_date(task: Task, report: Callable[[str], Any]) -> tuple[dict[str, Any], dict[str, Params]]:
    """Train and measure on single dates; return the result and the first seed's parameters by kind."""
    vocabularies = date_vocabularies()
    found: dict[str, dict[str, Any]] = {kind: {"seeds": []} for kind in KINDS}
    first: dict[str, Params] = {}
    texts: dict[tuple[str, str], list[tuple[DateData, list[str]]]] = {}  # kind, set -> data and translations by seed
    for seed in task.seeds:
        splits = split_dates(rng=np.random.default_rng([seed, 1]), sizes=(task.pairs, task.tests, task.tests))
        measure = partial(on_the_way, splits=splits, vocabularies=vocabularies)
        models, trained = train(task, seed, vocabularies, splits.train[:2], measure)
        for kind, (params, points) in trained.items():
            model = models[kind]
            first.setdefault(kind, params)
            own: dict[str, Any] = {"seed": seed, "seconds": points[-1]["seconds"], "reaches": reaches(points)}
            for name in ("test", "new_formats"):
                data = getattr(splits, name)
                lines = translating.translate(model, params, data.sources, vocabularies, 12)
                texts.setdefault((kind, name), []).append((data, lines))
                few = data.sources[: task.beam_tests], data.targets[: task.beam_tests]
                beam = translating.beside_beam(model, params, *few, vocabularies, 12, task.beam_width)
                own[name] = {**translating.judge(lines, data.targets), "beam": beam}
            if model.attends:
                own["attention"] = digits_attended(model, params, splits.test, vocabularies)
                untrained = model.init_params(rng=np.random.default_rng([seed, 2]), dtype=np.float32)
                own["attention untrained"] = digits_attended(model, untrained, splits.test, vocabularies)
            own["curve"] = columns(points)
            found[kind]["parameters"] = translating.count(params)
            found[kind]["seeds"].append(own)
            shares = [with_interval(own[name]["exact"]) for name in ("test", "new_formats")]
            report(f"one date, seed {seed}, {kind}: {own['seconds']:.0f} s, days {shares[0]}, formats {shares[1]}")
    for (kind, name), by_seed in texts.items():
        found[kind][name] = summary(by_seed)
    return {
        "settings": {
            **task.settings(), "encoder": "Bidirectional of two GRUs, H/2 units each", "decoder": "a GRU, H units",
            "dtype": "float32", "data": "split_dates(rng=default_rng([seed, 1]), sizes=(pairs, tests, tests))",
        },
        "kinds": found,
    }, first


def on_the_way(
    model: EncoderDecoder, params: Params, splits: DateSplits, vocabularies: Vocabularies, most: int = 500
) -> dict[str, Any]:
    """Measure the curves' numbers on the first texts of two sets."""
    found: dict[str, Any] = {}
    for name in ("validation", "new_formats"):
        sources, targets = (texts[:most] for texts in getattr(splits, name)[:2])
        lines = translating.translate(model, params, sources, vocabularies, 12)
        found[name] = right(lines, targets) / len(targets)
        loss = translating.mean_loss(model, params, sources, targets, vocabularies)
        found[f"{name} loss"] = translating.rounded(loss)
    return found


# Part 2


def in_a_row(task: Task, report: Callable[[str], Any]) -> dict[str, Any]:
    """Train on one to three dates in a row; measure on one to four, of days that training never saw."""
    vocabularies = row_vocabularies()
    found: dict[str, dict[str, Any]] = {kind: {"seeds": []} for kind in KINDS}
    texts: dict[tuple[str, int], tuple[list[str], list[str]]] = {}  # kind, k -> translations and targets, all seeds
    lengths: dict[int, list[int]] = {k: [] for k in TESTED}
    for seed in task.seeds:
        pairs, some, tests = row_sets(task, seed)
        models, trained = train(task, seed, vocabularies, pairs, partial(row_curves, some=some))
        for k, (sources, _) in tests.items():
            lengths[k] += map(len, sources)
        for kind, (params, points) in trained.items():
            own: dict[str, Any] = {"seed": seed, "seconds": points[-1]["seconds"], "test": {}}
            for k, (sources, targets) in tests.items():
                lines = translating.translate(models[kind], params, sources, vocabularies, 11 * k + 1)
                own["test"][str(k)] = judge_rows(lines, targets, k)
                for column, more in zip(texts.setdefault((kind, k), ([], [])), (lines, targets), strict=True):
                    column.extend(more)
            own["beam"] = {}
            for k in TRAINED:
                few = [column[: task.beam_tests] for column in tests[k]]
                beam = translating.beside_beam(models[kind], params, *few, vocabularies, 11 * k + 1, task.beam_width)
                own["beam"][str(k)] = beam
            own["curve"] = columns(points)
            found[kind]["parameters"] = translating.count(params)
            found[kind]["seeds"].append(own)
            scores = ", ".join(f"{k}: {percent(one['rows']['share'])}" for k, one in own["test"].items())
            report(f"in a row, seed {seed}, {kind}: {own['seconds']:.0f} s, rows of {scores}")
    for (kind, k), (lines, targets) in texts.items():
        found[kind].setdefault("all seeds", {})[str(k)] = judge_rows(lines, targets, k)
    spans = {str(k): [min(own), round(float(np.mean(own)), 1), max(own)] for k, own in lengths.items()}
    return {
        "settings": {
            **task.settings(), "trained on": list(TRAINED), "separators": list(SEPARATORS),
            "source lengths (least, mean, most)": spans, "dtype": "float32",
        },
        "kinds": found,
    }


def row_sets(task: Task, seed: int) -> tuple[Texts, dict[int, Texts], dict[int, Texts]]:
    """Return rows of every length in TRAINED to train on, some to measure on the way and tests, by length."""
    most = max(TESTED) * task.tests
    splits = split_dates(rng=np.random.default_rng([seed, 1]), sizes=(sum(TRAINED) * task.pairs, most, most))
    sources: list[str] = []
    targets: list[str] = []
    for k in TRAINED:
        start = sum(TRAINED[: TRAINED.index(k)]) * task.pairs
        part = DateData(*(column[start : start + k * task.pairs] for column in splits.train))
        more = rows(part, k)
        sources += more[0]
        targets += more[1]
    some, tests = (
        {k: tuple(column[:number] for column in rows(data, k)) for k in lengths}
        for data, number, lengths in ((splits.validation, 100, TRAINED), (splits.test, task.tests, TESTED))
    )
    return (sources, targets), some, tests


def row_curves(model: EncoderDecoder, params: Params, some: dict[int, Texts]) -> dict[str, Any]:
    """Measure the share of whole rows that are right, by the number of dates."""
    found = {}
    for k, (sources, targets) in some.items():
        lines = translating.translate(model, params, sources, row_vocabularies(), 11 * k + 1)
        found[f"rows of {k}"] = right(lines, targets) / len(targets)
    return found


def table(result: dict[str, Any]) -> str:
    """Return both parts as text."""
    lines = ["One date: exact match in % with 95 % intervals, all seeds; greedy decoding"]
    head = "parameters", "CPU s", "all at 98 % after", "held-out days", "held-out formats", "on its digit: year", "day"
    lines.append("{:13}{:>11}{:>7}{:>19}{:>20}{:>20}{:>20}{:>7}".format("", *head))
    for kind, one in result["one date"]["kinds"].items():
        seeds = one["seeds"]
        goals = [own["reaches"] for own in seeds]
        slowest = max((goal for goal in goals if goal), key=lambda goal: goal["updates"], default=None)
        after = f"{slowest['updates']} ({slowest['seconds']:.0f} s)" if slowest and all(goals) else "not all"
        looks = [
            percent(np.mean([own["attention"][field]["digits"]["share"] for own in seeds])) if "attention" in seeds[0]
            else "–" for field in ("year", "day")
        ]
        seconds = np.mean([own["seconds"] for own in seeds])
        shares = [with_interval(one[name]["all seeds"]) for name in ("test", "new_formats")]
        lines.append(f"{kind:13}{one['parameters']:11}{seconds:7.0f}{after:>19}{shares[0]:>20}{shares[1]:>20}"
                     f"{looks[0]:>20}{looks[1]:>7}")
    lines.append("\nDates in a row (trained on 1–3): exact match in % of dates, of rows; all seeds")
    lines.append(f"{'':13}{'parameters':>11}{'CPU s':>7}" + "".join(f"{f'k = {k}':>16}" for k in TESTED))
    for kind, one in result["in a row"]["kinds"].items():
        cells = [one["all seeds"][str(k)] for k in TESTED]
        both = [f"{percent(cell['dates']['share'])}, {percent(cell['rows']['share'])}" for cell in cells]
        seconds = np.mean([own["seconds"] for own in one["seeds"]])
        lines.append(f"{kind:13}{one['parameters']:11}{seconds:7.0f}" + "".join(f"{cell:>16}" for cell in both))
    took = result["seconds"]
    lines.append(f"{took['CPU']} CPU seconds, {took['wall']} s of wall time; others used the machine.")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
