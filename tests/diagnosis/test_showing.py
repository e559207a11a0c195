"""The museum as a visitor meets it: riddles that tell nothing, exhibits that behave as their labels say."""

from __future__ import annotations

import ast
import io
import re
import tokenize

import numpy as np
import pytest

from rnn_from_scratch.cells import GRUCell
from rnn_from_scratch.diagnosis.museum import EXHIBITS, riddle
from rnn_from_scratch.diagnosis.museum.riddles import reference_of
from rnn_from_scratch.validate import ArgumentError

NAMES = list(EXHIBITS)


def point(reference, seed=0, T=5, N=3, D=4, H=2, K=7):
    """Return (params, xs, targets, state), random, all sizes different."""
    rng = np.random.default_rng(seed)
    blocks = {"rnn": 1, "lstm": 4, "gru-before": 3}[reference]
    shapes = {"W_xh": (D, blocks * H), "W_hh": (H, blocks * H), "b_h": (blocks * H,), "W_hy": (H, K), "b_y": (K,)}
    params = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    state = tuple(rng.standard_normal((N, H)) for _ in range(1 + (reference == "lstm")))
    return params, rng.standard_normal((T, N, D)), rng.integers(K, size=(T, N)), state


# Riddles


def program(source):
    """Run a riddle and return what it defines."""
    defined = {}
    exec(compile(source, "riddle", "exec"), defined)
    return defined


@pytest.mark.parametrize("name", NAMES)
def test_a_riddle_is_the_wrong_program_and_runs_as_it_stands(name):
    arguments = point(EXHIBITS[name].reference, D=6)  # sizes at which no other test of this exhibit has called it
    losses, grads = program(riddle(name).source)["loss_and_grads"](*arguments)
    expected_losses, expected = EXHIBITS[name].wrong(*arguments)
    assert np.array_equal(losses, expected_losses)
    assert set(grads) == set(expected)
    assert all(np.array_equal(grads[array], expected[array]) for array in grads)


@pytest.mark.parametrize("name", NAMES)
def test_a_riddle_tells_nothing(name):
    source, exhibit = riddle(name).source, EXHIBITS[name]
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    assert not [token.string for token in tokens if token.type == tokenize.COMMENT]
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    kept = {node.name: ast.get_docstring(node) for node in functions if ast.get_docstring(node)}
    assert set(kept) == {"loss_and_grads"}
    cell = {"rnn": "a vanilla network", "lstm": "an LSTM", "gru-before": "a GRU"}[exhibit.reference]
    assert kept["loss_and_grads"].startswith(f"Losses and gradients of {cell}")
    words = (name, "wrong", "right", exhibit.kind, exhibit.title)
    assert not [word for word in words if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", source)]
    assert max(map(len, source.splitlines())) <= 120
    lines = [line.strip() for line in source.splitlines()]
    for line in exhibit.line_wrong.splitlines():
        shown = line.partition("  #")[0]
        assert shown.startswith("#") or shown in lines, "the fault itself is there"


def test_a_riddle_s_reference_is_what_diagnose_takes():
    assert {riddle(name).reference for name in NAMES} == {"rnn", "lstm", GRUCell(17, 6, reset_after=False)}
    assert all(riddle(name).reference == reference_of(EXHIBITS[name]) for name in NAMES)


def test_a_riddle_keeps_its_layout():
    """Not a program printed anew from its syntax tree: blank lines, line breaks and quotes stand as they were."""
    source = str(riddle("gate_blocks_exchanged"))
    assert source == riddle("gate_blocks_exchanged").source
    assert '        grads["W_hh"] += np.hstack([h_prev.T @ delta_r, (r * h_prev).T @ delta_n, h_prev' in source
    assert "        delta_r = dproduct * h_prev * r * (1 - r)\n        grads[" in source, "no line where a comment was"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("whh_transposed", "Did you mean 'whh_not_transposed'? `python -m rnn_from_scratch museum` lists all"),
        ("zzz", "expected the name of an exhibit. `python -m rnn_from_scratch museum` lists all"),
        ("", "expected the name of an exhibit. "),
        ("inputs", "one of those that begin so: inputs_of_their_own_step, inputs_of_the_last_step."),
        (3, "riddle: name is 3, expected a string."),
    ],
)
def test_an_unknown_name_is_told_the_nearest(name, message):
    with pytest.raises(ArgumentError) as caught:
        riddle(name)
    assert message in str(caught.value)


def test_a_prefix_of_one_name_alone_is_enough():
    assert riddle("whh") == riddle("whh_not_transposed")
