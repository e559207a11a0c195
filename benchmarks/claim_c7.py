"""Claim C7: seeds solved against the learning rate, by clip.

Run as `python -m benchmarks.claim_c7` (three to four minutes); `--quick` takes one seed and saves nothing.
"""

from __future__ import annotations

from benchmarks.run_claim import run_claim
from rnn_from_scratch.article.claims import c7

if __name__ == "__main__":
    run_claim(c7, "does clipping avoid explosion?", {"seeds": (0,), "rates": (0.03, 0.1), "updates": 300})
