"""Notebook 12's suspects are what it says they are: one right, each other wrong in one known way."""

import numpy as np
import pytest

from rnn_from_scratch.cells import GRUCell
from rnn_from_scratch.course.gate_riddles import GRUS, LSTMS, PUZZLES, loop_of, lstm_with, unmasked, wrong_gates_back
from rnn_from_scratch.course.nb12 import _ANSWERS, _SHOWS
from rnn_from_scratch.diagnosis import diagnose
from rnn_from_scratch.diagnosis.probe import random_params

D, H, K = 7, 6, 4


def point(T):
    rng = np.random.default_rng(3)
    shapes = {"W_xh": (D, 4 * H), "W_hh": (H, 4 * H), "b_h": (4 * H,), "W_hy": (H, K), "b_y": (K,)}
    params = random_params({name: np.empty(shape) for name, shape in shapes.items()}, rng)
    state = (rng.standard_normal((2, H)), rng.standard_normal((2, H)))
    return params, rng.standard_normal((T, 2, D)), rng.integers(0, K, (T, 2)), state


def right_gates(suspect, T):
    """The gates whose block of b_h's gradient is the right suspect's."""
    both = (np.split(f(*point(T))[1]["b_h"], 4) for f in (suspect, LSTMS["C"]))
    return "".join(gate for gate, a, n in zip("ifgo", *both, strict=True) if np.allclose(a, n, rtol=1e-9, atol=1e-12))


def test_one_suspect_is_right_and_so_is_an_lstm_with_the_right_step():
    for suspect in (LSTMS["C"], lstm_with(wrong_gates_back())):
        found = diagnose(suspect, "lstm")
        assert found.ok, str(found)


@pytest.mark.parametrize("letter", "ABDEF")
def test_losses_of_the_wrong_ones_are_right_and_their_gradients_are_not(letter):
    losses, grads = LSTMS[letter](*point(3))
    right, right_grads = LSTMS["C"](*point(3))
    np.testing.assert_allclose(losses, right, rtol=1e-12)
    for name in ("W_hy", "b_y"):
        np.testing.assert_allclose(grads[name], right_grads[name], rtol=1e-9, atol=1e-12)
    assert not np.allclose(grads["W_xh"], right_grads["W_xh"], rtol=1e-3)


@pytest.mark.parametrize(
    ("letter", "one", "two"),
    [("A", "igo", ""), ("B", "ifgo", "o"), ("D", "ifgo", "o"), ("E", "go", ""), ("F", "ifgo", "")],
)
def test_each_suspect_makes_the_pattern_that_the_notebook_reads(letter, one, two):
    assert [right_gates(LSTMS[letter], T) for T in (1, 2, 3)] == [one, two, ""]


@pytest.mark.parametrize("letter", "PQRS")
def test_each_puzzle_makes_the_pattern_of_its_answer(letter):
    patterns = {"dh_prev": ("ifgo", ""), "dc_here": ("o", ""), "dc_prev": ("ifgo", "o"), "delta_o": ("ifg", "")}
    assert tuple(right_gates(PUZZLES[letter], T) for T in (1, 2)) == patterns[_ANSWERS[letter]]


def test_every_line_of_the_first_exercise_shows_what_its_check_says():
    assert set(_ANSWERS.values()) <= set(_SHOWS)
    assert right_gates(lstm_with(wrong_gates_back(["g factor"])), 1) == "ifo"
    assert right_gates(lstm_with(wrong_gates_back(["no squash"])), 1) == "o"
    assert right_gates(lstm_with(wrong_gates_back(["no f"])), 2) == "o"


def test_what_a_suspects_riddle_shows_does_not_tell():
    for letter in "ABDEFGH":
        loop = loop_of(letter)
        assert loop.startswith("for t in ")
        assert unmasked(letter).line_wrong.split("\n")[-1].split("  #")[0] in loop
        assert "#" not in loop


def test_the_grus_are_not_right():
    for suspect in GRUS.values():
        assert not diagnose(suspect, GRUCell(17, 6, reset_after=False)).ok
