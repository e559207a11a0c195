"""claims: what is printed, what is counted, and what happens where an experiment fails."""

import io
import json
import os
import re
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from commands import here

from benchmarks import compression
from rnn_from_scratch.article.claims import registry, running
from rnn_from_scratch.article.claims.registry import CLAIMS, Claim
from rnn_from_scratch.cli import main

ROOT = Path(__file__).parents[1]


def test_a_claim_is_run_in_a_process_of_its_own_and_told(capsys):
    code, out, errors = here(capsys, "claims", "c8", "--quick")
    assert code == 0, errors
    assert out.startswith("C8  §5 Q1: gates cure vanishing and exploding gradients (notebook 11, ")
    assert "Vanishing: holds where f (in the GRU z) is near 1" in out
    assert out.endswith("1 claim tested. Short versions: a look, no verdict to quote.\n")
    assert re.fullmatch(r"  C8 done, 1 of 1 \(\d+ s\)\n", errors)


def test_as_json(capsys):
    code, out, _ = here(capsys, "claims", "C8", "--quick", "--json")
    (row,) = json.loads(out)
    assert code == 0
    assert row["id"] == "C8"
    assert row["claim"] == CLAIMS["C8"].claim
    assert row["verdict"].startswith("Vanishing: holds")
    assert row["fault"] is None


@pytest.fixture
def at_home(monkeypatch):
    """Run the experiments in this process, where they can be exchanged."""

    class Threads(ThreadPoolExecutor):
        def __init__(self, workers):
            super().__init__(workers)
            pools.append((workers, []))

        def submit(self, function, name, *arguments):
            pools[-1][1].append(name)
            return super().submit(running._one, name, *arguments)

    pools = []
    monkeypatch.setattr(running, "ThreadPoolExecutor", Threads)
    return pools


def test_one_that_fails_takes_nobody_with_it(capsys, monkeypatch, at_home):
    threads = []

    def run(self, *, quick, report):
        threads.append(os.environ["OPENBLAS_NUM_THREADS"])
        if report is not None:
            report(f"quick is {quick}")
        if self.id == "C3":
            raise ZeroDivisionError("nothing to divide by")
        return {"verdict": f"holds for {self.id}"}

    monkeypatch.setattr(Claim, "run", run)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    code, out, errors = here(capsys, "claims", "C3", "C1", "C8", "--verbose")
    assert code == 1
    assert re.findall(r"^C\d", out, re.MULTILINE) == ["C1", "C3", "C8"]  # in the article's order
    assert "could not be tested: ZeroDivisionError: nothing to divide by" in out
    assert out.endswith("3 claims tested, 1 of them FAILED to run.\n")
    assert "  C1: quick is False\n" in errors
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    assert at_home == [(min(2, cores), ["C1", "C8"]), (1, ["C3"])]  # C3 measures time: it runs alone, and last
    assert threads == ["1"] * 3
    assert os.environ["OPENBLAS_NUM_THREADS"] == "7"
    assert "OMP_NUM_THREADS" not in os.environ


def killed(name, quick, verbose):
    """C7 takes its process with it, as when the memory is full."""
    if name == "C7":
        os._exit(9)
    silent = signal.getsignal(signal.SIGINT) == signal.SIG_DFL  # Ctrl-C ends it without a traceback
    return running.Outcome(name, f"holds in process {os.getpid()}, silent: {silent}", 0.0)


def test_one_whose_process_is_killed_takes_nobody_with_it(monkeypatch):
    monkeypatch.setattr(running, "_one", killed)
    found = {one.id: one for one in running.run_claims([CLAIMS[name] for name in ("C1", "C7", "C8")])}
    assert found["C7"].fault == "its process was killed: is there enough memory?"
    told = [found[name].verdict for name in ("C1", "C8")]
    assert all(re.fullmatch(r"holds in process \d+, silent: True", verdict) for verdict in told)
    assert told[0] != told[1], "each in a process of its own"


def test_progress_that_nobody_reads_costs_no_table(monkeypatch, at_home, capsys):
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(Claim, "run", lambda self, quick, report: (report("here"), {"verdict": "holds"})[1])
    monkeypatch.setattr(sys, "stderr", Full())
    assert main(["claims", "C1", "C8", "--verbose"]) == 0
    assert capsys.readouterr()[0].endswith("2 claims tested.\n")


def test_in_a_terminal_there_is_a_bar(monkeypatch, at_home, capsys):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(Claim, "run", lambda self, quick, report: {"verdict": "holds"})
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert main(["claims", "C1", "C2"]) == 0
    assert "/2 [" in terminal.getvalue()


def test_a_claim_that_there_is_not_is_told(capsys):
    code, _, errors = here(capsys, "claims", "C99")
    assert code == 2
    assert "claims: 'C99' is no claim, expected one of C1, C2, C3" in errors


def test_every_claim_has_its_experiment_its_notebook_and_a_saved_result():
    listed = [int(name.removeprefix("C")) for name in CLAIMS]
    assert listed == sorted(listed)
    files = {path.stem.upper() for path in (ROOT / "rnn_from_scratch/article/claims").glob("c*.py")
             if re.fullmatch(r"c\d+", path.stem)}
    assert set(CLAIMS) == files
    for name, claim in CLAIMS.items():
        (notebook,) = (ROOT / "notebooks/solutions").glob(f"{claim.notebook}_*.ipynb")
        text = notebook.read_text(encoding="utf-8")
        saved = claim.saved
        assert name in text
        assert saved.removeprefix("claim_") in text, f"{notebook.name} does not show the saved result of {name}"
        result = json.loads((ROOT / f"benchmarks/results/{saved}.json").read_text(encoding="utf-8"))
        assert "hold" in result["verdict"].lower().lower()
        assert (ROOT / f"benchmarks/{saved}.py").exists()
    assert registry.CLAIMS["C2"].quick == compression.QUICK
