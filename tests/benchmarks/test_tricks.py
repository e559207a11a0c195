"""The script of the ladder: its table, its check before it times, and what it refuses to save."""

import sys

import pytest

from benchmarks import tricks
from rnn_from_scratch.article.claims import c2_times, c4_ladder


@pytest.fixture
def tiny(monkeypatch):
    """Small sizes, and no time spent on samples."""
    monkeypatch.setattr(c2_times, "SAMPLE", 0.0)
    monkeypatch.setattr(c4_ladder, "SIZES", {"small": (1, 3, 2, 3), "large": (2, 4, 3, 5)})
    monkeypatch.setattr(tricks.os, "sched_setaffinity", lambda *_: None, raising=False)
    saved = {}
    monkeypatch.setattr(tricks, "save_result", lambda name, result: saved.update({name: result}))
    return saved


def test_a_quick_run_prints_a_row_a_rung_and_saves_nothing(tiny, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["tricks", "--quick"])
    tricks.main()
    told = capsys.readouterr().out
    assert all(f"\n{rung}" in told for rung in c4_ladder.LADDER)
    assert "large" not in told
    assert tiny == {}


def test_rungs_that_differ_are_not_timed(tiny, monkeypatch):
    def wrong(params, xs, dhs):
        found = c4_ladder.c4_rows.textbook(params, xs, dhs)
        return found._replace(dxs=found.dxs * (1 + 1e-9))

    monkeypatch.setattr(c4_ladder, "LADDER", {**c4_ladder.LADDER, "one tanh for all gates": wrong})
    monkeypatch.setattr(c4_ladder, "climb", lambda *_, **__: pytest.fail("timed all the same"))
    monkeypatch.setattr(sys, "argv", ["tricks"])
    with pytest.raises(SystemExit, match="do not compute the same"):
        tricks.main()
    assert tiny == {}
