r"""How far a share that was counted may be from the truth: the Wilson score interval.

Source: Wilson (1927); Newcombe (1998), method 3; notebooks 13, 14; tests/metrics/test_intervals.py.
"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from .. import validate


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
