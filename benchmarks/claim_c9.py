"""Claim C9: the gap between training and test against the learning rate, at equal training loss.

Run as `python -m benchmarks.claim_c9` (two to four minutes); `--quick` takes two seeds and saves nothing.
"""

from __future__ import annotations

from benchmarks.run_claim import run_claim

if __name__ == "__main__":
    run_claim("C9")
