"""Claim C13: the best learning rate over a grid of widths and amounts of data.

Run as `python -m benchmarks.claim_c13` (about two minutes); `--quick` takes two seeds and saves nothing.
"""

from __future__ import annotations

from benchmarks.run_claim import run_claim

if __name__ == "__main__":
    run_claim("C13")
