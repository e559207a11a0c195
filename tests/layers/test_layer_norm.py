"""LayerNorm as a layer: conformance, PyTorch's values, and every refusal with its message."""

from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.diagnosis import check_layer
from rnn_from_scratch.layers import LayerNorm
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

LAYER = LayerNorm(4)
with np.load(Path(__file__).parents[1] / "reference" / "layers.npz") as saved:  # tests/reference/make_layers.py
    VALUES = {name: saved[name] for name in saved.files}
NAMES = sorted({name.split("/")[0] for name in VALUES} - {"embedding", "version"})


def draw(seed=0, leading=(5, 2)):
    rng = np.random.default_rng(seed)
    params = {"gain": rng.standard_normal(4), "bias": rng.standard_normal(4)}
    return params, rng.standard_normal((*leading, 4)), rng.standard_normal((*leading, 4))


def test_the_reference_holds_what_it_should():
    assert NAMES == ["batch", "equal row", "far", "large epsilon", "sequence", "small", "two units"]
    assert str(VALUES["version/torch"]).startswith("2.13.0")
    assert np.ptp(VALUES["equal row/xs"][1, 0]) == 0.0
    assert VALUES["large epsilon/epsilon"] == 0.25


@pytest.mark.parametrize("name", NAMES)
def test_pytorchs_values_and_every_gradient(name):
    ref = {key.split("/")[1]: array for key, array in VALUES.items() if key.split("/")[0] == name}
    layer = LayerNorm(ref["xs"].shape[-1], float(ref["epsilon"]))
    params = {"gain": ref["gain"], "bias": ref["bias"]}
    ys, cache = layer.forward(params, ref["xs"])
    dxs, grads = layer.backward(params, ref["dys"], cache)
    ours = {"ys": ys, "grad xs": dxs, **{f"grad {key}": grads[key] for key in grads}}
    for key, array in ours.items():
        size = max(1.0, float(np.abs(ref[key]).max()))  # the equal row's gradient is divided by √ε
        np.testing.assert_allclose(array, ref[key], rtol=0, atol=1e-12 * size, err_msg=key)


@pytest.mark.parametrize("layer", [LAYER, LayerNorm(2), LayerNorm(7, 0.1)], ids=str)
def test_conformance(layer):
    report = check_layer(layer, rng=np.random.default_rng(0))
    report.raise_if_wrong()
    assert {row.name for row in report.rows} >= {"gain", "bias", "xs"}
    assert report.worst < 1e-12


def test_no_row_hears_of_another():
    """Neither of another sequence nor of another time step: a longer or larger batch changes nothing."""
    params, xs, dys = draw(1)
    ys, cache = LAYER.forward(params, xs)
    dxs, _ = LAYER.backward(params, dys, cache)
    for t, n in np.ndindex(5, 2):
        alone, own = LAYER.forward(params, xs[t, n])
        assert np.array_equal(alone, ys[t, n])
        np.testing.assert_allclose(LAYER.backward(params, dys[t, n], own)[0], dxs[t, n], rtol=0, atol=1e-15)


def test_training_is_inference():
    params, xs, _ = draw(2)
    assert np.array_equal(LAYER.forward(params, xs, rng=np.random.default_rng(0))[0], LAYER.forward(params, xs)[0])


def test_float32_stays_float32():
    params, xs, dys = draw(3)
    single = {name: array.astype(np.float32) for name, array in params.items()}
    layer = LayerNorm(4, np.float64(1e-5))
    ys, cache = layer.forward(single, xs.astype(np.float32))
    dxs, grads = layer.backward(single, dys.astype(np.float32), cache)
    exact, exact_cache = layer.forward(params, xs)
    exact_dxs, exact_grads = layer.backward(params, dys, exact_cache)
    for got, expected in ((ys, exact), (dxs, exact_dxs), *((grads[name], exact_grads[name]) for name in grads)):
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-5)


def test_the_smallest_epsilon_still_guards_float32():
    layer = LayerNorm(3, 1e-30)
    params = layer.init_params(rng=np.random.default_rng(0), dtype=np.float32)
    ys, cache = layer.forward(params, np.full((2, 3), 2.0, np.float32))
    assert ys.tolist() == [[0.0] * 3] * 2
    assert (cache.deviation > 0).all()


def test_start_and_sizes():
    params = LAYER.init_params(rng=np.random.default_rng(0))
    assert {name: array.tolist() for name, array in params.items()} == {"gain": [1.0] * 4, "bias": [0.0] * 4}
    single = LAYER.init_params(rng=np.random.default_rng(0), dtype=np.float32)
    assert {array.dtype for array in single.values()} == {np.dtype(np.float32)}
    assert LAYER.param_shapes() == {"gain": (4,), "bias": (4,)}
    assert (LAYER.input_size, LAYER.output_size) == (4, 4)


PARAMS, XS, DYS = draw(4)
NAN = XS.copy()
NAN[4, 1, 2] = np.nan
REFUSED = {
    "size": (PARAMS, np.zeros((5, 2, 3)), ShapeError, "xs has shape (5, 2, 3), expected (T, N, 4) because size=4."),
    "no steps": (PARAMS, np.zeros((0, 2, 4)), ShapeError, "xs has shape (0, 2, 4), expected (T, N, 4) with T ≥ 1"),
    "integers": (PARAMS, XS.astype(int), DtypeError, "xs has dtype int64, expected float64 (or float32) because"),
    "nan": (PARAMS, NAN, ArgumentError, "xs[4, 1, 2] is nan (1 of 40 entries are not finite), expected finite"),
    "mixed": (PARAMS, XS.astype(np.float32), DtypeError,
              "xs is float32 beside params.gain of float64, expected one dtype throughout because"),
    "missing": ({"gain": PARAMS["gain"]}, XS, ArgumentError,
                "params has the keys ['gain'], expected ['bias', 'gain'] because each parameter has its name in the "
                "equations. This layer is LayerNorm(size=4, epsilon=1e-05)."),
    "gain by row": ({**PARAMS, "gain": np.ones((5, 1))}, XS, ShapeError,
                    "params['gain'] has shape (5, 1), expected (4,). This layer is LayerNorm("),
}


@pytest.mark.parametrize("case", REFUSED)
def test_forward_refuses(case):
    params, xs, error, message = REFUSED[case]
    with pytest.raises(error) as caught:
        LAYER.forward(params, xs)
    assert str(caught.value).startswith(f"LayerNorm.forward: {message}")


REFUSED_BACK = {
    "shape": (np.zeros((5, 1, 4)), ShapeError,
              "dys has shape (5, 1, 4), expected (5, 2, 4) because it is the gradient of the layer's output."),
    "mixed": (DYS.astype(np.float32), DtypeError, "dys is float32 beside params.gain of float64, expected one dtype"),
    "nan": (DYS * np.nan, ArgumentError, "dys[0, 0, 0] is nan (40 of 40 entries are not finite), expected finite "
            "numbers because one NaN spreads to every parameter in a single update. Did the loss diverge?"),
}


@pytest.mark.parametrize("case", REFUSED_BACK)
def test_backward_refuses(case):
    dys, error, message = REFUSED_BACK[case]
    _, cache = LAYER.forward(PARAMS, XS)
    with pytest.raises(error) as caught:
        LAYER.backward(PARAMS, dys, cache)
    assert str(caught.value).startswith(f"LayerNorm.backward: {message}")


def test_backward_refuses_another_layers_cache():
    with pytest.raises(DtypeError, match=r"^LayerNorm\.backward: cache is a tuple, expected the LayerNormCache that"):
        LAYER.backward(PARAMS, DYS, (XS, XS))


def test_one_number_cannot_be_normalised():
    with pytest.raises(ArgumentError, match=r"^LayerNorm: size is 1, expected at least 2 because one number is its own "
                                            r"mean: every input would become 0 .* Leave the layer out\.$"):
        LayerNorm(1)


@pytest.mark.parametrize("value", [0, -2, 2.0, True])
def test_the_size_is_a_whole_number(value):
    with pytest.raises(ArgumentError, match=rf"^LayerNorm: size is {value!r}, expected a whole number of at least 1"):
        LayerNorm(value)


@pytest.mark.parametrize("value", [0, -1e-5, 1e-50, np.nan, "small", True])
def test_epsilon_is_above_0(value):
    with pytest.raises(ArgumentError, match=r"^LayerNorm: epsilon is .*, expected a finite number at least 1e-30 "
                                            r"because a row of equal numbers has variance 0"):
        LayerNorm(4, value)


def test_a_seed_is_no_generator():
    with pytest.raises(DtypeError, match=r"^LayerNorm\.init_params: rng is 7, expected a numpy\.random\.Generator"):
        LAYER.init_params(rng=7)
    with pytest.raises(DtypeError, match=r"^LayerNorm\.init_params: dtype is int64, expected float64 or float32"):
        LAYER.init_params(rng=np.random.default_rng(0), dtype=int)
