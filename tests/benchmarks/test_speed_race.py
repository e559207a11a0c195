"""The arithmetic of a measurement, with clocks that move only as they are told."""

import pytest

from benchmarks.speed import timing


class Clock:
    """A clock that stands still but for the sides, which move it by what they are said to take."""

    def __init__(self):
        self.now = 0.0
        self.ran = []

    def __call__(self):
        return self.now

    def side(self, name, seconds):
        def call():
            self.ran.append(name)
            self.now += seconds(len(self.ran)) if callable(seconds) else seconds

        return call


def test_the_median_of_paired_ratios_is_not_moved_by_what_slows_both():
    clock = Clock()
    slow = {"factor": 1.0}  # ten in every third round, for both
    rested = []

    def rest():
        rested.append(clock.now)
        slow["factor"] = 10.0 if (len(rested) - 1) // 2 % 3 == 0 else 1.0

    ours = clock.side("ours", lambda _: 0.3 * slow["factor"])
    theirs = clock.side("theirs", lambda _: 0.6 * slow["factor"])
    found = timing.race(ours, {"theirs": theirs}, rounds=9, seconds=1.0, clock=clock, rest=rest)
    assert found.ratio == pytest.approx(0.5)
    assert found.ours == pytest.approx(0.3)
    assert found.theirs == pytest.approx({"theirs": 0.6})
    assert found.quartiles["theirs"] == pytest.approx((0.5, 0.5))
    assert found.rounds == 9
    assert len(rested) == 18  # before each sample, and never inside one


def test_a_round_with_an_outlier_does_not_count_and_the_order_turns():
    clock = Clock()
    late = iter([*[1.0] * 4, 50.0, *[1.0] * 100])  # two calls before the race, then the third round's
    found = timing.race(
        clock.side("a", lambda _: next(late)), {"b": clock.side("b", 2.0)}, rounds=5, seconds=0.0, clock=clock
    )
    assert found.ratio == pytest.approx(0.5)
    assert clock.ran[4:] == ["a", "b", "b", "a", "a", "b", "b", "a", "a", "b"]


def test_short_calls_are_put_together_and_long_enough_is_measured():
    clock = Clock()
    found = timing.race(clock.side("a", 0.001), {"b": clock.side("b", 0.005)}, rounds=3, seconds=2.0, clock=clock)
    assert found.ratio == pytest.approx(0.2)
    assert found.rounds in (20, 21)  # two samples of 0.05 s each round: 2 s, but for rounding
    assert clock.ran.count("a") == 4 + 50 * found.rounds


def test_the_quickest_of_the_others_counts():
    clock = Clock()
    found = timing.race(
        clock.side("a", 1.0), {"slow": clock.side("b", 4.0), "quick": clock.side("c", 2.0)},
        rounds=3, seconds=0.0, clock=clock,
    )  # fmt: skip
    assert (found.against, found.ratio) == ("quick", pytest.approx(0.5))
    assert found.ratios == pytest.approx({"slow": 0.25, "quick": 0.5})


def test_mean_and_worst():
    assert timing.geometric_mean([0.5, 2.0]) == pytest.approx(1.0)
    assert timing.geometric_mean([0.1, 0.1, 0.8]) == pytest.approx(0.2)
    assert timing.worst([0.5, 1.1, 0.2]) == 1.1
    assert timing.quartiles([1.0]) == (1.0, 1.0)
    assert timing.quartiles([1.0, 2.0, 3.0, 4.0, 5.0]) == (2.0, 4.0)
