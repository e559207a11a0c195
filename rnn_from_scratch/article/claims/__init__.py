"""The article's claims as experiments: cN.py holds claim CN.

Each has `run(…) -> dict`, plain numbers that JSON can hold, and `verdict(result) -> str`, in words: holds, holds
where …, or does not hold. `benchmarks/claim_cN.py` (for C2, `benchmarks/compression.py`; for C4's ladder,
`benchmarks/tricks.py`) runs it in full and saves the result; the notebook loads that result and runs a short version of
the same function.
"""
