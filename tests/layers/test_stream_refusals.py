"""What a stream refuses, in words, and that its state is then as it was before."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.cells import GRUCell, LSTMCell
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

_spec = importlib.util.spec_from_file_location("sequences", Path(__file__).parents[1] / "sequences.py")
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
Sequence, same, worst = _module.Sequence, _module.same, _module.worst

H = 4
two_engines = pytest.mark.parametrize("engine", ["fused", "stepwise"])


def made(kind=GRUCell, engine="fused"):
    """Return a sequence, its layer, and a stream from its state."""
    sequence = Sequence(kind(3, H), 6, 2, np.random.default_rng(0))
    layer = Recurrent(sequence.cell, engine)
    return sequence, layer, layer.stream(sequence.params, 2, sequence.state)


X = np.ones((2, 3))
LOCKED = np.empty((2, H))
LOCKED.flags.writeable = False
REFUSED = {
    "one sequence": (X[0], None, ShapeError,
                     "x has shape (3,), expected (2, 3) because batch_size is 2 and input_size 3. For a single "
                     "sequence use x[None, :]."),
    "another batch": (np.ones((4, 3)), None, ShapeError, "x has shape (4, 3), expected (2, 3) because batch_size is 2"),
    "a sequence": (np.ones((1, 2, 3)), None, ShapeError, "x has shape (1, 2, 3), expected (2, 3) because batch_size"),
    "float32": (X.astype(np.float32), None, DtypeError,
                "x is float32 beside params.W_xh of float64, expected one dtype throughout"),
    "complex": (X + 0j, None, DtypeError, "x has dtype complex128, expected float64"),
    "list": (X.tolist(), None, DtypeError, "x is a list, expected a NumPy array because nothing is converted silently"),
    "number": (1.0, None, DtypeError, "x is a float, expected a NumPy array"),
    "nothing": (None, None, DtypeError, "x is a NoneType, expected a NumPy array"),
    "NaN": (np.where([[0, 0, 1], [0, 0, 0]], np.nan, X), None, ArgumentError,
            "x[0, 2] is nan (1 of 6 entries are not finite), expected finite numbers because one NaN spreads to every "
            "parameter in a single update. The state is as it was before."),
    "infinity": (X * np.inf, None, ArgumentError, "x[0, 0] is inf (6 of 6 entries are not finite)"),
    "integers in two axes": (X.astype(int), None, DtypeError, "x has dtype int64, expected float64 (or float32)"),
    "bools": (np.array([True, False]), None, DtypeError, "x has dtype bool, expected float64 (or float32)"),
    "floats as indices": (np.array([0.0, 1.0]), None, ShapeError, "x has shape (2,), expected (2, 3)"),
    "too few indices": (np.array([0]), None, ShapeError, "x has shape (1,), expected (2,) because batch_size is 2"),
    "an index too large": (np.array([0, 3]), None, ArgumentError, "x[1] is 3, expected 0 … 2 because input_size=3"),
    "a negative index": (np.array([-1, 0]), None, ArgumentError, "x[0] is -1, expected 0 … 2 because input_size=3"),
    "masked": (np.ma.masked_array(X, X > 0), None, DtypeError, "x is a MaskedArray, expected a plain NumPy array"),
    "out of another shape": (X, np.empty((H, 2)), ShapeError, "out has shape (4, 2), expected (2, 4) because h is"),
    "out of float32": (X, np.empty((2, H), np.float32), DtypeError, "out has dtype float32, expected float64."),
    "out of complex numbers": (X, np.empty((2, H), complex), DtypeError, "out has dtype complex128, expected float64."),
    "out a list": (X, [[0.0] * H] * 2, DtypeError, "out is a list, expected a NumPy array"),
    "out read-only": (X, LOCKED, ArgumentError, "out is read-only, expected an array to write to because h is written"),
}


@pytest.mark.parametrize("case", REFUSED)
@two_engines
def test_refused_in_words_and_the_state_is_as_before(engine, case):
    x, out, error, message = REFUSED[case]
    sequence, layer, stream = made(engine=engine)
    stream(sequence.xs[0])
    before = stream.state
    other = layer.stream(sequence.params, 2, before)
    with pytest.raises(error, match=f"^Stream: {re.escape(message)}"):
        stream(x, out)
    same(stream.state, before)
    assert worst(stream(sequence.xs[1]), other(sequence.xs[1]))[0] <= 1e-12


def test_a_memory_map_is_an_array(tmp_path):
    sequence, layer, stream = made()
    mapped = np.memmap(tmp_path / "x", np.float64, "w+", shape=(2, 3))
    mapped[...] = sequence.xs[0]
    np.testing.assert_array_equal(stream(mapped), layer.stream(sequence.params, 2, sequence.state)(sequence.xs[0]))
    mapped[0, 0] = np.nan
    with pytest.raises(ArgumentError, match=r"Stream: x\[0, 0\] is nan"):
        stream(mapped)


@two_engines
def test_making_and_resetting_refuse(engine):
    sequence, layer, stream = made(LSTMCell, engine)
    state, params, where = sequence.state, sequence.params, "Recurrent.stream"
    single = state[0].astype(np.float32)
    for arguments, message in (
        ((params, 0), f"{where}: batch_size is 0, expected a whole number of at least 1"),
        ((params, True), f"{where}: batch_size is True, expected a whole number"),
        ((params, 1.5), f"{where}: batch_size is 1.5, expected a whole number"),
        (({}, 2), f"{where}: params has the keys []"),
        (({**params, "W_xh": params["W_xh"] + 0j}, 2), f"{where}: params.W_xh has dtype complex128, expected"),
        ((params, 3, state), f"{where}: state[0] has shape (2, 4), expected (3, 4)"),
        ((params, 2, state[:1]), f"{where}: state is a tuple of 1, expected a tuple of 2 arrays"),
        ((params, 2, (single, single)), f"{where}: state[0] is float32 beside params.W_xh of float64"),
        ((params, 2, (state[0] + 1j, state[1])), f"{where}: state[0] has dtype complex128, expected"),
    ):
        with pytest.raises(ArgumentError, match=f"^{re.escape(message)}"):
            layer.stream(*arguments)
    stream(sequence.xs[0])
    before = stream.state
    for wrong, message in (
        (state[0], "state is of type ndarray, expected a tuple of 2 arrays"),
        ((state[0][:1], state[1]), "state[0] has shape (1, 4), expected (2, 4)"),
        ((single, single), "state[0] is float32 beside params.W_xh of float64"),
        ((state[0] * np.nan, state[1]), "state[0][0, 0] is nan"),
        ((state[0] + 1j, state[1]), "state[0] has dtype complex128, expected float64"),
    ):
        with pytest.raises(ArgumentError, match=f"^Stream.reset: {re.escape(message)}"):
            stream.reset(wrong)
        same(stream.state, before)
