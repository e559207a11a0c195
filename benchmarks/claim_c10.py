"""Claim C10: missing values deleted, filled, told to the network and predicted, by share, pattern and data.

Run as `python -m benchmarks.claim_c10` (some ten minutes on one core); `--quick` takes one seed and two shares, and
saves nothing. The committed result was put together from three runs with these settings: one of the synthetic data, and
one of the prices for each pattern.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: matrices this small gain nothing from more

from benchmarks.run_claim import run_claim

if __name__ == "__main__":
    run_claim("C10")
