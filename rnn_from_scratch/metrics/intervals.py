r"""How far a share that was counted, or a mean that was measured, may be from the truth.

Source: Wilson (1927); Newcombe (1998), method 3; Student (1908); notebooks 06, 13, 14; tests/metrics/test_intervals.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from .. import validate
from ..arrays import Array


def wilson_interval(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    r"""Return the interval of the shares p that the count does not speak against.

    .. math:: \left|\hat p - p\right| \le z \sqrt{p (1 - p) / n}, \qquad
              \frac{\hat p + z^2/2n \pm z \sqrt{\hat p (1 - \hat p)/n + z^2/4n^2}}{1 + z^2/n}

    Unlike p̂ ± z·√(p̂(1 − p̂)/n) it stays within 0 … 1, and it does not shrink to a point where all or none succeed:
    1000 of 1000 leaves 0.9962 … 1.

    Parameters
    ----------
    successes, trials : int
        0 ≤ successes ≤ trials = n, p̂ their quotient. The trials must be independent: the characters of one text, or
        one test set under several seeds, are less than they seem.
    confidence : float
        How often such an interval holds the true share; z = 1.96 for 0.95.

    Raises
    ------
    ArgumentError
        No trials, counts that are no whole numbers or do not fit, a confidence outside 0 … 1.

    Source: Wilson (1927); Newcombe (1998), method 3; tests/metrics/test_intervals.py.
    """
    where = "wilson_interval"
    n = validate.size(where, "trials", trials)
    whole = isinstance(successes, int | np.integer) and not isinstance(successes, bool)
    if not whole or not 0 <= successes <= n:
        because = f"it is how many of the {n} trials succeeded"
        validate.fail(where, f"successes is {successes!r}", f"a whole number from 0 to {n}", because)
    confidence = validate.number(where, "confidence", confidence, above=0.0, below=1.0)
    z = NormalDist().inv_cdf((1.0 + confidence) / 2.0)
    successes = int(successes)
    share = successes / n
    middle = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1.0 - share) / n + z * z / (4 * n * n))
    low, high = ((middle + sign * half) / (1.0 + z * z / n) for sign in (-1.0, 1.0))
    return (low if successes else 0.0), (high if successes < n else 1.0)  # 0 and 1 exactly, which rounding may miss


def mean_interval(values: Sequence[float] | Array, confidence: float = 0.95) -> tuple[float, float, float]:
    r"""Return the mean of independent values, and the ends of Student's interval around it.

    .. math:: \bar x \pm t \, s / \sqrt n, \qquad s^2 = \frac{1}{n-1} \sum_i (x_i - \bar x)^2

    t is the quantile of Student's distribution with n − 1 degrees of freedom: 2.365 for n = 8 and 0.95, and 1.96 for
    large n. To compare two settings over the same seeds, take the seeds' differences: what both share falls out.

    Parameters
    ----------
    values : (n,)
        At least two finite numbers, drawn independently, not far from normal: one for each seed.
    confidence : float
        How often such an interval holds the true mean.

    Returns
    -------
    mean, low, high : float

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        Fewer than two values, or what is no finite real number; a confidence outside 0 … 1.

    Source: Student (1908); notebook 06; tests/metrics/test_intervals.py.
    """
    where = "mean_interval"
    array = validate.as_array(where, "values", values)
    if array.dtype.kind not in "iuf":
        validate.fail(where, f"values has dtype {array.dtype}", "real numbers", error=validate.DtypeError)
    validate.shape(where, "values", array, ("n",), "they are drawn one by one")
    validate.finite(where, "values", array, hint="A run that failed has no value: leave it out, and say so.")
    n = len(array)
    if n < 2:
        validate.fail(where, f"values has {n} entries", "at least 2", "one value says nothing of its spread")
    confidence = validate.number(where, "confidence", confidence, above=0.0, below=1.0)
    mean, spread = float(array.mean()), float(array.std(ddof=1))
    half = _student(confidence, n - 1) * spread / math.sqrt(n)
    return mean, mean - half, mean + half


def _student(confidence: float, freedom: int) -> float:
    """Return t with P(|T| < t) = confidence: with t = √ν·tan(a), P is an integral of cos^(ν − 1) from 0 to a."""
    angles = np.linspace(0.0, math.pi / 2, 20001)
    heights = np.cos(angles) ** (freedom - 1)
    # Simpson's rule over pairs of steps: the integral up to every second angle
    areas = np.cumsum(heights[:-2:2] + 4.0 * heights[1::2] + heights[2::2])
    angle = np.interp(confidence, np.concatenate([[0.0], areas / areas[-1]]), angles[::2])
    return math.sqrt(freedom) * math.tan(float(angle))
