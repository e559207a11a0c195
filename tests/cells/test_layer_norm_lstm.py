"""The LSTM with layer normalisation inside: Ba et al. (2016), eqs 20–22, by loops; what scales cancel; starts."""

import math

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves, tree_map
from rnn_from_scratch.cells import LayerNormLSTMCell, LSTMCell
from rnn_from_scratch.diagnosis import check_cell, check_layer
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.validate import ArgumentError, DtypeError

T, N, D, H = 4, 2, 3, 2
CELL = LayerNormLSTMCell(D, H)


def draw(cell=CELL, seed=0):
    rng = np.random.default_rng(seed)
    params = {name: rng.standard_normal(shape) for name, shape in cell.param_shapes().items()}
    state = tuple(rng.standard_normal((N, cell.hidden_size)) for _ in range(2))
    return params, rng.standard_normal((T, N, cell.input_size)), state


def normalized(z, gain, bias, epsilon):
    """LN(z; α, β), eqs 15 and 16, one number at a time; the paper has no ε."""
    mean = sum(z) / len(z)
    sigma = math.sqrt(sum((value - mean) ** 2 for value in z) / len(z) + epsilon)
    return [(value - mean) / sigma * a + b for value, a, b in zip(z, gain, bias, strict=True)]


def sigmoid(value):
    return 1 / (1 + math.exp(-value))


def by_loops(p, x, h, c, epsilon, beta_1, beta_2, b):
    """One step of one sequence, with all three biases of eq. 20. Its order is f, i, o, g, ours i, f, g, o."""
    size = len(h)
    from_h = [sum(p["W_hh"][j, k] * h[j] for j in range(size)) for k in range(4 * size)]
    from_x = [sum(p["W_xh"][j, k] * x[j] for j in range(len(x))) for k in range(4 * size)]
    parts = (normalized(from_h, p["g_h"], beta_1, epsilon), normalized(from_x, p["g_x"], beta_2, epsilon), b)
    gates = [sum(three) for three in zip(*parts, strict=True)]  # eq. 20
    i, f, g, o = (gates[k * size : (k + 1) * size] for k in range(4))
    c = [sigmoid(f[k]) * c[k] + sigmoid(i[k]) * math.tanh(g[k]) for k in range(size)]  # eq. 21
    out = normalized(c, p["g_c"], p["b_c"], epsilon)
    return [sigmoid(o[k]) * math.tanh(out[k]) for k in range(size)], c  # eq. 22


@pytest.mark.parametrize("cell", [CELL, LayerNormLSTMCell(2, 5, epsilon=0.3)], ids=["D > H", "large epsilon"])
def test_the_paper_by_loops(cell):
    """Of the three biases of the gates only the sum has an effect: cut it into three in any way."""
    params, xs, state = draw(cell)
    cuts = np.random.default_rng(1).standard_normal((2, 4 * cell.hidden_size))
    biases = (*cuts, params["b_h"] - cuts.sum(axis=0))
    hs, final, _ = Recurrent(cell).forward(params, xs, state)
    for n in range(N):
        h, c = (part[n] for part in state)
        for t in range(T):
            h, c = by_loops(params, xs[t, n], h, c, cell.epsilon, *biases)
            np.testing.assert_allclose(hs[t, n], h, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(final[0][n], h, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(final[1][n], c, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("cell", [LayerNormLSTMCell(2, 3), LayerNormLSTMCell(3, 2, epsilon=0.1)], ids=str)
def test_conformance(cell):
    rng = np.random.default_rng(0)
    report = check_cell(cell, rng=rng, xs=rng.standard_normal((3, 2, cell.input_size)))
    report.raise_if_wrong()
    names = {*cell.param_shapes(), "xs", "state[0]", "state[1]"}
    assert {row.name for row in report.rows} == names | {f"{name} (masked)" for name in names}
    assert report.worst < 1e-11


def test_conformance_as_a_layer():
    """There also padding against each sequence alone: zeros on padding meet a normalisation, and give no NaN."""
    rng = np.random.default_rng(1)
    report = check_layer(Recurrent(CELL), rng=rng, xs=rng.standard_normal((4, 3, D)))
    report.raise_if_wrong()
    assert report.worst < 1e-11


def test_the_scale_of_the_weights_and_of_the_input_cancels():
    """The point of it: LN(s z) = LN(z) for s > 0, so no growing W_hh makes the gates saturate (Ba et al., §5.1)."""
    cell = LayerNormLSTMCell(D, H, epsilon=1e-30)
    params, xs, state = draw(cell, 2)
    hs, _, _ = Recurrent(cell).forward(params, xs, state)
    scaled = {**params, "W_hh": 1000.0 * params["W_hh"], "W_xh": 0.01 * params["W_xh"]}
    np.testing.assert_allclose(Recurrent(cell).forward(scaled, xs, state)[0], hs, rtol=0, atol=1e-12)
    np.testing.assert_allclose(Recurrent(cell).forward(params, 7.0 * xs, state)[0], hs, rtol=0, atol=1e-12)
    flipped = {**params, "W_hh": -params["W_hh"]}
    assert not np.allclose(Recurrent(cell).forward(flipped, xs, state)[0], hs)


def test_the_cell_itself_is_carried_as_it_is():
    """Only what is put out is normalised: with f open and i shut, c stays to the last bit."""
    params, xs, (h, c) = draw(CELL, 3)
    bias = np.repeat([-1e4, 1e4, 0.0, 0.0], H)
    _, final, _ = Recurrent(CELL).forward({**params, "b_h": bias}, xs, (h, 5.0 * c))
    np.testing.assert_array_equal(final[1], 5.0 * c)


def test_equal_numbers_in_a_row_are_no_nan():
    """Zero weights and a zero state: every normalisation meets a row of equal numbers."""
    params = tree_map(np.zeros_like, CELL.init_params(rng=np.random.default_rng(0)))
    hs, _, cache = Recurrent(CELL).forward(params, np.zeros((T, N, D)))
    dxs, dstate, grads = Recurrent(CELL).backward(params, np.ones_like(hs), cache)
    assert not hs.any()
    assert all(np.isfinite(array).all() for _, array in leaves([dxs, dstate, grads]))


def test_float32_stays_float32():
    cell = LayerNormLSTMCell(D, H, epsilon=np.float64(1e-5))
    params, xs, state = draw(cell, 4)
    exact, _, _ = Recurrent(cell).forward(params, xs, state)
    params, xs, state = tree_map(lambda array: array.astype(np.float32), [params, xs, state])
    hs, final, cache = Recurrent(cell).forward(params, xs, state)
    everything = [hs, final, *Recurrent(cell).backward(params, np.ones_like(hs), cache)]
    everything += [cell.init_params(rng=np.random.default_rng(0), dtype=np.float32), cell.initial_state(2, np.float32)]
    for name, array in leaves(everything):
        assert array.dtype == np.float32, name
    np.testing.assert_allclose(hs, exact, rtol=0, atol=1e-4)


def test_a_start_is_the_lstms_with_gains_of_1():
    params, plain = (kind(D, H, forget_bias=2.0).init_params(rng=np.random.default_rng(0))
                     for kind in (LayerNormLSTMCell, LSTMCell))
    for name in plain:
        np.testing.assert_array_equal(params[name], plain[name])
    rest = {name: params[name].tolist() for name in params if name not in plain}
    assert rest == {"g_x": [1.0] * 8, "g_h": [1.0] * 8, "g_c": [1.0, 1.0], "b_c": [0.0, 0.0]}
    assert {name: array.shape for name, array in params.items()} == dict(CELL.param_shapes())
    assert [part.tolist() for part in CELL.initial_state(1)] == [[[0.0, 0.0]]] * 2


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"input_size": 0}, "input_size is 0, expected a whole number of at least 1 because it counts something."),
        ({"hidden_size": 2.0}, "hidden_size is 2.0, expected a whole number of at least 1 because it counts"),
        ({"hidden_size": 1}, "hidden_size is 1, expected at least 2 because a single cell normalises to 0 whatever it"),
        ({"forget_bias": np.nan}, "forget_bias is nan, expected a finite number."),
        ({"epsilon": 0.0}, "epsilon is 0.0, expected a finite number at least 1e-30 because a row of equal"),
        ({"epsilon": True}, "epsilon is True, expected a finite number at least 1e-30 because"),
        ({"epsilon": 1e-60}, "epsilon is 1e-60, expected a finite number at least 1e-30"),  # 0 in float32: 0/0
    ],
)
def test_what_is_refused(choices, message):
    with pytest.raises(ArgumentError) as caught:
        LayerNormLSTMCell(**{"input_size": D, "hidden_size": H, **choices})
    assert str(caught.value).startswith(f"LayerNormLSTMCell: {message}")


def test_bad_starts():
    with pytest.raises(DtypeError, match=r"rng is 0, expected a numpy\.random\.Generator"):
        CELL.init_params(rng=0)
    with pytest.raises(DtypeError, match="dtype is int64, expected float64 or float32"):
        CELL.init_params(rng=np.random.default_rng(0), dtype=np.int64)
    with pytest.raises(DtypeError, match=r"state is a tuple of 1, expected a tuple of 2 arrays"):
        Recurrent(CELL).forward(draw()[0], draw()[1], (np.zeros((N, H)),))
