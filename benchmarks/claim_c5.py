"""Claim C5: seconds to a loss of 0.05 by batch size, beside throughput.

Run as `python -m benchmarks.claim_c5` (two to four minutes); `--quick` takes one seed and saves nothing.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy: the times are those of one core

from benchmarks.run_claim import run_claim
from rnn_from_scratch.article.claims import c5

if __name__ == "__main__":
    quick = {"seeds": (0,), "batch_sizes": (8, 512), "rates": (0.1, 0.3), "rounds": 20}
    run_claim(c5, "does batch gradient descent train faster?", quick)
