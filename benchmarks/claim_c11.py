"""Claim C11: what helps with long sequences, at equal CPU seconds and parameters.

Run as `python -m benchmarks.claim_c11` (about twenty minutes of CPU time); `--quick` takes one seed, three kinds, two
lags and one second each, and saves nothing.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: one thread, so that CPU seconds are seconds

from benchmarks.run_claim import run_claim

if __name__ == "__main__":
    run_claim("C11")
