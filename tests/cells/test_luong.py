"""The Luong cell: eqs 5 and 7 and input feeding (2015, §3) by loops, and the layers it is made of."""

import math

import numpy as np
import pytest

from rnn_from_scratch.attention import AdditiveAttention, MultiplicativeAttention
from rnn_from_scratch.cells import GRUCell, LSTMCell, LuongCell, RNNCell
from rnn_from_scratch.layers import AttentionLayer, Recurrent

T, N, S, D, H, M = 4, 2, 5, 3, 2, 4
MASK = np.array([[1, 1], [1, 1], [1, 0], [1, 0], [0, 0]], bool)
INPUTS = np.array([[1, 0], [1, 1], [1, 1], [0, 1]], bool)


def draw(cell, seed=0):
    rng = np.random.default_rng(seed)

    def filled(shapes):
        return {name: filled(shape) if isinstance(shape, dict) else rng.standard_normal(shape)
                for name, shape in shapes.items()}

    memory = {"memory": rng.standard_normal((S, N, cell.attention.memory_size)), "memory_mask": MASK}
    state = tuple(rng.standard_normal((N, H)) for _ in cell.initial_state(N))
    return {**filled(cell.param_shapes()), **memory}, rng.standard_normal((T, N, D)), state, rng


def times(matrix, vector):
    return [sum(matrix[i][j] * vector[j] for j in range(len(vector))) for i in range(len(matrix))]


def sigma(value):
    return 1 / (1 + math.exp(-value))


def lstm(W, U, b, x, h, c):
    """A plain LSTM in columns, its gates in the order i, f, g, o."""
    a = [one + two + three for one, two, three in zip(times(W, x), times(U, h), b, strict=True)]
    i, f, g, o = (a[k * H : (k + 1) * H] for k in range(4))
    c = [sigma(f[j]) * c[j] + sigma(i[j]) * math.tanh(g[j]) for j in range(H)]
    return [sigma(o[j]) * math.tanh(c[j]) for j in range(H)], c


@pytest.mark.parametrize("fed", [True, False])
@pytest.mark.parametrize("score", ["general", "dot"])
def test_the_paper_by_loops(score, fed):
    """The decoder reads [x_t; h̃_{t−1}] (§3.3), or x_t alone, with one matrix."""
    cell = LuongCell(LSTMCell(D, H), MultiplicativeAttention(H, M if score == "general" else H, score), fed)
    params, xs, state, _ = draw(cell)
    matrices = [params["cell"]["W_xh"], *([params["W_feed"]] if fed else [])]
    W, U, W_c = np.vstack(matrices).T, params["cell"]["W_hh"].T, params["W_c"].T
    W_a = params["attention"]["W_m"].T if score == "general" else np.eye(H)
    hs, final, cache = Recurrent(cell).forward(params, xs, state)
    for n in range(N):
        h_tilde, h, c = (part[n].tolist() for part in state)
        annotations = params["memory"][MASK[:, n], n].tolist()
        for t in range(T):
            x = xs[t, n].tolist() + (h_tilde if fed else [])
            h, c = lstm(W, U, params["cell"]["b_h"], x, h, c)
            powers = [math.exp(sum(h[i] * value for i, value in enumerate(times(W_a, m)))) for m in annotations]
            a_t = [power / sum(powers) for power in powers]  # eq. 7
            c_t = [sum(a * m[k] for a, m in zip(a_t, annotations, strict=True)) for k in range(len(annotations[0]))]
            h_tilde = [math.tanh(value) for value in times(W_c, c_t + h)]  # eq. 5
            np.testing.assert_allclose(hs[t, n], h_tilde, rtol=1e-12, atol=1e-14)
            np.testing.assert_allclose(cache.caches[t].attention.weights[MASK[:, n], n], a_t, rtol=1e-12)
        for got, expected in zip(final, (h_tilde, h, c), strict=True):
            np.testing.assert_allclose(got[n], expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("inner", [RNNCell(D, H), LSTMCell(D, H), GRUCell(D, H)], ids=["RNN", "LSTM", "GRU"])
def test_unfed_it_is_a_recurrent_layer_then_an_attention_layer(inner):
    """Nothing comes back from the attention into the recurrence: two layers and one matrix, forwards and backwards."""
    attention = AdditiveAttention(H, M, 3)
    cell, below, reading = LuongCell(inner, attention, False), Recurrent(inner, "stepwise"), AttentionLayer(attention)
    params, xs, state, rng = draw(cell, 1)
    hs, final, cache = Recurrent(cell).forward(params, xs, state, INPUTS)
    dhs, dfinal = rng.standard_normal(hs.shape), tuple(rng.standard_normal((N, H)) for _ in state[1:])
    dxs, dstate, grads = Recurrent(cell).backward(params, dhs, cache, (np.zeros((N, H)), *dfinal))

    inner_hs, inner_final, inner_cache = below.forward(params["cell"], xs, state[1:], INPUTS)
    memory = params["memory"]
    contexts, reading_cache = reading.forward(params["attention"], inner_hs, memory, INPUTS, MASK)
    joined = np.concatenate([contexts, inner_hs], axis=2)
    expected = np.where(INPUTS[..., None], np.tanh(joined @ params["W_c"]), 0.0)
    np.testing.assert_allclose(hs, expected, rtol=0, atol=1e-14)
    for got, wanted in zip(final[1:], inner_final, strict=True):
        np.testing.assert_array_equal(got, wanted)
    tilde = np.where(INPUTS[..., None], dhs * (1.0 - expected**2), 0.0)
    djoined = tilde @ params["W_c"].T
    dqueries, dmemory, attention_grads = reading.backward(params["attention"], djoined[..., :M], reading_cache)
    inner_dxs, inner_dstate, inner_grads = below.backward(
        params["cell"], djoined[..., M:] + dqueries, inner_cache, dfinal
    )
    found = {"xs": dxs, "memory": grads["memory"], "W_c": grads["W_c"], **grads["cell"], **grads["attention"]}
    by_layers = {"xs": inner_dxs, "memory": dmemory, "W_c": np.einsum("tni,tnj->ij", joined, tilde),
                 **inner_grads, **attention_grads}
    assert set(found) == set(by_layers)
    for name, array in found.items():
        np.testing.assert_allclose(array, by_layers[name], rtol=0, atol=1e-13, err_msg=name)
    assert not dstate[0].any()
    for got, wanted in zip(dstate[1:], inner_dstate, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-13)


def test_fed_with_zeros_is_not_fed():
    inner, score = GRUCell(D, H), MultiplicativeAttention(H, M)
    params, xs, state, _ = draw(LuongCell(inner, score), 2)
    zeros = {**params, "W_feed": np.zeros_like(params["W_feed"])}
    without = {name: value for name, value in params.items() if name != "W_feed"}
    fed, _, _ = Recurrent(LuongCell(inner, score)).forward(zeros, xs, state)
    np.testing.assert_array_equal(fed, Recurrent(LuongCell(inner, score, False)).forward(without, xs, state)[0])


def test_the_query_is_the_state_after_the_step():
    """So the first look knows the first input."""
    cell = LuongCell(RNNCell(D, H), MultiplicativeAttention(H, M))
    params, xs, state, _ = draw(cell, 3)
    _, _, cache = Recurrent(cell).forward(params, xs, state)
    _, _, other = Recurrent(cell).forward(params, xs + 1.0, state)
    assert not np.allclose(cache.caches[0].attention.weights, other.caches[0].attention.weights)


def test_sizes_and_starts():
    cell = LuongCell(LSTMCell(D, H), MultiplicativeAttention(H, M))
    inner = {"W_xh": (D, 4 * H), "W_hh": (H, 4 * H), "b_h": (4 * H,)}
    shapes = {"cell": inner, "attention": {"W_m": (M, H)}, "W_c": (M + H, H)}
    assert cell.param_shapes() == {**shapes, "W_feed": (H, 4 * H)}
    assert LuongCell(LSTMCell(D, H), MultiplicativeAttention(H, M), False).param_shapes() == shapes
    assert LuongCell(RNNCell(D, H), MultiplicativeAttention(H, H, "dot")).param_shapes()["attention"] == {}
    assert cell.memory_shapes(S, N) == {"memory": (S, N, M)}
    assert (cell.input_size, cell.hidden_size) == (D, H)
    params, again = (cell.init_params(rng=np.random.default_rng(0)) for _ in range(2))
    for name in ("W_c", "W_feed"):
        limit = math.sqrt(6 / sum(params[name].shape))
        assert 0.5 * limit < np.abs(params[name]).max() <= limit
        np.testing.assert_array_equal(params[name], again[name])
    assert [part.tolist() for part in cell.initial_state(1)] == [[[0.0, 0.0]]] * 3
