"""Both attention cells: conformance with every inner cell and score, padded memories, and what they refuse."""

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves, tree_add, tree_map
from rnn_from_scratch.attention import AdditiveAttention, MultiplicativeAttention
from rnn_from_scratch.cells import (
    BahdanauCell,
    CoupledLSTMCell,
    GRUCell,
    IndRNNCell,
    LayerNormLSTMCell,
    LowRankLSTMCell,
    LSTMCell,
    LuongCell,
    RNNCell,
)
from rnn_from_scratch.diagnosis import check_cell, check_layer
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

D, H, M = 1, 2, 3
INNER = {
    "RNN": RNNCell(D, H), "LSTM": LSTMCell(D, H), "peepholes": LSTMCell(D, H, peepholes=True), "GRU": GRUCell(D, H),
    "reset before": GRUCell(D, H, reset_after=False), "IndRNN": IndRNNCell(D, H, "tanh"),
    "low rank": LowRankLSTMCell(D, H, 1), "coupled": CoupledLSTMCell(D, H),
}
SCORES = {
    "additive": AdditiveAttention(H, M, 4), "general": MultiplicativeAttention(H, M),
    "dot": MultiplicativeAttention(H, H, "dot"),
}
KINDS = {
    "Bahdanau": BahdanauCell, "Luong": LuongCell,
    "Luong unfed": lambda cell, score: LuongCell(cell, score, input_feeding=False),
}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


@pytest.mark.parametrize(
    ("kind", "inner"),
    [*((kind, inner) for kind in ("Bahdanau", "Luong") for inner in INNER),
     *(("Luong unfed", inner) for inner in ("LSTM", "GRU", "IndRNN"))],
)
def test_conformance_with_every_inner_cell_and_score(kind, inner):
    """Each inner cell with one score, taken in turn: each kind meets every score."""
    number = list(INNER).index(inner) + list(KINDS).index(kind)
    cell = KINDS[kind](INNER[inner], list(SCORES.values())[number % 3])
    rng = np.random.default_rng(number)
    report = check_cell(cell, rng=rng, xs=rng.standard_normal((3, 2, D)))
    report.raise_if_wrong()
    assert {"memory", "memory (masked)", "xs", "state[0]"} <= {row.name for row in report.rows}
    assert report.worst < 1e-12
    assert all(note.endswith("state[0], state[0] (masked)") for note in report.notes)  # h̃_0 unless it is fed
    assert bool(report.notes) == (kind == "Luong unfed")


@pytest.mark.parametrize("kind", [BahdanauCell, LuongCell])
def test_conformance_as_a_layer(kind):
    """There also each sequence of a batch with padded inputs and memories against itself alone."""
    cell = kind(RNNCell(D, H), SCORES["additive"])
    rng = np.random.default_rng(0)
    report = check_layer(Recurrent(cell), rng=rng, xs=rng.standard_normal((4, 3, D)))
    report.raise_if_wrong()
    assert report.worst < 1e-12


# Padding, by hand

T, N, S = 4, 3, 5
INPUTS = np.array([[1, 1, 0], [1, 1, 1], [1, 0, 1], [0, 0, 1]], bool)
MEMORY = np.array([[1, 0, 1], [1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 1, 0]], bool)


def draw(cell, seed=0):
    """Return params, xs, state, dhs and dstate; the memory's padding holds NaN."""
    rng = np.random.default_rng(seed)
    params = tree_map(lambda array: rng.standard_normal(array.shape), cell.init_params(rng=rng))
    memory = np.where(MEMORY[..., None], rng.standard_normal(cell.memory_shapes(S, N)["memory"]), np.nan)
    state, dstate = (tuple(rng.standard_normal(part.shape) for part in cell.initial_state(N)) for _ in range(2))
    xs = np.where(INPUTS[..., None], rng.standard_normal((T, N, D)), np.nan)
    return {**params, "memory": memory, "memory_mask": MEMORY}, xs, state, rng.standard_normal((T, N, H)), dstate


def run(cell, params, xs, state, mask, dhs, dstate):
    hs, final, cache = Recurrent(cell).forward(params, xs, state, mask)
    dxs, dfirst, grads = Recurrent(cell).backward(params, dhs, cache, dstate)
    memory = grads.pop("memory")
    return {"hs": hs, "final": final, "dxs": dxs, "dstate": dfirst, "memory": memory}, grads


@every_kind
@pytest.mark.parametrize("score", SCORES.values(), ids=SCORES)
def test_a_padded_batch_is_each_of_its_sequences_alone(kind, score):
    cell = kind(GRUCell(D, H), score)
    params, xs, state, dhs, dstate = draw(cell)
    batch, grads = run(cell, params, xs, state, INPUTS, dhs, dstate)
    sums = tree_map(np.zeros_like, grads)
    for n in range(N):
        here, there, one = INPUTS[:, n], MEMORY[:, n], slice(n, n + 1)
        own = {name: params[name] for name in cell.param_shapes()} | {"memory": params["memory"][there, one]}
        first, last = (tuple(part[one] for part in parts) for parts in (state, dstate))
        alone, own_grads = run(cell, own, xs[here, one], first, None, dhs[here, one], last)
        expected = {
            "hs": batch["hs"][here, one], "final": tuple(part[one] for part in batch["final"]),
            "dxs": batch["dxs"][here, one], "dstate": tuple(part[one] for part in batch["dstate"]),
            "memory": batch["memory"][there, one],
        }
        for (name, got), (_, wanted) in zip(leaves(alone), leaves(expected), strict=True):
            np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-13, err_msg=name)
        assert not batch["hs"][~here, n].any()
        assert not batch["dxs"][~here, n].any()
        assert not batch["memory"][~there, n].any()
        sums = tree_add(sums, own_grads)
    for (name, got), (_, wanted) in zip(leaves(grads), leaves(sums), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-12, err_msg=name)


@every_kind
def test_without_anything_to_read_the_context_is_0(kind):
    """A memory that is all padding: what the context would have added is missing, and nothing is NaN."""
    cell = kind(GRUCell(D, H), SCORES["additive"])
    params, xs, state, dhs, dstate = draw(cell, 1)
    params["memory_mask"] = np.zeros_like(MEMORY)
    found, grads = run(cell, params, xs, state, INPUTS, dhs, dstate)
    name = "W_ch" if "W_ch" in params else "W_c"
    without = {**params, name: params[name].copy(), "memory": np.ones((S, N, M)), "memory_mask": MEMORY}
    without[name][:M] = 0.0  # the rows that the context goes through
    expected, _ = run(cell, without, xs, state, INPUTS, dhs, dstate)
    for part in ("hs", "final", "dxs", "dstate"):
        for got, wanted in zip(found[part], expected[part], strict=True):
            np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-14, err_msg=part)
    assert not found["memory"].any()
    assert not any(array.any() for array in grads["attention"].values())
    assert not grads[name][:M].any()


@every_kind
@pytest.mark.parametrize("score", SCORES.values(), ids=SCORES)
def test_float32_stays_float32(kind, score):
    cell = kind(LSTMCell(D, H), score)
    params, xs, state, dhs, dstate = draw(cell, 2)
    exact, exact_grads = run(cell, params, xs, state, INPUTS, dhs, dstate)

    def narrow(array):
        return array if array.dtype == np.bool_ else array.astype(np.float32)

    found, grads = run(cell, *tree_map(narrow, [params, xs, state, INPUTS, dhs, dstate]))
    for (name, got), (_, wanted) in zip(leaves([found, grads]), leaves([exact, exact_grads]), strict=True):
        assert got.dtype == np.float32, name
        np.testing.assert_allclose(got, wanted, rtol=2e-4, atol=2e-4, err_msg=name)
    start = cell.init_params(rng=np.random.default_rng(0), dtype=np.float32)
    assert {array.dtype for _, array in leaves([start, cell.initial_state(2, np.float32)])} == {np.dtype(np.float32)}


# Refusals: making one


def refused(call):
    with pytest.raises(ArgumentError) as caught:
        call()
    return type(caught.value), str(caught.value)


@pytest.mark.parametrize(("kind", "name"), [(BahdanauCell, "BahdanauCell"), (LuongCell, "LuongCell")])
def test_parts_that_do_not_fit_are_refused(kind, name):
    score, gru = SCORES["additive"], INNER["GRU"]
    no_cell = ("expected a cell without a memory, such as GRUCell(3, 4) because the attention stands around a cell's "
               "step.")
    for wrong in (7, Recurrent(gru), GRUCell):
        error, message = refused(lambda wrong=wrong: kind(wrong, score))
        assert (error, message) == (DtypeError, f"{name}: cell is {wrong!r:.60}, {no_cell}")
    error, message = refused(lambda: kind(kind(gru, score), score))
    assert error is DtypeError
    assert message.startswith(f"{name}: cell is {name}(cell=GRUCell(")
    assert message.endswith(no_cell)

    error, message = refused(lambda: kind(LayerNormLSTMCell(D, H), score))
    assert (error, message) == (ArgumentError, (
        f"{name}: cell is {LayerNormLSTMCell(D, H)!r:.60}, expected a cell whose delta is ∂L/∂x_proj, such as RNNCell, "
        "LSTMCell, GRUCell because the context is added to x_proj, so its gradient must be known."
    ))
    for wrong in ("dot", gru, MultiplicativeAttention):
        error, message = refused(lambda wrong=wrong: kind(gru, wrong))
        assert (error, message) == (DtypeError, (
            f"{name}: attention is {wrong!r:.60}, expected AdditiveAttention(…) or MultiplicativeAttention(…)."
        ))
    error, message = refused(lambda: kind(gru, AdditiveAttention(3, M, 4)))
    assert (error, message) == (ArgumentError, (
        f"{name}: attention.query_size is 3, expected 2 because the query is the cell's h, of hidden_size."
    ))


def test_input_feeding_is_yes_or_no():
    _, message = refused(lambda: LuongCell(INNER["RNN"], SCORES["dot"], 1))
    assert message == "LuongCell: input_feeding is 1, expected one of True, False."


# Refusals: the memory

CELL = BahdanauCell(RNNCell(D, H), SCORES["general"])
PARAMS, XS, STATE, DHS, _ = draw(CELL)
WHOLE = np.nan_to_num(PARAMS["memory"])
HOLE = WHOLE.copy()
HOLE[1, 2, 0] = np.nan
HINT = f"This layer's cell is {CELL}."
ATTENDED = "because xs has 3 sequences and the attention reads 3 numbers."
REFUSED = {
    "missing": ({"memory": None}, ArgumentError,
                "params lacks 'memory', expected {**params, \"memory\": an array (S, N, ·)} because the attention "
                f"reads it: an encoder's outputs, say. {HINT}"),
    "one sequence": ({"memory": WHOLE[:, 0]}, ShapeError,
                     f"params['memory'] has shape (5, 3), expected (S, 3, 3) {ATTENDED}"),
    "another N": ({"memory": WHOLE[:, :2]}, ShapeError,
                  f"params['memory'] has shape (5, 2, 3), expected (S, 3, 3) {ATTENDED}"),
    "one for all": ({"memory": WHOLE[:, :1]}, ShapeError,
                    f"params['memory'] has shape (5, 1, 3), expected (S, 3, 3) {ATTENDED}"),
    "another M": ({"memory": WHOLE[..., :2]}, ShapeError,
                  f"params['memory'] has shape (5, 3, 2), expected (S, 3, 3) {ATTENDED}"),
    "S = 0": ({"memory": WHOLE[:0], "memory_mask": None}, ShapeError,
              "params['memory'] has shape (0, 3, 3), expected (S, 3, 3) with S ≥ 1 because with no steps of the memory "
              "there is nothing to compute. A memory that a sequence does not have is padding in its mask."),
    "nan": ({"memory": HOLE}, ArgumentError,
            "params['memory'][1, 2, 0] is nan (1 of 45 entries are not finite), expected finite numbers because one "
            "NaN spreads to every parameter in a single update. Fill missing values first, or mark them as padding"),
    "list": ({"memory": WHOLE.tolist()}, DtypeError, "params['memory'] is a list, expected a NumPy array because"),
    "float32": ({"memory": WHOLE.astype(np.float32)}, DtypeError,
                "params.memory is float32 beside params.cell.W_xh of float64, expected one dtype throughout because"),
    "mask of one": ({"memory_mask": MEMORY[:, 0]}, ShapeError,
                    'params["memory_mask"] has shape (5,), expected (5, 3) because it has one entry per time step and'),
    "mask turned": ({"memory_mask": MEMORY.T}, ShapeError, 'params["memory_mask"] has shape (3, 5), expected (5, 3)'),
    "mask of ints": ({"memory_mask": MEMORY.astype(int)}, DtypeError,
                     'params["memory_mask"] has dtype int64, expected a boolean array because 0 and 1 would index'),
    "extra": ({"keys": WHOLE}, ArgumentError, "params has the keys ['W_ch', 'attention', 'cell', 'keys'], expected"),
    "inside": ({"cell": {"W_xh": PARAMS["cell"]["W_xh"]}}, ArgumentError,
               f"params['cell'] has the keys ['W_xh'], expected ['W_hh', 'W_xh', 'b_h'] because each parameter has its "
               f"name in the equations. {HINT}"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_a_memory_that_does_not_fit_is_refused(case, direction):
    change, error, message = REFUSED[case]
    params = {name: value for name, value in {**PARAMS, **change}.items() if value is not None}
    layer = Recurrent(CELL)
    _, _, cache = layer.forward(PARAMS, XS, STATE, INPUTS)
    with pytest.raises(error) as caught:
        _ = layer.forward(params, XS, STATE, INPUTS) if direction == "forward" else layer.backward(params, DHS, cache)
    assert str(caught.value).startswith(f"Recurrent.{direction}: {message}")


def test_a_cell_without_a_memory_takes_none():
    layer = Recurrent(RNNCell(D, H))
    with pytest.raises(ArgumentError, match=r"params has the keys \['W_hh', 'W_xh', 'b_h', 'memory'\], expected"):
        layer.forward({**PARAMS["cell"], "memory": WHOLE}, XS, STATE, INPUTS)
    assert layer.memory_shapes(S, N) == {}
    assert Recurrent(CELL).memory_shapes(S, N) == {"memory": (S, N, M)}


def test_params_that_are_no_dictionary():
    with pytest.raises(DtypeError, match=r"^Recurrent\.forward: params is a list, expected a dictionary of arrays\."):
        Recurrent(CELL).forward(list(PARAMS.values()), XS, STATE, INPUTS)
