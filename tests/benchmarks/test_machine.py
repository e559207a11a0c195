"""Results are saved whole, and say what they depend on without saying where they were made."""

import importlib
import json
import platform
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def machine(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.machine")


def test_what_a_time_depends_on(machine, monkeypatch):
    for name in machine.THREAD_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    assert machine.describe_machine()["blas_threads"] == "default"
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")  # the more specific one counts
    found = machine.describe_machine()
    assert found["blas_threads"] == 1
    assert found["cores"] >= 1
    assert found["python"] == platform.python_version()
    assert all(isinstance(name, str) for name in found["simd"])
    assert set(found) == {"system", "architecture", "simd", "cores", "python", "numpy", "blas", "blas_threads"}


def test_a_result_comes_back_with_the_machine(machine, tmp_path):
    path = machine.save_result("claim", {"η": [0.1, None]}, tmp_path / "new")
    assert path == tmp_path / "new" / "claim.json"
    found = machine.load_result("claim", tmp_path / "new")
    assert found["η"] == [0.1, None]
    assert found["machine"] == machine.describe_machine()


def test_what_cannot_be_saved_leaves_the_old_result(machine, tmp_path, monkeypatch):
    path = machine.save_result("claim", {"loss": 1.0}, tmp_path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="not JSON compliant"):
        machine.save_result("claim", {"loss": float("nan")}, tmp_path)

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(machine.os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        machine.save_result("claim", {"loss": 2.0}, tmp_path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["claim.json"]


@pytest.mark.parametrize("path", sorted((ROOT / "benchmarks" / "results").glob("*.json")), ids=lambda path: path.stem)
def test_saved_results_name_no_machine(path):
    text = path.read_text(encoding="utf-8")
    found = json.loads(text)["machine"]
    assert {"cores", "python", "numpy", "blas"} <= set(found)
    for place in ("/home/", "/tmp/", "/usr/", "/work/", "\\Users\\"):
        assert place not in text
