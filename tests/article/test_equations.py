"""Every id of the article has its equation, code, notebook section and check; and every check can fail."""

import json
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.article import EQUATIONS, IDS, verify
from rnn_from_scratch.article.proofs import clip
from rnn_from_scratch.cells import RNNCell
from rnn_from_scratch.cli import main
from rnn_from_scratch.diagnosis.faults import FAULTS
from rnn_from_scratch.gradcheck.numerical import METHODS
from rnn_from_scratch.optim import clipping
from rnn_from_scratch.validate import ArgumentError

# The ids of article/ARTICLE.md.
ARTICLE_IDS = ["E2.1a", "E2.1b", "E2.2", "E2.3", "E2.4a", "E2.4b", "E2.5", "E-CE", "E-MSE", "E-BPTT", "E-LSTM", "E-GRU",
               "E-ATT", "Q5"]
SOURCES = Path(__file__).parents[2] / "notebooks" / "solutions"

# What each fault must break, and nothing that it does not touch (E-CE and E-MSE never see the cell).
BROKEN = {
    "carry-dropped": {"∂L/∂W_hh", "∂L/∂W_xh", "∂L/∂b_h", "∂L/∂x_t", "∂L/∂h_0"},
    "recurrent-matrix": {"∂L/∂W_hh", "∂L/∂W_xh", "∂L/∂b_h", "∂L/∂x_t", "∂L/∂h_0"},
    "activation-derivative": {"∂L/∂W_hh", "∂L/∂W_xh", "∂L/∂b_h", "∂L/∂x_t", "∂L/∂h_0"},
    "wrong-time-index": {"∂L/∂W_hh"},
    "scale": {"∂L/∂W_hh", "∂L/∂W_xh", "∂L/∂b_h", "∂L/∂x_t"},
    "sign": {"∂L/∂W_hh", "∂L/∂W_xh", "∂L/∂b_h", "∂L/∂x_t", "∂L/∂h_0"},
    "last-step-only": {"∂L/∂W_hh", "∂L/∂W_xh", "∂L/∂b_h"},
    "transposed": {"∂L/∂W_hh"},
}


def test_every_id_has_an_entry():
    assert set(ARTICLE_IDS) <= set(IDS)


@pytest.mark.parametrize("equation", EQUATIONS, ids=lambda equation: f"{equation.id} {equation.code}")
def test_every_entry_names_code_that_exists_and_a_notebook_section(equation):
    assert callable(equation.implementation)
    source = SOURCES / f"{equation.notebook}.ipynb"
    cells = json.loads(source.read_text(encoding="utf-8"))["cells"]
    headings = [
        line
        for cell in cells
        if cell["cell_type"] == "markdown"
        for line in "".join(cell["source"]).splitlines()
        if line.startswith("#")
    ]
    assert any(equation.id in line for line in headings), f"{source.name} has no heading with {equation.id}"


def test_every_row_is_proven_and_told_as_json(capsys):  # seed 0, as a table: tests/test_cli.py
    assert main(["verify", "--json", "--seed", "1"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 34
    assert {row["id"] for row in rows} == set(IDS)
    for row in rows:
        assert {"id", "equation", "code", "central", "complex", "ok"} <= set(row)
        assert row["ok"] is True, row
        if row["central"] is not None:
            assert row["central"] < 1e-7
            assert row["complex"] < 1e-12
    claims_a_gradient = {row["id"] for row in rows if row["central"] is not None}
    assert claims_a_gradient == set(IDS) - {"E2.2", "E2.5", "Q5"}


@pytest.mark.parametrize("seed", [11, 30, 58])
def test_no_point_lies_at_relus_kink(seed):
    """With these seeds a point as first drawn is so near that Richardson's wide step crosses the kink."""
    (row,) = verify(["E2.1a"], METHODS, seed)
    assert row.ok, row
    assert row.errors["richardson"] < 1e-8


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_backward_fails_where_it_should_and_nowhere_else(fault, same_forward):
    rows = verify(["E2.1b", "E2.3", "E-CE", "E-MSE", "E-BPTT"], ["complex"], cell_type=FAULTS[fault])
    failed = {row.equation.split(" = ")[0] for row in rows if row.id == "E-BPTT" and not row.ok}
    assert failed == BROKEN[fault]
    by_id = {row.id: row.ok for row in rows}
    assert not by_id["E2.3"]
    assert by_id["E-CE"]
    assert by_id["E-MSE"]
    assert by_id["E2.1b"]


def test_a_wrong_backward_fails_the_windows_too():
    assert not any(row.ok for row in verify(["E2.4"], ["complex"], cell_type=FAULTS["carry-dropped"]))


def test_the_wrong_cells_compute_the_right_forward():
    rng = np.random.default_rng(0)
    for kind in FAULTS.values():
        wrong, right = kind(3, 4), RNNCell(3, 4)
        params = right.init_params(rng=rng)
        x_proj, state = rng.standard_normal((2, 4)), (rng.standard_normal((2, 4)),)
        assert np.array_equal(wrong.step(params, x_proj, state)[0][0], right.step(params, x_proj, state)[0][0])


@pytest.mark.parametrize("name", ["clip_as_printed", "clip_by_value", "clip_by_norm", "clip_by_global_norm"])
def test_a_wrong_clip_fails_its_row(name, monkeypatch):
    """Each clip replaced by another one, or by nothing at all, is found."""
    from rnn_from_scratch.article.points import Context

    context = Context(np.random.default_rng(0), ("complex",), RNNCell)
    assert clip(name)(context).ok
    others = ["clip_as_printed", "clip_as_printed_by_norm", "clip_by_value", "clip_by_norm", "clip_by_global_norm"]
    functions = {other: getattr(clipping, other) for other in others}
    for other in [*others, None]:
        if other != name:
            nothing = lambda g, C: (g, clipping.global_norm(g))  # noqa: E731
            monkeypatch.setattr(clipping, name, functions.get(other, nothing))
            assert not clip(name)(context).ok, f"{other} passed for {name}"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ids": ["E9"]}, "verify: ID is 'E9', expected one of 'E2.1a'"),
        ({"methods": ["guess"]}, "verify: method is 'guess', expected one of 'forward'"),
        ({"seed": -1}, "verify: seed is -1, expected a whole number of at least 0"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ArgumentError) as caught:
        verify(**arguments)
    assert str(caught.value).startswith(message)


def test_part_of_the_rows_is_the_same_as_in_the_whole():
    more = verify(["E2.1b", "E2.3", "E2.4", "E-CE", "E-MSE"], ["complex"])
    whole = {(row.id, row.equation): row for row in more}
    part = verify(["E2.4", "E-CE"], ["complex"])
    assert {row.id for row in part} == {"E2.4", "E2.4a", "E2.4b", "E-CE"}
    for row in part:
        assert row == whole[row.id, row.equation]
