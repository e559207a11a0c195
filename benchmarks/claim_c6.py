"""Claim C6: truncated backpropagation beside the full one, in time, memory and accuracy.

Run as `python -m benchmarks.claim_c6` (six minutes of CPU time); `--quick` takes one seed and saves nothing.
The committed result was put together from two runs with these settings: one of the race, one of the pass's cost.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: one thread, so that CPU seconds are seconds

from benchmarks.run_claim import run_claim

if __name__ == "__main__":
    run_claim("C6")
