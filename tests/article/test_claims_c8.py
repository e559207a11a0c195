"""Claim C8: the norms are those of the true gradient, and the verdict follows them."""

import json
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.article.claims import c8
from rnn_from_scratch.validate import ArgumentError

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"


def complex_step_norms(name, seed, lags):
    """‖∂L/∂state‖ at each lag by the complex step, one unit of all sequences at a time: no backward pass at all."""
    cell = c8.STARTS[name].cell
    rng = np.random.default_rng(seed)
    params = c8.start_params(c8.STARTS[name], rng=rng)
    xs = rng.standard_normal((c8.STEPS, c8.SEQUENCES, c8.INPUTS))
    dh = rng.standard_normal((c8.SEQUENCES, c8.HIDDEN))
    x_proj = cell.project(params, xs)
    states = [cell.initial_state(c8.SEQUENCES)]
    for t in range(c8.STEPS):
        states.append(cell.step(params, x_proj[t], states[-1])[0])
    norms = []
    for lag in lags:
        squares = 0.0
        for part in range(len(states[0])):
            for unit in range(c8.HIDDEN):
                state = [array.astype(complex) for array in states[c8.STEPS - lag]]
                state[part][:, unit] += 1e-30j
                for t in range(c8.STEPS - lag, c8.STEPS):
                    state, _ = cell.step(params, x_proj[t], tuple(state))
                squares += np.sum(((dh * state[0]).sum(axis=1).imag / 1e-30) ** 2)
        norms.append(np.sqrt(squares))
    return np.array(norms) / np.linalg.norm(dh)


@pytest.mark.parametrize(
    "name", ["RNN, radius 0.8", "LSTM, forget bias 3", "GRU, update bias 0", "LSTM, forget bias 1, × 4"]
)
def test_the_norms_are_those_of_the_true_gradient(name):
    norms, _ = c8.gradient_norms(name, seed=3, lag=6)
    assert norms.shape == (7,)
    np.testing.assert_allclose(norms[[0, 1, 6]], complex_step_norms(name, 3, (0, 1, 6)), rtol=1e-11)


def test_starts_are_what_their_names_say():
    H = c8.HIDDEN
    for name, start in c8.STARTS.items():
        params = c8.start_params(start, rng=np.random.default_rng(0))
        gate = params["b_h"][H : 2 * H]
        scale = 4.0 if "× 4" in name else 1.0
        for block in np.split(params["W_hh"], params["W_hh"].shape[1] // H, axis=1):
            if "radius" in name:
                assert np.abs(np.linalg.eigvals(block)).max() == pytest.approx(0.8)
            else:
                np.testing.assert_allclose(block @ block.T, scale**2 * np.eye(H), atol=1e-12)
        if "bias" in name:
            np.testing.assert_array_equal(gate, float(name.split("bias ")[1][0]))
            np.testing.assert_array_equal(np.delete(params["b_h"], np.s_[H : 2 * H]), 0.0)


def test_without_recurrent_weights_only_the_cell_state_carries(monkeypatch):
    starts = {"RNN": c8.STARTS["RNN, orthogonal"], "LSTM": c8.STARTS["LSTM, forget bias 3"]}
    monkeypatch.setattr(c8, "STARTS", {name: start._replace(scale=0.0) for name, start in starts.items()})
    rnn, gate = c8.gradient_norms("RNN", 0, lag=4)
    np.testing.assert_array_equal(rnn, [1.0, 0.0, 0.0, 0.0, 0.0])
    assert gate is None
    lstm, f = c8.gradient_norms("LSTM", 0, lag=20)
    assert 0.93 < f < 0.95  # σ(3) = 0.953, and below since σ is concave there
    assert 0.25 < lstm[20] / lstm[1] < f**19 * 1.3  # c goes back through f alone


def test_a_short_run():
    found = c8.run(seeds=(0,))
    assert list(found["starts"]) == list(c8.STARTS)
    last = {name: rows["last"][0] for name, rows in found["starts"].items()}
    assert all(rows["curve"][0] == 1.0 and len(rows["curve"]) == 51 for rows in found["starts"].values())
    assert last["RNN, radius 0.8"] < 1e-10
    assert last["LSTM, forget bias 0"] < 1e-7 < last["LSTM, forget bias 1"] < 0.01 < last["LSTM, forget bias 3"]
    assert last["GRU, update bias 0"] < 1e-7 < 0.01 < last["GRU, update bias 3"]
    assert last["LSTM, forget bias 1, × 4"] > 1
    assert found["verdict"].startswith("Vanishing: holds where f (in the GRU z) is near 1, here 0.94 or more. Expl")
    with pytest.raises(ArgumentError, match=r"'RNN, radius 0\.8', 'RNN, orthogonal'"):
        c8.gradient_norms("MLP", 0)


def result(**left):
    """Starts by name: (what is left, f, scale)."""
    rows = {name: {"last": [value], "gate": gate, "scale": scale} for name, (value, gate, scale) in left.items()}
    return {"lag": 50, "kept": 0.01, "starts": {"RNN": {"last": [1e-9], "gate": None, "scale": 1.0}, **rows}}


@pytest.mark.parametrize(("left", "words"), [
    ({"low": (1e-5, 0.5, 1), "high": (0.1, 0.95, 1), "big": (9.0, 0.5, 4)},
     "Vanishing: holds where f (in the GRU z) is near 1, here 0.95 or more. Explosion: does not hold."),
    ({"low": (0.2, 0.5, 1), "big": (0.5, 0.5, 4)}, "Vanishing: holds. Explosion: holds."),
    ({"low": (1e-3, 0.5, 1)}, "Vanishing: does not hold."),
    ({"low": (0.2, 0.5, 1), "high": (1e-3, 0.9, 1)}, "Vanishing: holds in some cases."),
])
def test_the_verdict_follows_the_figures(left, words):
    text = c8.verdict(result(**left))
    assert text.startswith(words)
    assert "50 steps before the last, of the gradient there is left: 1e-09 (RNN)" in text


def test_the_saved_result_is_what_the_code_gives():
    found = json.loads((RESULTS / "claim_c8.json").read_text(encoding="utf-8"))
    assert found["verdict"] == c8.verdict(found)
    assert list(found["starts"]) == list(c8.STARTS)
    for name in ("RNN, radius 0.8", "LSTM, forget bias 3", "GRU, update bias 0"):  # those × 4 are chaotic
        norms, _ = c8.gradient_norms(name, found["seeds"][0])
        assert norms[-1] == pytest.approx(found["starts"][name]["last"][0], rel=1e-3)
    for rows in found["starts"].values():
        assert rows["curve"][-1] == pytest.approx(np.median(rows["last"]), rel=1e-3)
        lowest, middle, highest = (np.array(rows[key]) for key in ("lowest", "curve", "highest"))
        assert len(middle) == found["lag"] + 1
        assert (lowest <= middle).all()
        assert (middle <= highest).all()
