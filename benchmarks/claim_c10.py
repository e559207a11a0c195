"""Claim C10: missing values deleted, filled, told to the network and predicted, by share, pattern and data.

Run as `python -m benchmarks.claim_c10` (some ten minutes on one core); `--quick` takes one seed and two shares, and
saves nothing.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: matrices this small gain nothing from more

from benchmarks.run_claim import run_claim
from rnn_from_scratch.article.claims import c10

if __name__ == "__main__":
    quick = {"seeds": (0,), "missing": (0.2, 0.6), "sequences": 100, "filling_updates": 100, "forecast_updates": 60}
    run_claim(c10, "which way with missing values costs how much?", quick)
