"""How the tests are run: on several cores, each worker with a single thread, and without looking at old objects."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

# Before NumPy is imported: on matrices this small a second thread only waits, and the other cores have tests to run.
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# jsonschema, which nbformat imports, compiles 39 grammars for web addresses with this: seconds, and nothing here asks.
sys.modules.setdefault("rfc3987_syntax", None)

MOST = 4  # each worker imports and collects everything for itself


def pytest_xdist_auto_num_workers(config):
    """For `-n auto`: a worker a core for a folder of tests, none for single files, where starting one takes longer."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    folders = any(Path(argument).is_dir() for argument in config.args)
    return min(cores, MOST) if folders and cores > 1 else 0


def pytest_collection_finish():
    """Keep the garbage collector from going through thousands of tests and modules again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def verified():
    """`python -m rnn_from_scratch verify`, run once for all that look at what it prints."""
    command = [sys.executable, "-W", "error", "-m", "rnn_from_scratch", "verify"]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(command, capture_output=True, encoding="utf-8", env=environment, timeout=60, check=False)
