"""Claim C4: textbook, stepwise and fused training with equal gradients; streaming beside recomputing the prefix.

Run as `python -m benchmarks.claim_c4` (about a minute); `--quick` takes small sizes and saves nothing.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: CPU seconds are then one core's

from benchmarks.run_claim import run_claim

if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity"):  # one core, so that its caches are not left behind
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    run_claim("C4")
