"""What the claims' scripts have in common: run in full and save, or short and only print."""

from __future__ import annotations

import argparse
from types import ModuleType
from typing import Any

from benchmarks.machine import save_result


def run_claim(claim: ModuleType, question: str, quick: dict[str, Any]) -> None:
    """Run the claim's experiment as its module sets it up, and save it; with `--quick` as `quick` says, unsaved."""
    name = claim.__name__.rpartition(".")[2]
    parser = argparse.ArgumentParser(description=f"Claim {name.upper()}: {question}")
    parser.add_argument("--quick", action="store_true", help="a short version; the result is not saved")
    if parser.parse_args().quick:
        result = claim.run(**quick, report=print)
    else:
        result = claim.run(report=print)
        print(save_result(f"claim_{name}", result).name)
    print(result["verdict"])
