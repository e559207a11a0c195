"""Claim C9: the gap between training and test against the learning rate, at equal training loss.

Run as `python -m benchmarks.claim_c9` (about two minutes); `--quick` takes two seeds and saves nothing.
"""

from __future__ import annotations

from benchmarks.run_claim import run_claim
from rnn_from_scratch.article.claims import c9

if __name__ == "__main__":
    quick = {"seeds": (0, 1), "rates": (0.03, 0.3), "sizes": (64,)}
    run_claim(c9, "does a small learning rate avoid overfitting?", quick)
