"""Claim C1: which networks learn to recall a symbol, against the lag.

Run as `python -m benchmarks.claim_c1` (about ten minutes of CPU time); `--quick` takes one seed, two kinds and two
lags, and saves nothing. The committed result was put together from two runs with these settings: one of the kind
that is trained by gradient descent, one of all the others.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: matrices this small gain nothing from more

from benchmarks.run_claim import run_claim

if __name__ == "__main__":
    run_claim("C1")
