"""Claim C4: textbook, stepwise and fused training with equal gradients; streaming beside recomputing the prefix.

Run as `python -m benchmarks.claim_c4` (about a minute); `--quick` takes small sizes and saves nothing.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: CPU seconds are then one core's

from benchmarks.run_claim import run_claim
from rnn_from_scratch.article.claims import c4

if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):  # one core, so that its caches are not left behind
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    quick = {"sizes": ((1, 100, 10, 5), (16, 100, 10, 32)), "lengths": (1, 10, 30), "rounds": 3}
    run_claim(c4, "are more efficient algorithms faster, with equal gradients?", quick)
