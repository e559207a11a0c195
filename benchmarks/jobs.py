"""Many trainings, each kept as soon as it is done, so that an interruption loses one of them and not all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from benchmarks.machine import RESULTS, load_result, save_result


def run_jobs(
    name: str, settings: Mapping[str, Any], jobs: Mapping[str, Callable[[], Any]], *, keep: bool, folder: Path = RESULTS
) -> dict[str, Any]:
    """Run every job and return {its key: what it returned}, in the order of `jobs`.

    With `keep`, the results so far stand in <folder>/<name>_partial.json after each job. A later call with the same
    settings takes from there what is done; one with others starts anew. `forget` removes the file.
    """
    partial = f"{name}_partial"
    found: dict[str, Any] = {}
    if keep and (folder / f"{partial}.json").exists():
        saved = load_result(partial, folder)
        if saved["settings"] == dict(settings):
            found = {key: value for key, value in saved["done"].items() if key in jobs}
    with tqdm(total=len(jobs), initial=len(found), unit="run", disable=None) as bar:
        for key, job in jobs.items():
            if key in found:
                continue
            found[key] = job()
            bar.update()
            bar.write(f"{key}: {found[key]}"[:300])
            if keep:
                save_result(partial, {"settings": dict(settings), "done": found}, folder)
    return {key: found[key] for key in jobs}


def forget(name: str, folder: Path = RESULTS) -> None:
    """Remove what `run_jobs` kept, once the whole result is saved."""
    (folder / f"{name}_partial.json").unlink(missing_ok=True)
