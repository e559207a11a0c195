"""Claim C13: the best learning rate over a grid of widths and amounts of data.

Run as `python -m benchmarks.claim_c13` (about two minutes); `--quick` takes two seeds and saves nothing.
"""

from __future__ import annotations

from benchmarks.run_claim import run_claim
from rnn_from_scratch.article.claims import c13

if __name__ == "__main__":
    quick = {"seeds": (0, 1), "widths": (4, 16), "sizes": (32, 256), "rates": (0.03, 0.1, 0.3)}
    run_claim(c13, "does the right learning rate depend on the model and the data?", quick)
