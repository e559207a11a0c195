"""minGRU and minLSTM give PyTorch's values and every gradient, step by step and by their kernels (make_min.py)."""

from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.bptt import unroll, unroll_backward, without_padding
from rnn_from_scratch.cells import MinGRUCell, MinLSTMCell
from rnn_from_scratch.fused import KERNELS

with np.load(Path(__file__).parents[1] / "reference" / "min.npz") as saved:
    VALUES = {name: saved[name] for name in saved.files if not name.startswith("version/")}
NAMES = sorted({name.split("/")[0] for name in VALUES})


def test_the_reference_holds_what_it_should():
    cases = ("", ", long", ", one", ", padded")
    assert [f"{kind}{case}" for kind in ("minGRU", "minLSTM") for case in cases] == NAMES
    assert not VALUES["minLSTM, padded/mask"].all()
    assert all(np.abs(array).max() > 0.01 for array in VALUES.values())


def stepwise(cell, params, xs, state, mask, dhs, dfinal):
    hs, final, caches = unroll(cell, params, xs, state, mask)
    dstates, deltas = unroll_backward(cell, params, dhs, caches, dfinal, mask)
    return hs, final, *cell.param_grads(params, without_padding(xs, mask), caches, deltas), dstates[0]


def fused(cell, params, xs, state, mask, dhs, dfinal):
    kernel = KERNELS[type(cell)]
    hs, final, saved = kernel.forward(cell, params, without_padding(xs, mask), state, mask, keep=True)
    dxs, dstate, grads = kernel.backward(cell, params, dhs, saved, dfinal, input_grad=True)
    return hs, final, dxs, grads, dstate


@pytest.mark.parametrize("engine", [stepwise, fused])
@pytest.mark.parametrize("name", NAMES)
def test_values_and_every_gradient(name, engine):
    ref = {key.split("/")[1]: array for key, array in VALUES.items() if key.split("/")[0] == name}
    kind = MinGRUCell if name.startswith("minGRU") else MinLSTMCell
    cell = kind(ref["xs"].shape[2], ref["h0"].shape[1])
    params = {key: ref[key] for key in cell.param_shapes()}
    mask = None if ref["mask"].all() else ref["mask"]
    hs, (final,), dxs, grads, (dh0,) = engine(
        cell, params, ref["xs"], (ref["h0"],), mask, ref["dhs"], (ref["dfinal"],))
    ours = {"hs": hs, "final": final, "grad xs": dxs, "grad h0": dh0, **{f"grad {key}": grads[key] for key in grads}}
    assert set(ours) == {key for key in ref if key.startswith(("grad", "final", "hs"))}
    for key, array in ours.items():
        np.testing.assert_allclose(array, ref[key], rtol=0, atol=1e-12, err_msg=key)
