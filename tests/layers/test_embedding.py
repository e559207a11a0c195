"""Embedding: rows read and summed back, indices that repeat, and every refusal with its message."""

from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.data import one_hot
from rnn_from_scratch.gradcheck import check_gradients
from rnn_from_scratch.layers import Dense, Embedding
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

V, E = 5, 3
LAYER = Embedding(V, E)
INTEGERS = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64, np.dtype(">i4")]


def draw(seed=0, leading=(6, 2)):
    """Twelve indices out of four rows: they repeat, and row 4 is never read."""
    rng = np.random.default_rng(seed)
    indices = rng.integers(0, V - 1, leading)
    return {"W_embed": rng.standard_normal((V, E))}, indices, rng.standard_normal((*leading, E))


def by_hand(indices, dys):
    dW = np.zeros((V, E))
    for place in np.ndindex(*indices.shape):
        for e in range(E):
            dW[indices[place], e] += dys[place][e]
    return dW


@pytest.mark.parametrize("leading", [(6, 2), (4,), (), (3, 2, 2)])
def test_values_and_gradient_entry_by_entry_on_any_leading_axes(leading):
    params, indices, dys = draw(1, leading)
    indices = np.asarray(indices)  # () gives a NumPy scalar
    ys, cache = LAYER.forward(params, indices)
    assert ys.shape == (*leading, E)
    for place in np.ndindex(*leading):
        assert ys[place].tolist() == params["W_embed"][int(indices[place])].tolist()
    dxs, grads = LAYER.backward(params, dys, cache)
    assert dxs is None
    np.testing.assert_allclose(grads["W_embed"], by_hand(indices, dys), rtol=0, atol=1e-14)


def test_an_index_that_comes_twice_counts_twice():
    """The classic mistakes: fancy += and = keep the last of equal indices alone."""
    params, _, dys = draw(2)
    indices = np.array([[0, 1], [1, 1], [2, 0], [1, 3], [0, 3], [1, 2]])
    added, last = np.zeros((V, E)), np.zeros((V, E))
    added[indices] += dys
    last[indices] = dys
    _, grads = LAYER.backward(params, dys, LAYER.forward(params, indices)[1])
    dW = grads["W_embed"]
    np.testing.assert_allclose(dW, by_hand(indices, dys), rtol=0, atol=1e-14)
    assert np.array_equal(added, last)
    for wrong in (added, last):
        assert (np.abs(wrong - dW)[:4] > 1e-3).any(axis=1).all()
        report = check_gradients(
            lambda at: (dys * LAYER.forward(at, indices)[0]).sum(), params, {"W_embed": wrong}, "complex")
        assert not report.ok
    once = np.array([3, 0, 2])  # without repetitions they look right
    added = np.zeros((V, E))
    added[once] += dys[0, :1]
    _, grads = LAYER.backward(params, np.repeat(dys[0, :1], 3, axis=0), LAYER.forward(params, once)[1])
    assert np.array_equal(added, grads["W_embed"])


def test_a_thousand_times_the_same_index():
    params, _, _ = draw(3)
    indices = np.full((500, 2), 2)
    _, grads = LAYER.backward(params, np.ones((500, 2, E)), LAYER.forward(params, indices)[1])
    assert grads["W_embed"].tolist() == [[0.0] * E, [0.0] * E, [1000.0] * E, [0.0] * E, [0.0] * E]


@pytest.mark.parametrize("method", ["complex", "central"])
@pytest.mark.parametrize("leading", [(6, 2), (4,)])
def test_gradient(leading, method):
    params, indices, dys = draw(4, leading)
    _, grads = LAYER.backward(params, dys, LAYER.forward(params, indices)[1])
    report = check_gradients(lambda at: (dys * LAYER.forward(at, indices)[0]).sum(), params, grads, method)
    report.raise_if_wrong()
    assert report.worst < {"complex": 1e-12, "central": 1e-7}[method]


def test_it_is_the_product_with_one_hot_rows():
    params, indices, dys = draw(5)
    dense, weights = Dense(V, E), {"W_hy": params["W_embed"], "b_y": np.zeros(E)}
    expected, dense_cache = dense.forward(weights, one_hot(indices, V))
    ys, cache = LAYER.forward(params, indices)
    np.testing.assert_allclose(ys, expected, rtol=0, atol=1e-15)
    _, grads = dense.backward(weights, dys, dense_cache)
    np.testing.assert_allclose(
        LAYER.backward(params, dys, cache)[1]["W_embed"], grads["W_hy"], rtol=0, atol=1e-14)


def test_pytorchs_values():
    with np.load(Path(__file__).parents[1] / "reference" / "layers.npz") as saved:  # tests/reference/make_layers.py
        ref = {name.split("/")[1]: saved[name] for name in saved.files if name.startswith("embedding/")}
    layer, params = Embedding(5, 2), {"W_embed": ref["W_embed"]}
    ys, cache = layer.forward(params, ref["indices"])
    assert np.array_equal(ys, ref["ys"])
    _, grads = layer.backward(params, ref["dys"], cache)
    np.testing.assert_allclose(grads["W_embed"], ref["grad W_embed"], rtol=0, atol=1e-13)
    assert not grads["W_embed"][4].any()


@pytest.mark.parametrize("dtype", INTEGERS, ids=str)
def test_any_integer_dtype_even_where_its_numbers_end_early(dtype):
    """Index 100 times 3 columns is more than an int8 can hold."""
    layer = Embedding(101, E)
    params = layer.init_params(rng=np.random.default_rng(0))
    indices = np.array([[100, 7], [0, 100]], dtype)
    ys, cache = layer.forward(params, indices)
    assert np.array_equal(ys[0, 0], params["W_embed"][100])
    dys = np.random.default_rng(1).standard_normal((2, 2, E))
    _, grads = layer.backward(params, dys, cache)
    expected = np.zeros((101, E))
    expected[[0, 7, 100]] = dys[1, 0], dys[0, 1], dys[0, 0] + dys[1, 1]
    assert np.array_equal(grads["W_embed"], expected)


def test_the_cache_is_a_copy():
    params, indices, dys = draw(6)
    _, cache = LAYER.forward(params, indices)
    expected = by_hand(indices, dys)
    indices[...] = 0
    np.testing.assert_allclose(LAYER.backward(params, dys, cache)[1]["W_embed"], expected, rtol=0, atol=1e-14)


def test_float32_stays_float32():
    params, indices, dys = draw(7)
    single = {"W_embed": params["W_embed"].astype(np.float32)}
    ys, cache = LAYER.forward(single, indices)
    _, grads = LAYER.backward(single, dys.astype(np.float32), cache)
    assert ys.dtype == grads["W_embed"].dtype == np.float32
    np.testing.assert_allclose(grads["W_embed"], by_hand(indices, dys), rtol=0, atol=1e-5)


def test_start_and_sizes():
    layer = Embedding(400, 50)
    W = layer.init_params(rng=np.random.default_rng(0))["W_embed"]
    assert layer.param_shapes() == {"W_embed": W.shape} == {"W_embed": (400, 50)}
    assert abs(W.mean()) < 4 / np.sqrt(W.size)
    assert W.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * W.size))
    assert 3.5 < np.abs(W).max() < 6.0  # normal: a uniform draw of variance 1 ends at √3
    single = layer.init_params(rng=np.random.default_rng(0), dtype=np.float32)["W_embed"]
    assert single.dtype == np.float32
    assert np.array_equal(single, W.astype(np.float32))
    assert (layer.vocabulary_size, layer.embedding_size, layer.output_size) == (400, 50, 50)


PARAMS, INDICES, DYS = draw(8)
ROWS = "because an index is the number of a row of W_embed."
REFUSED = {
    "one-hot": (PARAMS, one_hot(INDICES, V), DtypeError, f"indices has dtype float64, expected integers {ROWS} From "
                "one-hot rows pass the indices, rows.argmax(axis=-1); Dense takes vectors of numbers."),
    "mask": (PARAMS, INDICES > 1, DtypeError, f"indices has dtype bool, expected integers {ROWS} A mask goes to the "
             "recurrent layer and to the loss."),
    "letters": (PARAMS, np.array(list("ab")), DtypeError, f"indices has dtype <U1, expected integers {ROWS} Give each "
                "symbol its number first."),
    "complex": (PARAMS, INDICES + 0j, DtypeError, f"indices has dtype complex128, expected integers {ROWS}"),
    "list": (PARAMS, INDICES.tolist(), DtypeError, "indices is a list, expected a plain NumPy array because nothing is "
             "converted silently. Try np.asarray(indices)."),
    "masked array": (PARAMS, np.ma.array(INDICES), DtypeError, "indices is a MaskedArray, expected a plain NumPy"),
    "negative": (PARAMS, np.array([[0, 1], [-1, 2]]), ArgumentError, "indices[1, 0] is -1, expected 0 … 4 because "
                 "vocabulary_size=5, counted from 0. NumPy would read it from the end. On padding any index inside"),
    "too large": (PARAMS, np.array([4, 5], np.uint8), ArgumentError, "indices[1] is 5, expected 0 … 4 because "
                  "vocabulary_size=5, counted from 0. Are they counted from 1?"),
    "huge": (PARAMS, np.array([2**63], np.uint64), ArgumentError, "indices[0] is 9223372036854775808, expected 0 … 4"),
    "no sequences": (PARAMS, np.zeros(0, int), ShapeError, "indices has shape (0,), expected (N,) with N ≥ 1 because"),
    "no steps": (PARAMS, np.zeros((0, 2), int), ShapeError, "indices has shape (0, 2), expected (T, N) with T ≥ 1"),
    "transposed": ({"W_embed": PARAMS["W_embed"].T}, INDICES, ShapeError, "params['W_embed'] has shape (3, 5), "
                   "expected (5, 3). This layer is Embedding(vocabulary_size=5, embedding_size=3)."),
    "missing": ({}, INDICES, ArgumentError, "params has the keys [], expected ['W_embed'] because"),
    "nan": ({"W_embed": PARAMS["W_embed"] * np.nan}, INDICES, ArgumentError, "params['W_embed'][0, 0] is nan (15 of"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_forward_refuses(case):
    params, indices, error, message = REFUSED[case]
    with pytest.raises(error) as caught:
        LAYER.forward(params, indices)
    assert str(caught.value).startswith(f"Embedding.forward: {message}")


REFUSED_BACK = {
    "shape": (np.zeros((6, 2, 4)), ShapeError,
              "dys has shape (6, 2, 4), expected (6, 2, 3) because it is the gradient of the layer's output."),
    "one step": (np.zeros((2, 3)), ShapeError, "dys has shape (2, 3), expected (6, 2, 3) because"),
    "integers": (DYS.astype(int), DtypeError, "dys has dtype int64, expected float64 (or float32)"),
    "mixed": (DYS.astype(np.float32), DtypeError, "dys is float32 beside params.W_embed of float64, expected one"),
    "nan": (DYS * np.nan, ArgumentError, "dys[0, 0, 0] is nan (36 of 36 entries are not finite), expected finite "
            "numbers because one NaN spreads to every parameter in a single update. Did the loss diverge?"),
}


@pytest.mark.parametrize("case", REFUSED_BACK)
def test_backward_refuses(case):
    dys, error, message = REFUSED_BACK[case]
    _, cache = LAYER.forward(PARAMS, INDICES)
    with pytest.raises(error) as caught:
        LAYER.backward(PARAMS, dys, cache)
    assert str(caught.value).startswith(f"Embedding.backward: {message}")


def test_backward_refuses_the_indices_for_the_cache():
    with pytest.raises(DtypeError, match=r"^Embedding\.backward: cache is a ndarray, expected the EmbeddingCache that"):
        LAYER.backward(PARAMS, DYS, INDICES)


@pytest.mark.parametrize("value", [0, -2, 2.0, True])
@pytest.mark.parametrize("name", ["vocabulary_size", "embedding_size"])
def test_sizes_are_whole_numbers(name, value):
    with pytest.raises(ArgumentError, match=rf"^Embedding: {name} is {value!r}, expected a whole number of at least 1"):
        Embedding(**{"vocabulary_size": 5, "embedding_size": 3, name: value})


def test_a_seed_is_no_generator():
    with pytest.raises(DtypeError, match=r"^Embedding\.init_params: rng is 7, expected a numpy\.random\.Generator"):
        LAYER.init_params(rng=7)
    with pytest.raises(DtypeError, match=r"^Embedding\.init_params: dtype is int64, expected float64 or float32"):
        LAYER.init_params(rng=np.random.default_rng(0), dtype=int)
