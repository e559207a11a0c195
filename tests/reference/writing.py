"""How the reference values are written, with the versions that made them, or with `--check` recomputed and compared."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import numpy as np
import torch


def write_or_check(file: Path, made: dict[str, np.ndarray]) -> int:
    """Write the arrays, or compare them with those that were saved; return the process's exit code."""
    if "--check" not in sys.argv:
        versions = {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()}
        np.savez(file, **made, **{f"version/{name}": np.array(version) for name, version in versions.items()})
        print(f"{file.name}: {len(made)} arrays from torch {torch.__version__}")
        return 0
    with np.load(file) as saved:
        names = {name for name in saved.files if not name.startswith("version/")}
        wrong = sorted(names ^ set(made))
        wrong += [name for name in sorted(names & set(made)) if not np.allclose(saved[name], made[name], 0, 1e-12)]
        print(f"{file.name}, made with torch {saved['version/torch']}: "
              + (f"differs: {', '.join(wrong)}" if wrong else "the same"))
    return int(bool(wrong))
