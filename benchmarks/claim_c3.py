"""Claim C3: more sequences at once, all steps at once, two threads: is it faster?

Run as `python -m benchmarks.claim_c3` (two to three minutes); `--quick` takes few sizes and one seed, and saves
nothing. Leave the machine alone meanwhile: the figures of two threads are seconds of the wall.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: CPU seconds are then one core's

from benchmarks.run_claim import run_claim

if __name__ == "__main__":
    run_claim("C3")
