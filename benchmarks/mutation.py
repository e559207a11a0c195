"""How many of the single-edit mutants of each backward pass the conformance suite rejects.

Run as `python -m benchmarks.mutation` (some minutes); `--quick` judges a sample and saves nothing.
tests/diagnosis/judging.py says what is judged, and how.
"""

from __future__ import annotations

import argparse
import gc
import sys
from pathlib import Path
from typing import Any

from benchmarks.machine import save_result

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "diagnosis"))

KEYS = ("mutants", "changing", "raising", "rejected")


def run(share: float = 1.0) -> dict[str, Any]:
    """Judge the mutants of every function, or a share of them; print a line each."""
    from judging import SUBJECTS, fingerprint, judge

    gc.set_threshold(200_000)  # thousands of exceptions, each with its frames: rarer collections take less time
    print(f"{'backward pass':40s}" + "".join(f"{key:>10s}" for key in KEYS))
    rows: list[dict[str, Any]] = []
    for name, subject in SUBJECTS.items():
        found = judge(subject, share)
        rows.append({
            "function": name, "fingerprint": fingerprint(subject.function), "mutants": len(found.effects),
            "changing": found.changing, "raising": found.effects.count("raised"),
            "rejected": found.changing - len(found.alive), "alive": found.alive,
        })
        print_row(rows[-1])
    together = {key: sum(row[key] for row in rows) for key in KEYS}
    print_row({"function": "together", **together})
    return {"together": together, "verdict": verdict(rows), "functions": rows}


def print_row(row: dict[str, Any]) -> None:
    """Print a line of the table."""
    print(f"{row['function']:40s}" + "".join(f"{row[key]:10d}" for key in KEYS), flush=True)


def verdict(rows: list[dict[str, Any]]) -> str:
    """Say in a sentence what was found."""
    rejected, changing, made = (sum(row[key] for row in rows) for key in ("rejected", "changing", "mutants"))
    said = f"{made} mutants of {len(rows)} functions: {changing} change a gradient, {rejected} of those are rejected."
    return " ".join([said, *(f"Not rejected: {row['function']}, {label}." for row in rows for label in row["alive"])])


def main() -> None:
    """Judge them all and save what was found, or a sample unsaved."""
    parser = argparse.ArgumentParser(description="The conformance suite against single-edit mutants.")
    parser.add_argument("--quick", action="store_true", help="a sample; the result is not saved")
    if parser.parse_args().quick:
        result = run(share=0.1)
    else:
        result = run()
        print(save_result("mutation", result).name)
    print(result["verdict"])


if __name__ == "__main__":
    main()
