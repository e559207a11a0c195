r"""Synthetic tasks with an answer at every step: parity, echo, mixtures of sines.

Time comes first. Each docstring names the loss that a model without a memory reaches.

Source: tests/data/test_running_tasks.py computes each loss and solves each task.
"""

from __future__ import annotations

import numpy as np

from .. import validate
from ..arrays import Array
from .batching import one_hot
from .tasks import check_drawing


def parity_data(*, rng: np.random.Generator, T: int, N: int, running: bool = True) -> tuple[Array, Array]:
    """Return the parity task: is the number of ones so far odd?

    One bit of memory is enough, yet each input matters until the end, and no part of the answer shows before the whole.

    Without a memory the loss of the answer at the end is ln 2 = 0.6931. Running, the first answer is the first bit, so
    that a model which knows the step but not the past has a mean of ln 2 · (T − 1)/T. One that sees the bit alone is
    right with probability p = (T + 1)/(2T) if it repeats the bit, and has −p ln p − (1 − p) ln(1 − p).

    Parameters
    ----------
    rng : Generator
        Draws the bits, 0 and 1 with equal chance.
    T : int
        Steps.
    N : int
        Sequences.
    running : bool
        Ask at every step; False: at the end alone.

    Returns
    -------
    xs : (T, N, 1)
        0 or 1.
    targets : (T, N) int, or (N,)
        1 where the number of ones until then is odd.

    Raises
    ------
    ArgumentError
        A size below 1, `running` no bool, no generator.

    Source: Bengio, Simard & Frasconi (1994) are among those who ask for it at the end;
    tests/data/test_running_tasks.py.
    """
    where = "parity_data"
    check_drawing(where, rng, T=T, N=N)
    if not isinstance(running, bool):
        validate.fail(where, f"running is {running!r}", "True or False", "it says at which steps the task asks")
    bits = rng.integers(0, 2, (T, N))
    parity = np.cumsum(bits, axis=0) % 2
    return bits[..., None].astype(np.float64), parity if running else parity[-1].copy()


def echo_data(
    *, rng: np.random.Generator, T: int, N: int, lag: int, symbols: int = 2
) -> tuple[Array, Array, Array]:
    """Return the echo task: say what was read `lag` steps ago, all the time.

    A memory must hold lag symbols at once and shift them. Without one the loss is ln(symbols).

    Parameters
    ----------
    rng : Generator
        Draws the symbols, all with equal chance.
    T : int
        Steps, more than `lag`.
    N : int
        Sequences.
    lag : int
        At least 1.
    symbols : int
        At least 2.

    Returns
    -------
    xs : (T, N, symbols)
        One-hot.
    targets : (T, N) int
        The symbol of step t − lag; 0 in the first `lag` steps, which do not count.
    target_mask : (T, N) bool
        True from step `lag` on.

    Raises
    ------
    ArgumentError
        A size below 1, symbols below 2, lag not below T, no generator.

    Source: Jaeger (2001), short term memory in echo state networks, recalls real numbers so;
    tests/data/test_running_tasks.py.
    """
    where = "echo_data"
    check_drawing(where, rng, T=T, N=N, lag=lag, symbols=symbols)
    if symbols < 2:
        validate.fail(where, f"symbols is {symbols}", "at least 2", "one alone needs no memory")
    if lag >= T:
        validate.fail(where, f"lag is {lag}", f"below T = {T}", "nothing would be echoed")
    read = rng.integers(0, symbols, (T, N))
    targets = np.zeros((T, N), int)
    targets[lag:] = read[:-lag]
    target_mask = np.zeros((T, N), bool)
    target_mask[lag:] = True
    return one_hot(read, symbols), targets, target_mask


def sine_data(
    *, rng: np.random.Generator, T: int, N: int, sines: int = 2, noise: float = 0.1,
    periods: tuple[float, float] = (8.0, 40.0),
) -> tuple[Array, Array]:
    r"""Return mixtures of sines: predict the next value, with noise on every one.

    .. math:: x_t = \sqrt{2/K} \sum_{k=1}^{K} \sin(2\pi t/P_k + \varphi_k) + \sigma \varepsilon_t

    Each sequence has its own periods and phases: a memory must find them. Without noise the next value follows exactly
    from 2K before. Mean squared errors: always 0 has 1 + σ²; the best multiple of the last value 1 + σ² − c²/(1 + σ²)
    with c the mean of cos(2π/P) over the periods; nothing is below σ², the noise of the target itself.

    Parameters
    ----------
    rng : Generator
        Draws periods, phases and noise.
    T : int
        Steps.
    N : int
        Sequences.
    sines : int
        K.
    noise : float
        σ, at least 0.
    periods : (shortest, longest)
        In steps, uniform; at least 2, which is the shortest that steps can show.

    Returns
    -------
    xs : (T, N, 1)
        x_0 … x_{T−1}.
    targets : (T, N, 1)
        x_1 … x_T.

    Raises
    ------
    ArgumentError
        A size below 1, noise below 0, periods that are not two numbers from 2 on in order, no generator.

    Source: tests/data/test_running_tasks.py.
    """
    where = "sine_data"
    check_drawing(where, rng, T=T, N=N, sines=sines)
    noise = validate.number(where, "noise", noise, at_least=0)
    if not isinstance(periods, tuple | list) or len(periods) != 2:
        validate.fail(where, f"periods is {periods!r:.60}", "two numbers of steps, the shortest and the longest")
    shortest = validate.number(where, "periods[0]", periods[0], at_least=2, because="a shorter one looks longer")
    longest = validate.number(where, "periods[1]", periods[1], at_least=shortest)
    period = rng.uniform(shortest, longest, (N, sines))
    phase = rng.uniform(0.0, 2.0 * np.pi, (N, sines))
    t = np.arange(T + 1)[:, None, None]
    series = np.sqrt(2.0 / sines) * np.sin(2.0 * np.pi * t / period + phase).sum(axis=2)
    series += noise * rng.standard_normal((T + 1, N))
    return series[:-1, :, None].copy(), series[1:, :, None].copy()
