"""The museum as a visitor meets it: riddles that tell nothing, exhibits that behave as their labels say."""

from __future__ import annotations

import ast
import dataclasses
import io
import json
import re
import tokenize
from functools import cache

import numpy as np
import pytest

from rnn_from_scratch.cells import GRUCell
from rnn_from_scratch.diagnosis.museum import EXHIBITS, catalogue, entries, riddle, show, summary
from rnn_from_scratch.diagnosis.museum.checking import common_factor
from rnn_from_scratch.diagnosis.museum.riddles import reference_of
from rnn_from_scratch.gradcheck import check_gradients
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


# Every exhibit


@cache
def shown(name):
    """One of them at work, once for all tests: with scope="module" below, those of one exhibit follow one another."""
    return show(name)


# A sample: those of the vanilla cell, and some of the gated ones, whose diagnosis takes seconds. All of them with five
# seeds are the work of benchmarks/diagnosing.py, whose saved result tests/benchmarks/test_diagnosing.py holds.
SHOWN = [name for name in NAMES if EXHIBITS[name].reference == "rnn"] + [
    "biases_of_the_forget_gate", "carry_never_updated", "zeros_never_filled", "gradients_never_reset",
    "output_weights_of_one_step", "gate_blocks_exchanged",
]  # fmt: skip
each = pytest.mark.parametrize("name", SHOWN, scope="module")


@each
def test_every_exhibit_is_refused_named_first_and_mended(name):
    found = shown(name)
    assert found.surprises == ()
    assert found.ok
    assert found.diagnosis.suspects[0].kind == EXHIBITS[name].kind
    assert not found.refused.ok
    assert found.accepted.ok
    assert found.accepted.worst < 1e-7
    assert found.cleared.ok
    assert found.call == (2 if name == "gradients_never_reset" else 1)
    assert [row.name for row in found.refused.rows] == [row.name for row in found.accepted.rows]


@each
def test_the_check_refuses_what_the_label_names_and_nothing_else(name):
    refused, where = set(shown(name).wrong), EXHIBITS[name].where
    named = {array for array in ("W_xh", "W_hh", "b_h", "W_hy", "b_y", "xs", "h0") if array in where}
    if "every array" in where or "every gradient" in where:
        named = {"W_xh", "W_hh", "b_h", "W_hy", "b_y"}
    if name == "output_of_the_state_before":
        named -= {"b_y"}  # "Against its own losses every array but b_y is wrong", says the label
    assert refused == named


@each
def test_a_page_tells_the_label_and_all_four_steps(name):
    page, exhibit = str(shown(name)), EXHIBITS[name]
    flat = " ".join(page.split())
    for text in (exhibit.title, exhibit.provenance, exhibit.source, exhibit.confirmed, exhibit.wrong_for, exhibit.what,
                 exhibit.where, exhibit.missed_by):
        assert " ".join(text.split()) in flat
    perhaps = "" if shown(name).diagnosis.suspects[0].certain else "perhaps "
    headings = ["A gradient check refuses it", f"diagnose names it: {perhaps}{exhibit.kind}", "Mended",
                "The mended one passes, and diagnose finds nothing wrong"]
    places = [page.index(f"\n{heading}\n{'-' * len(heading)}\n") for heading in headings]
    assert places == sorted(places)
    first, named, mended, last = (page[a:b] for a, b in zip(places, [*places[1:], None], strict=True))
    assert str(shown(name).refused) in first
    assert f"1. {exhibit.kind}" in named
    for line in exhibit.line_wrong.splitlines():
        assert re.search(rf"^    [- ] {re.escape(line)}$", mended, re.MULTILINE)
    for line in exhibit.line_right.splitlines():
        assert re.search(rf"^    [+ ] {re.escape(line)}$", mended, re.MULTILINE)
    gone, come = ([line[6:] for line in mended.splitlines() if line.startswith(f"    {sign} ")] for sign in "-+")
    assert gone
    assert come
    assert not set(gone) & set(come) or name == "overwritten_too_early"  # there two lines change places
    assert str(shown(name).accepted) in last
    assert "Nothing is wrong" in last
    assert page.endswith("\n\nAs told: refused, named, mended.")
    long = [line for line in page.splitlines() if len(line) > 100 and not line.startswith("    ")]
    assert not long, "what is indented is code, or was wrapped by diagnose"


def test_a_row_tells_the_same_in_one_line():
    row = shown("whh_not_transposed").row()
    told = ["whh_not_transposed", "W_xh W_hh b_h", "recurrent-matrix", "recurrent-matrix", "as told"]
    assert re.split(" {2,}", row) == told
    few = [shown(name) for name in NAMES[:3]]  # that every one is as told: see above
    assert summary(few) == "3 exhibits: each refused, named first, and mended"


def test_an_object_is_json_and_has_the_same():
    found = json.loads(json.dumps(shown("cell_carry_left_out").as_object()))
    assert found["kind"] == found["named"][0] == "cell-carry-dropped"
    assert found["refused"] == ["W_xh", "W_hh", "b_h"]
    assert found["title"] == "An LSTM without its carousel"
    assert (found["accepted"], found["cleared"], found["ok"], found["surprises"]) == (True, True, True, [])


# Single exhibits, in figures


def test_the_lines_that_go_stand_before_those_that_come():
    assert """
    - grads["bi"] += delta_f.sum(axis=1, keepdims=True)
    - grads["bo"] += delta_f.sum(axis=1, keepdims=True)
    + grads["bi"] += delta_i.sum(axis=1, keepdims=True)
    + grads["bo"] += delta_o.sum(axis=1, keepdims=True)

""" in str(shown("biases_of_the_forget_gate"))
    assert """
    + dc_prev = dc_prev * f + through * f * dh_prev
      dh_prev = sum(p["W" + k][:, : len(h)].T @ d[k] for k in GATES)
    - dc_prev = dc_prev * f + through * f * dh_prev

""" in str(shown("overwritten_too_early"))


def test_a_name_that_is_not_certain_is_told_as_such():
    found = shown("whh_not_transposed")
    first, *others = found.diagnosis.suspects
    doubtful = dataclasses.replace(first, certain=False)
    diagnosis = dataclasses.replace(found.diagnosis, suspects=(doubtful, *others))
    assert "\ndiagnose names it: recurrent-matrix\n" in str(found)
    assert "\ndiagnose names it: perhaps recurrent-matrix\n" in str(dataclasses.replace(found, diagnosis=diagnosis))


def test_a_second_call_is_shown_as_twice_the_first():
    found = shown("gradients_never_reset")
    for row in found.refused.rows:
        assert np.allclose(row.gradient, 2 * row.measured, rtol=1e-6, atol=1e-8)
    page = str(found)
    assert "What a first call returns passes. This is what a second call returns" in " ".join(page.split())
    assert "\nEvery wrong entry is 2 times its numeric value.\n" in page


def test_what_was_shown_before_changes_nothing():
    """The exhibit keeps its gradients between calls; a page does not depend on who looked at it before."""
    assert str(show("gradients_never_reset")) == str(shown("gradients_never_reset"))


def test_the_losses_of_an_exhibit_are_its_own():
    """Where the losses are wrong, the check is one against these, and says by how much the gradient is off."""
    assert "\nEvery wrong entry is 7 times its numeric value.\n" in str(shown("mean_over_classes"))
    row = shown("output_of_the_state_before").refused["b_y"]
    assert row.ok
    assert np.abs(row.gradient).max() > 0.1


def test_the_arrays_beyond_the_parameters_are_checked_where_they_are_returned():
    assert shown("upstream_changed_in_place").wrong == ("xs", "h0")
    assert [row.name for row in shown("inputs_of_their_own_step").refused.rows][-1] == "xs"
    assert len(shown("whh_not_transposed").refused.rows) == 5


@pytest.mark.parametrize(("gradient", "expected"), [
    ({"a": [3.0, 6.0], "b": [9.0]}, 3.0), ({"a": [3.0, 6.0], "b": [6.0]}, None), ({"a": [3.0, 5.0], "b": [9.0]}, None),
    ({"a": [0.0, 0.0], "b": [0.0]}, None), ({"a": [1.0, 2.0], "b": [-6.0]}, -2.0),
    ({"a": [1.0, 2.0], "b": [3.0]}, None),
])
def test_a_factor_common_to_what_is_wrong(gradient, expected):
    tree = {"a": np.zeros(2), "b": np.zeros(1)}
    grads = {name: np.array(values) for name, values in gradient.items()}
    report = check_gradients(lambda t: t["a"] @ [1.0, 2.0] + 3.0 * t["b"][0], tree, grads, method="central")
    found = common_factor(report)
    assert found is None if expected is None else abs(found - expected) < 1e-8


# Exhibits that do not behave


def swapped(name):
    exhibit = EXHIBITS[name]
    return dataclasses.replace(exhibit, wrong=exhibit.right, right=exhibit.wrong)


def test_an_exhibit_whose_functions_are_exchanged_is_not_as_told():
    found = show(swapped("negative_index"))
    assert not found.ok
    assert found.named == "nothing"
    assert found.surprises == (
        "the check does not refuse the wrong one", "diagnose names nothing where the label has wrong-time-index",
        "the check does not pass the right one", "diagnose finds something wrong with the right one",
    )
    page = " ".join(str(found).split())
    for words in (
        "A gradient check DOES NOT REFUSE it", "THE EXHIBIT'S LABEL HAS ANOTHER NAME: wrong-time-index.",
        "The mended one DOES NOT PASS, and diagnose STILL FINDS SOMETHING",
        f"NOT AS TOLD: {'; '.join(found.surprises)}.",
    ):
        assert words in page
    assert "As told" not in page
    assert "NOT AS TOLD: the check does not refuse the wrong one; " in found.row()
    assert summary([found, show("negative_index")]) == "2 exhibits: 1 NOT AS TOLD"


def test_each_surprise_is_told_alone():
    label = dataclasses.replace(EXHIBITS["clipped_inside"], kind="sign")
    assert show(label).surprises == ("diagnose names clipped where the label has sign",)
    never_mended = dataclasses.replace(EXHIBITS["clipped_inside"], right=EXHIBITS["clipped_inside"].wrong)
    assert show(never_mended).surprises == (
        "the check does not pass the right one", "diagnose finds something wrong with the right one")


# Seeds, lists


def test_the_seed_draws_the_points():
    pages = [str(show("clipped_inside", seed)) for seed in (0, 0, 3)]
    assert pages[0] == pages[1] != pages[2]
    assert "; seed 3." in pages[2]


@pytest.mark.parametrize("seed", [-1, 1.5, True, "0"])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ArgumentError, match=r"museum: seed is .*, expected a whole number of at least 0"):
        show("whh", seed)


def test_a_page_in_a_notebook_is_the_page():
    found = show("whh")
    assert "<pre>W_hh δ where W_hhᵀ δ is meant\n=====" in found._repr_html_()
    assert "p[&quot;Whh&quot;].T @ temp" in found._repr_html_()


def test_the_catalogue_has_every_exhibit_in_the_museum_s_order():
    header, *rows = catalogue().split("\n\n")[0].splitlines()
    assert header.split() == ["name", "reference", "kind", "title"]
    assert [row.split(maxsplit=3) for row in rows] == [
        [one.name, one.reference, one.kind, one.title] for one in EXHIBITS.values()]
    assert [list(entry.values()) for entry in entries()] == [row.split(maxsplit=3) for row in rows]
