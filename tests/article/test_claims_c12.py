"""Claim C12: the texts, a network made by hand whose inside is known, the verdict, the saved result."""

import json
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.article.claims import c12
from rnn_from_scratch.validate import ArgumentError

RESULT = Path(__file__).parents[2] / "benchmarks" / "results" / "claim_c12.json"
RNG = np.random.default_rng(0)
FIT, TEST = (c12.asides(rng=RNG, T=40, N=40) for _ in range(2))


def by_hand():
    """Unit 0 is whether a bracket is open; 1 to 3 the letter just read, 4 to 6 the one before; 7 to 9 copies of unit 0.

    Only unit 0 is read, and the copies feed nothing.
    """
    H = c12.HIDDEN
    W_xh, W_hh, W_hy = np.zeros((5, H)), np.zeros((H, H)), np.zeros((H, 5))
    W_xh[3, 0], W_xh[4, 0], W_hh[0, 0] = 6.0, -6.0, 3.0
    W_xh[[0, 1, 2], [1, 2, 3]] = 1.0
    W_hh[[1, 2, 3], [4, 5, 6]] = 1.0
    W_hh[0, 7:10] = 2.0
    W_hy[0, 3:] = -1.0, 1.0
    b_h = np.append(-0.5, np.zeros(H - 1))  # down, as long as there was no bracket at all
    recurrent = {"W_xh": W_xh, "W_hh": W_hh, "b_h": b_h}
    return {"recurrent": recurrent, "output": {"W_hy": W_hy, "b_y": np.zeros(5)}}


def test_brackets_come_in_turn_and_letters_at_random():
    text = c12.asides(rng=np.random.default_rng(1), T=400, N=50)
    for signs, inside in zip(text.signs.T, text.open.T, strict=True):
        brackets = signs[signs > 2]
        assert (brackets == np.resize([3, 4], len(brackets))).all()
        is_open = 0
        for sign, found in zip(signs, inside, strict=True):
            is_open = {3: 1, 4: 0}.get(sign, is_open)
            assert found == is_open
    assert abs((text.signs > 2).mean() - 0.15) < 0.01
    np.testing.assert_allclose([(text.signs == k).mean() for k in range(3)], 0.85 / 3, atol=0.01)


def test_the_lowest_loss_is_the_entropy_of_a_sign():
    p = np.array([0.15, 0.85 / 3, 0.85 / 3, 0.85 / 3])
    assert c12.lowest_loss() == pytest.approx(-(p * np.log(p)).sum(), rel=1e-12)


def test_states_are_those_after_two_letters():
    hs = np.arange(40 * 40.0).reshape(40, 40, 1)
    found = c12.states_of(hs, FIT)
    t, n = np.divmod(found.hs[:, 0].astype(int), 40)
    assert t.min() == c12.FIRST
    assert (FIT.signs[t, n] < 3).all()
    np.testing.assert_array_equal(found.letter, FIT.signs[t - 1, n])
    assert set(found.letter) == {0, 1, 2}
    np.testing.assert_array_equal(found.open, FIT.open[t, n])


def test_a_network_made_by_hand_shows_both_and_uses_one():
    params = by_hand()
    assert c12.right_brackets(params, c12.run_text("RNN", params, TEST), TEST) == 1.0
    needed, idle = (c12.remove("RNN", params, variable, FIT, TEST) for variable in ("open", "letter"))
    assert (needed["read"], idle["read"]) == (1.0, 1.0)
    assert abs(needed["right"] - 0.5) < 0.1
    assert idle["right"] == 1.0
    assert abs(idle["same"] - 1 / 3) < 0.1
    assert (needed["directions"], idle["directions"]) == (1, 2)


def test_the_letters_directions_hold_nothing_of_the_bracket():
    """With two thirds of one letter's states inside brackets and a third of the others', as chance would have it."""
    rng = np.random.default_rng(0)
    letter = rng.integers(0, 3, 3000)
    inside = (rng.uniform(size=3000) < np.where(letter == 1, 0.67, 0.33)).astype(int)
    shown = np.eye(3)[letter] * (1.0 + inside[:, None])  # twice as loud inside brackets: 1.5 on average
    hs = np.concatenate([10.0 * inside[:, None], shown, 0.1 * rng.standard_normal((3000, 2))], axis=1)
    states = c12.States(hs, inside, letter)
    found = c12.directions_of("letter", states)
    np.testing.assert_allclose(found[:, :4], [[0, -1.5, 1.5, 0], [0, -1.5, 0, 1.5]], atol=1e-12)
    assert abs(c12.directions_of("open", states)[0, 0]) == pytest.approx(10.0)


def test_brackets_count_after_letters_from_the_tenth_step_on():
    params = by_hand()
    hs = c12.run_text("RNN", params, TEST)
    counted = TEST.signs < 3
    counted[: c12.FIRST] = False
    hs[~counted] *= -1  # wrong wherever it does not count
    assert c12.right_brackets(params, hs, TEST) == 1.0
    hs[-1] *= -1
    wrong = (TEST.signs[-1] < 3).sum()
    assert c12.right_brackets(params, hs, TEST) == pytest.approx(1 - wrong / counted.sum())


def test_the_same_probe_is_asked_again_and_a_new_one(monkeypatch):
    asked, fitted = [], []
    fit, reads = c12.fit_probe, c12.reads

    def fit_probe(variable, states):
        fitted.append(fit(variable, states))
        return fitted[-1]

    def reading(probe, variable, states):
        asked.append(next(k for k, one in enumerate(fitted) if one is probe))
        return reads(probe, variable, states)

    monkeypatch.setattr(c12, "fit_probe", fit_probe)
    monkeypatch.setattr(c12, "reads", reading)
    c12.remove("RNN", by_hand(), "letter", FIT, TEST)
    assert asked == [0, 0, 1]  # read, same, again
    assert not np.allclose(fitted[0].W, fitted[1].W)


def test_units_that_show_and_units_that_are_used():
    found = c12.units("RNN", by_hand(), FIT, TEST)
    shown, drop = np.array(found["shown"]), np.array(found["drop"])
    assert (shown[[0, 7, 8, 9]] > 0.9).all()
    assert (shown[1:7] < 0.1).all()
    assert drop[0] > 0.4
    assert not drop[1:].any()


def test_random_directions_are_as_many():
    found = c12.remove_random("RNN", by_hand(), 2, FIT, TEST, rng=np.random.default_rng(0))
    assert 0.5 < found <= 1.0
    assert c12.remove_random("RNN", by_hand(), 23, FIT, TEST, rng=np.random.default_rng(0)) < 0.9


def test_ranks_share():
    np.testing.assert_array_equal(c12._ranks(np.array([5.0, 1.0, 5.0, 9.0, 1.0, 1.0])), [3.5, 1, 3.5, 5, 1, 1])


def test_names_are_checked():
    with pytest.raises(ArgumentError, match="claim C12: name is 'GRU', expected one of 'RNN', 'LSTM'"):
        c12.model_of("GRU")


def made_up(open_read, untrained, letter_read, open_right, letter_right):
    """A result of four seeds, a little apart."""
    def rows(seed, read, before, right):
        return {"read": read, "untrained": before, "same": 0.4, "again": 0.8, "right": right + 0.01 * seed}
    units = {"shown": [0.95, 0.99, 0.1], "drop": [0.0, 0.3, 0.0]}
    return {"cells": {"RNN": [
        {"right": 1.0, "units": units, "removed": {
            "open": rows(seed, open_read, untrained + 0.01 * seed, open_right),
            "letter": rows(0, letter_read - 0.001 * seed, 0.9, letter_right),
        }} for seed in range(4)
    ]}}


@pytest.mark.parametrize(("numbers", "words"), [
    ((1.0, 0.7, 0.95, 0.5, 1.0), ["put there: holds. ", "explains the output: does not hold; shown is not used. ",
                                  "open at 100.0% (untrained 71.5%, guessing 50 %)", "takes 48.5 points (",
                                  "the other 0.0 (0.0 to 0.0)", "Of 8 units", " 4 can be clamped"]),
    ((0.72, 0.7, 0.95, 0.5, 1.0), ["put there: does not hold. "]),  # 0.5 points more on average, which may be chance
    ((1.0, 0.7, 0.95, 0.5, 0.8), ["explains the output: holds. "]),
    ((1.0, 0.7, 0.334, 0.5, 1.0), ["explains the output: holds. "]),
])
def test_verdict(numbers, words):
    for word in words:
        assert word in c12.verdict(made_up(*numbers))


def test_rank_correlation_of_showing_and_use():
    assert c12.showing_units(made_up(1.0, 0.7, 0.95, 0.5, 1.0), "RNN") == (8, 4, pytest.approx(np.sqrt(3) / 2))


def test_a_short_run_has_what_the_long_one_has():
    lines = []
    found = c12.run(seeds=(0, 1), names=("RNN",), updates=15, report=lines.append)
    saved = json.loads(RESULT.read_text(encoding="utf-8"))
    row, other = found["cells"]["RNN"][0], saved["cells"]["RNN"][0]
    assert len(lines) == 2
    assert row.keys() == other.keys()
    assert row["removed"]["open"].keys() == other["removed"]["open"].keys()
    for variable in c12.CHANCE:  # before training, so that it needs none
        assert row["removed"][variable]["untrained"] == pytest.approx(other["removed"][variable]["untrained"], abs=0.01)


def test_saved_result_is_what_the_code_says():
    found = json.loads(RESULT.read_text(encoding="utf-8"))
    assert found["verdict"] == c12.verdict(found)
    assert found["seeds"] == list(range(8))
    assert found["updates"] == c12.UPDATES
    for rows in found["cells"].values():
        assert max(row["loss"] for row in rows) < found["lowest_loss"] + 0.02
        assert min(row["right"] for row in rows) == 1.0
        for row in rows:
            assert row["removed"]["letter"]["read"] > 0.85
            assert row["removed"]["letter"]["right"] == 1.0
            assert row["removed"]["open"]["right"] < 0.75
            assert len(row["units"]["drop"]) == found["hidden"]
