"""Runs that are kept one by one: nothing is done twice, nothing is taken from other settings."""

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def jobs(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.jobs")


def counted(results, done):
    return {key: lambda key=key, value=value: (done.append(key), value)[1] for key, value in results.items()}


def test_an_interrupted_call_goes_on_where_it_was(jobs, tmp_path):
    done = []

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        jobs.run_jobs("sample", {"T": 3}, {**counted({"a": 1, "b": 2}, done), "c": stop}, keep=True, folder=tmp_path)
    again = counted({"c": 3, "b": 20, "a": 10}, done)
    found = jobs.run_jobs("sample", {"T": 3}, again, keep=True, folder=tmp_path)
    assert (list(found.items()), done) == ([("c", 3), ("b", 2), ("a", 1)], ["a", "b", "c"])
    jobs.forget("sample", tmp_path)
    assert not list(tmp_path.iterdir())
    jobs.forget("sample", tmp_path)


def test_other_settings_start_anew(jobs, tmp_path):
    done = []
    jobs.run_jobs("sample", {"T": 3}, counted({"a": 1}, done), keep=True, folder=tmp_path)
    assert jobs.run_jobs("sample", {"T": 4}, counted({"a": 2}, done), keep=True, folder=tmp_path) == {"a": 2}
    assert done == ["a", "a"]


def test_without_keep_nothing_is_read_or_written(jobs, tmp_path):
    done = []
    jobs.run_jobs("sample", {"T": 3}, counted({"a": 1}, done), keep=True, folder=tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert jobs.run_jobs("sample", {"T": 3}, counted({"a": 5}, done), keep=False, folder=tmp_path) == {"a": 5}
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
