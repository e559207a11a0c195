"""Claim C5: seconds to a loss of 0.05 by batch size, beside throughput.

Run as `python -m benchmarks.claim_c5` (two to four minutes); `--quick` takes one seed and saves nothing.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: the times are those of one core

from benchmarks.run_claim import run_claim

if __name__ == "__main__":
    run_claim("C5")
