"""The Bahdanau cell: the paper's decoder (2015, §3.1 and A.2.2) by loops, in the paper's own columns and letters."""

import math

import numpy as np
import pytest

from rnn_from_scratch.attention import AdditiveAttention, MultiplicativeAttention
from rnn_from_scratch.cells import BahdanauCell, GRUCell, LSTMCell, RNNCell
from rnn_from_scratch.layers import Recurrent

T, N, S, D, H, M, A = 4, 2, 5, 3, 2, 4, 3
MASK = np.array([[1, 1], [1, 1], [1, 0], [1, 0], [0, 0]], bool)


def draw(cell, seed=0):
    rng = np.random.default_rng(seed)

    def filled(shapes):
        return {name: filled(shape) if isinstance(shape, dict) else rng.standard_normal(shape)
                for name, shape in shapes.items()}

    memory = {"memory": rng.standard_normal((S, N, M)), "memory_mask": MASK}
    state = tuple(rng.standard_normal((N, H)) for _ in cell.initial_state(N))
    return {**filled(cell.param_shapes()), **memory}, rng.standard_normal((T, N, D)), state


def times(matrix, vector):
    return [sum(matrix[i][j] * vector[j] for j in range(len(vector))) for i in range(len(matrix))]


def sigma(values):
    return [1 / (1 + math.exp(-value)) for value in values]


def decoder_of_the_paper(p, ys, h, s):
    """One sentence: the words ys go in, h are the annotations to read, s is s_0. Returns every s_i and α_i.

    p has the paper's matrices, which multiply columns; it leaves the biases out, and so do we.
    """
    states, maps = [], []
    for y in ys:
        projected = times(p["W_a"], s)
        e = [sum(v * math.tanh(a + b) for v, a, b in zip(p["v_a"], projected, times(p["U_a"], h_j), strict=True))
             for h_j in h]  # A.1.2
        alpha = [math.exp(value) / sum(math.exp(other) for other in e) for value in e]  # eq. 6
        c = [sum(alpha[j] * h[j][k] for j in range(len(h))) for k in range(len(h[0]))]  # eq. 5

        def before(gate, past, y=y, c=c):
            parts = times(p[f"W_{gate}"], y), times(p[f"U_{gate}"], past), times(p[f"C_{gate}"], c)
            return [sum(three) for three in zip(*parts, strict=True)]

        r, z = sigma(before("r", s)), sigma(before("z", s))  # A.2.2
        proposal = [math.tanh(value) for value in before("s", [a * b for a, b in zip(r, s, strict=True)])]
        s = [(1 - z[i]) * s[i] + z[i] * proposal[i] for i in range(len(s))]
        states.append(s)
        maps.append(alpha)
    return states, maps


def test_the_paper_by_loops():
    """Its z lets the proposal in, ours keeps the past: z = 1 − z', so the signs of z's three matrices change."""
    cell = BahdanauCell(GRUCell(D, H, reset_after=False), AdditiveAttention(H, M, A))
    params, xs, (s_0,) = draw(cell)
    params["cell"]["b_h"][:] = 0.0
    p = {"W_a": params["attention"]["W_q"].T, "U_a": params["attention"]["W_m"].T, "v_a": params["attention"]["v"]}
    for letter, matrix in (("W", params["cell"]["W_xh"]), ("U", params["cell"]["W_hh"]), ("C", params["W_ch"])):
        for gate, block in zip("rzs", np.split(matrix.T, 3), strict=True):
            p[f"{letter}_{gate}"] = -block if gate == "z" else block
    hs, final, cache = Recurrent(cell).forward(params, xs, (s_0,))
    for n in range(N):
        annotations = params["memory"][MASK[:, n], n]
        states, maps = decoder_of_the_paper(p, xs[:, n].tolist(), annotations.tolist(), s_0[n].tolist())
        np.testing.assert_allclose(hs[:, n], states, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(final[0][n], states[-1], rtol=1e-12, atol=1e-14)
        for t, alpha in enumerate(maps):
            weights = cache.caches[t].attention.weights
            np.testing.assert_allclose(weights[MASK[:, n], n], alpha, rtol=1e-12)
            assert not weights[~MASK[:, n], n].any()


@pytest.mark.parametrize("inner", [RNNCell(D, H), LSTMCell(D, H), GRUCell(D, H)], ids=["RNN", "LSTM", "GRU"])
def test_the_context_stands_beside_the_input(inner):
    """c_t W_ch on top of x_t W_xh is a wider cell on [x_t; c_t], stepped by hand."""
    cell = BahdanauCell(inner, MultiplicativeAttention(H, M))
    params, xs, state = draw(cell, 1)
    wide = type(inner)(D + M, H)
    joined = {**params["cell"], "W_xh": np.vstack([params["cell"]["W_xh"], params["W_ch"]])}
    hs, _, _ = Recurrent(cell).forward(params, xs, state)
    for t in range(T):
        powers = np.exp(np.einsum("nh,mh,snm->sn", state[0], params["attention"]["W_m"], params["memory"])) * MASK
        context = np.einsum("sn,snm->nm", powers / powers.sum(axis=0), params["memory"])
        read = np.concatenate([xs[t], context], axis=1)[None]
        state, _ = wide.step(joined, wide.project(joined, read)[0], state)
        np.testing.assert_allclose(hs[t], state[0], rtol=0, atol=1e-13)


def test_the_query_is_the_state_before_the_step():
    """So the first look does not know the first input."""
    cell = BahdanauCell(RNNCell(D, H), AdditiveAttention(H, M, A))
    params, xs, state = draw(cell, 2)
    _, _, cache = Recurrent(cell).forward(params, xs, state)
    _, _, other = Recurrent(cell).forward(params, xs + 1.0, state)
    np.testing.assert_array_equal(cache.caches[0].attention.weights, other.caches[0].attention.weights)
    assert not np.allclose(cache.caches[1].attention.weights, other.caches[1].attention.weights)


def test_sizes_and_starts():
    cell = BahdanauCell(LSTMCell(D, H), AdditiveAttention(H, M, A))
    assert cell.param_shapes() == {
        "cell": {"W_xh": (D, 4 * H), "W_hh": (H, 4 * H), "b_h": (4 * H,)},
        "attention": {"W_q": (H, A), "W_m": (M, A), "v": (A,)}, "W_ch": (M, 4 * H),
    }
    assert cell.memory_shapes(S, N) == {"memory": (S, N, M)}
    assert (cell.input_size, cell.hidden_size) == (D, H)
    params, again = (cell.init_params(rng=np.random.default_rng(0)) for _ in range(2))
    assert 0.5 * math.sqrt(6 / (M + 4 * H)) < np.abs(params["W_ch"]).max() <= math.sqrt(6 / (M + 4 * H))
    np.testing.assert_array_equal(params["W_ch"], again["W_ch"])
    np.testing.assert_array_equal(params["cell"]["b_h"], [0.0] * H + [1.0] * H + [0.0] * 2 * H)  # the inner cell's own
    assert [part.tolist() for part in cell.initial_state(1)] == [[[0.0, 0.0]]] * 2
