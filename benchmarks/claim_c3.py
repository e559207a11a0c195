"""Claim C3: more sequences at once, all steps at once, two threads: is it faster?

Run as `python -m benchmarks.claim_c3` (two to three minutes); `--quick` takes few sizes and one seed, and saves
nothing. Leave the machine alone meanwhile: the figures of two threads are seconds of the wall.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: CPU seconds are then one core's

from benchmarks.run_claim import run_claim
from rnn_from_scratch.article.claims import c3

if __name__ == "__main__":
    quick = {
        "batches": (1, 16), "learners": (4, 64), "rates": (0.03,), "seeds": (0,), "shapes": ((1000, 8), (1000, 2048)),
        "sizes": ((1, 1000, 32, 32),), "threaded": ((64, 50, 128, 256),), "rounds": 3,
    }
    run_claim(c3, "is doing more at once faster?", quick)
