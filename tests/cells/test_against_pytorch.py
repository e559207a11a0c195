"""The cells with fewer weights give PyTorch's values and every gradient (tests/reference/make_compact.py)."""

from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.cells import CoupledLSTMCell, LowRankLSTMCell, LowRankRNNCell
from rnn_from_scratch.layers import Recurrent

with np.load(Path(__file__).parents[1] / "reference" / "compact.npz") as saved:
    VALUES = {name: saved[name] for name in saved.files if not name.startswith("version/")}
CELLS = {
    "low-rank rnn": LowRankRNNCell(2, 5, 3), "low-rank rnn, one": LowRankRNNCell(3, 4, 1),
    "low-rank lstm": LowRankLSTMCell(2, 5, 3),
    "coupled lstm": CoupledLSTMCell(2, 5), "coupled lstm, long": CoupledLSTMCell(3, 4),
}


def test_the_reference_holds_what_it_should():
    assert {name.split("/")[0] for name in VALUES} == set(CELLS)
    assert all(np.abs(array).max() > 0.01 for array in VALUES.values())


@pytest.mark.parametrize("name", CELLS)
def test_values_and_every_gradient(name):
    ref = {key.split("/")[1]: array for key, array in VALUES.items() if key.split("/")[0] == name}
    cell = CELLS[name]
    layer, parts = Recurrent(cell, engine="stepwise"), len(cell.initial_state(1))
    params = {key: ref[key] for key in cell.param_shapes()}
    state, dfinal = (tuple(ref[f"{key}{n}"] for n in range(parts)) for key in ("state", "dfinal"))
    hs, final, cache = layer.forward(params, ref["xs"], state)
    dxs, dstate, grads = layer.backward(params, ref["dhs"], cache, dfinal)
    ours = {"hs": hs, "grad xs": dxs, **{f"grad {key}": array for key, array in grads.items()}}
    for n in range(parts):
        ours |= {f"final{n}": final[n], f"grad state{n}": dstate[n]}
    theirs = {key: array for key, array in ref.items() if key.startswith(("grad", "final", "hs"))}
    assert set(ours) == set(theirs)
    for key, array in theirs.items():
        np.testing.assert_allclose(ours[key], array, rtol=0, atol=1e-12, err_msg=key)
