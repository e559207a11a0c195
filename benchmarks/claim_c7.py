"""Claim C7: seeds solved against the learning rate, by clip.

Run as `python -m benchmarks.claim_c7` (three to four minutes); `--quick` takes one seed and saves nothing.
"""

from __future__ import annotations

from benchmarks.run_claim import run_claim

if __name__ == "__main__":
    run_claim("C7")
