"""What a measurement depends on, and how its result is saved.

A result says on what kind of machine it was made (cores, threads, Python, NumPy, BLAS), never on which one: no host
name, no user, no path.
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

RESULTS = Path(__file__).parent / "results"

# The variables that OpenBLAS, MKL and Accelerate read, the most specific first.
THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "OMP_NUM_THREADS")


def describe_machine() -> dict[str, Any]:
    """Return what a time depends on, as plain text and numbers.

    `blas_threads` is what the environment asks for, "default" where it asks for nothing (all cores, then). `simd` are
    the processor's instruction sets that this NumPy has code for and uses: "AVX512_ICL", "NEON".
    """
    config = np.show_config(mode="dicts")
    blas, simd = config["Build Dependencies"]["blas"], config.get("SIMD Extensions", {})
    asked = [os.environ[name] for name in THREAD_VARIABLES if os.environ.get(name)]
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "simd": [*simd.get("baseline", []), *simd.get("found", [])],
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "blas": f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip(),
        "blas_threads": int(asked[0]) if asked and asked[0].isdigit() else "default",
    }


def save_result(name: str, result: dict[str, Any], folder: Path = RESULTS) -> Path:
    """Write `result` with the machine's description to <folder>/<name>.json, the whole file or nothing.

    NaN and infinity are refused (ValueError), since JSON has no word for them: use None.
    """
    text = json.dumps({**result, "machine": describe_machine()}, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    descriptor, temporary = tempfile.mkstemp(prefix=name, suffix=".tmp", dir=folder)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)  # mkstemp's files are for their owner alone
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


def load_result(name: str, folder: Path = RESULTS) -> dict[str, Any]:
    """Read a saved result."""
    result: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return result
