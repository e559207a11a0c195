"""What the claims' scripts have in common: run in full and save, or short and only print."""

from __future__ import annotations

import argparse
import importlib

from benchmarks.machine import save_result
from rnn_from_scratch.article.claims.registry import CLAIMS


def run_claim(name: str) -> None:
    """Run a claim's experiment as its module sets it up, and save it; with `--quick` as the list says, unsaved."""
    claim = CLAIMS[name]
    parser = argparse.ArgumentParser(description=f"Claim {name}: {claim.question}")
    parser.add_argument("--quick", action="store_true", help="a short version; the result is not saved")
    if parser.parse_args().quick:
        result = claim.run(quick=True, report=print)
    else:
        module = importlib.import_module(f"rnn_from_scratch.article.claims.{name.lower()}")
        result = module.run(report=print)
        print(save_result(f"claim_{name.lower()}", result).name)
    print(result["verdict"])
