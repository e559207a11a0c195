"""Claim C1: which networks learn to recall a symbol, against the lag.

Run as `python -m benchmarks.claim_c1` (about ten minutes of CPU time); `--quick` takes one seed, two kinds and two
lags, and saves nothing. The committed result was put together from two runs with these settings: one of the kind
that is trained by gradient descent, one of all the others.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: matrices this small gain nothing from more

from benchmarks.run_claim import run_claim
from rnn_from_scratch.article.claims import c1

if __name__ == "__main__":
    kinds = ("RNN, radius 0.8", "RNN, orthogonal")
    quick = {"seeds": (0,), "tuning_seeds": (100,), "lags": (5, 40), "kinds": kinds, "updates": 300}
    run_claim(c1, "do recurrent networks remember long-range dependencies?", quick)
