"""Claim C8: the gradient against the lag, for networks with and without gates.

Run as `python -m benchmarks.claim_c8` (seconds); `--quick` takes one seed and saves nothing.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: matrices this small gain nothing from more

from benchmarks.run_claim import run_claim

if __name__ == "__main__":
    run_claim("C8")
