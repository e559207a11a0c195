"""Claim C12: what a probe shows, before and after training, against what its removal costs.

Run as `python -m benchmarks.claim_c12` (two to three minutes); `--quick` takes three seeds of one cell, and saves
nothing.
"""

from __future__ import annotations

from benchmarks.run_claim import run_claim

if __name__ == "__main__":
    run_claim("C12")
