"""Tasks with an answer at every step: a solver by hand for each, and what one gets without a memory."""

import numpy as np
import pytest

from rnn_from_scratch.data import echo_data, parity_data, sine_data
from rnn_from_scratch.losses import softmax_cross_entropy
from rnn_from_scratch.validate import ArgumentError


def rng(seed=0):
    return np.random.default_rng(seed)


# Parity


@pytest.mark.parametrize("T", [1, 2, 9])
def test_parity_is_one_bit_of_memory(T):
    xs, targets = parity_data(rng=rng(), T=T, N=300)
    end, last = parity_data(rng=rng(), T=T, N=300, running=False)
    np.testing.assert_array_equal(xs, end)
    assert (xs.shape, targets.shape, last.shape) == ((T, 300, 1), (T, 300), (300,))
    assert set(xs.ravel()) == {0.0, 1.0}
    for n in range(300):
        odd = 0
        for t in range(T):
            odd ^= int(xs[t, n, 0])
            assert targets[t, n] == odd
        assert last[n] == odd


def test_parity_without_memory():
    T, N = 10, 20000
    xs, targets = parity_data(rng=rng(), T=T, N=N)
    bits = xs[..., 0].astype(int)
    assert bits.mean() == pytest.approx(0.5, abs=0.005)
    p = (T + 1) / (2 * T)
    logits = np.zeros((T, N, 2))
    np.put_along_axis(logits, bits[..., None], np.log(p / (1 - p)), axis=2)  # the bit, with confidence p
    assert (bits == targets).mean() == pytest.approx(p, abs=0.005)
    expected = -p * np.log(p) - (1 - p) * np.log(1 - p)
    assert softmax_cross_entropy(logits, targets)[0] == pytest.approx(expected, abs=0.002)
    clock = np.zeros((T, N, 2))
    np.put_along_axis(clock[:1], bits[:1, :, None], 1e4, axis=2)  # sure at the first step, even odds after it
    assert softmax_cross_entropy(clock, targets)[0] == pytest.approx(np.log(2) * (T - 1) / T, rel=1e-12)
    assert np.log(2) * (T - 1) / T < expected < np.log(2)
    assert targets[-1].mean() == pytest.approx(0.5, abs=0.01)
    assert np.corrcoef(bits[-1], targets[-1])[0, 1] == pytest.approx(0.0, abs=0.02)  # the last bit says nothing


# Echo


@pytest.mark.parametrize(("T", "lag", "symbols"), [(20, 3, 2), (5, 4, 2), (12, 1, 6)])
def test_echo_is_what_was_read(T, lag, symbols):
    xs, targets, mask = echo_data(rng=rng(), T=T, N=50, lag=lag, symbols=symbols)
    assert (xs.shape, targets.shape, mask.shape) == ((T, 50, symbols), (T, 50), (T, 50))
    np.testing.assert_array_equal(xs.sum(axis=2), 1.0)
    read = xs.argmax(axis=2)
    for t in range(T):
        assert (mask[t] == (t >= lag)).all()
        assert (targets[t] == (read[t - lag] if t >= lag else 0)).all()


def test_echo_without_memory():
    xs, targets, mask = echo_data(rng=rng(), T=30, N=3000, lag=5, symbols=4)
    assert softmax_cross_entropy(np.zeros((30, 3000, 4)), targets, mask)[0] == pytest.approx(np.log(4), rel=1e-12)
    counts = np.zeros((4, 4))
    np.add.at(counts, (xs.argmax(axis=2)[mask], targets[mask]), 1.0)
    assert np.abs(counts / mask.sum() - 1 / 16).max() < 0.002  # what is read now says nothing of what was


# Sines


def continued(values, order):
    """Predict from the rule that a sum of sines keeps, its coefficients found in the sequence itself."""
    rows = np.stack([values[k : len(values) - order + k] for k in range(order)], axis=1)
    coefficients = np.linalg.lstsq(rows[: len(rows) // 2], values[order : order + len(rows) // 2], rcond=None)[0]
    return rows @ coefficients


@pytest.mark.parametrize("sines", [1, 2, 3])
def test_sines_without_noise_follow_from_what_was_before(sines):
    xs, targets = sine_data(rng=rng(), T=80, N=20, sines=sines, noise=0.0)
    assert (xs.shape, targets.shape) == ((80, 20, 1), (80, 20, 1))
    np.testing.assert_array_equal(xs[1:], targets[:-1])
    for n in range(20):
        whole = np.append(xs[:, n, 0], targets[-1, n, 0])
        np.testing.assert_allclose(continued(whole, 2 * sines)[1:], whole[2 * sines + 1 :], atol=1e-4)
        assert np.abs(whole).max() <= np.sqrt(2 * sines)


def test_a_single_sine_has_its_period():
    xs, _ = sine_data(rng=rng(), T=60, N=4, sines=1, noise=0.0, periods=(12, 12))
    np.testing.assert_allclose(xs[12:], xs[:-12], atol=1e-12)
    assert np.abs(xs[6:] + xs[:-6]).max() < 1e-12  # half a period turns the sign
    np.testing.assert_allclose((xs[:12] ** 2).mean(axis=0), 1.0, rtol=1e-12)


def test_sines_without_memory():
    xs, targets = sine_data(rng=rng(), T=50, N=8000, sines=2, noise=0.3)
    assert (targets**2).mean() == pytest.approx(1.09, abs=0.01)
    period = np.linspace(8, 40, 100001)
    c = np.cos(2 * np.pi / period).mean()
    best = (xs * targets).mean() / (xs**2).mean()
    assert best == pytest.approx(c / 1.09, abs=0.003)
    assert ((targets - best * xs) ** 2).mean() == pytest.approx(1.09 - c**2 / 1.09, abs=0.005)
    clean, _ = sine_data(rng=rng(), T=50, N=8000, sines=2, noise=0.0)  # the same draws but for the noise
    noise = (xs - clean).ravel()
    assert noise.std() == pytest.approx(0.3, abs=0.002)
    assert np.corrcoef(noise[:-8000], noise[8000:])[0, 1] == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize(("task", "choices", "message"), [
    (parity_data, {"T": 0}, "T is 0"), (parity_data, {"running": 1}, "running is 1"),
    (parity_data, {"rng": 3}, "rng is 3"),
    (echo_data, {"lag": 0}, "lag is 0"), (echo_data, {"lag": 20}, "lag is 20, expected below T = 20"),
    (echo_data, {"symbols": 1}, "symbols is 1, expected at least 2"), (echo_data, {"lag": 2.0}, "lag is 2.0"),
    (sine_data, {"sines": 0}, "sines is 0"), (sine_data, {"noise": -0.1}, "noise is -0.1"),
    (sine_data, {"noise": np.nan}, "noise is nan"), (sine_data, {"noise": True}, "noise is True"),
    (sine_data, {"periods": 8}, "periods is 8"), (sine_data, {"periods": (1, 9)}, r"periods\[0\] is 1"),
    (sine_data, {"periods": (9, 8)}, r"periods\[1\] is 8"),
    (sine_data, {"periods": (9, np.inf)}, r"periods\[1\] is inf"),
])  # fmt: skip
def test_tasks_refuse(task, choices, message):
    lag = {"lag": 3} if task is echo_data else {}
    with pytest.raises(ArgumentError, match=f"(?s)^{task.__name__}: {message}"):
        task(**{"rng": rng(), "T": 20, "N": 2, **lag, **choices})


@pytest.mark.parametrize(("task", "sizes"), [(parity_data, {}), (echo_data, {"lag": 2}), (sine_data, {})])
def test_a_generator_repeats(task, sizes):
    one, same, other = (task(rng=rng(seed), T=30, N=3, **sizes) for seed in (0, 0, 1))
    for first, second in zip(one, same, strict=True):
        np.testing.assert_array_equal(first, second)
    assert (one[0] != other[0]).any()
