"""The mutation test's long computation runs beside the other tests, on the second core."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Before NumPy is imported: on matrices this small a second thread only waits, and the mutation run needs the core.
for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

MUTATION = Path(__file__).parent / "diagnosis" / "mutation.py"
_started = pytest.StashKey[subprocess.Popen]()


def pytest_collection_modifyitems(items):
    """Put the tests that wait for it last."""
    items.sort(key=lambda item: "test_mutation.py" in item.nodeid)


def pytest_collection_finish(session):
    """Start it as soon as it is known to be wanted."""
    if any("test_mutation.py" in item.nodeid for item in session.items) and not session.config.option.collectonly:
        session.config.stash[_started] = subprocess.Popen(
            [sys.executable, str(MUTATION)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )


def pytest_sessionfinish(session):
    """Leave nothing running when a session ends early."""
    process = session.config.stash.get(_started, None)
    if process is not None and process.poll() is None:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def mutation(request):
    """Wait for it; give what it printed."""
    process = request.config.stash[_started]
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return out
