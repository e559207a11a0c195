"""The command line as a person meets it: what it prints, its exit codes, one line for a wrong call."""

import dataclasses
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import here

from rnn_from_scratch.cli import main
from rnn_from_scratch.diagnosis.faults import FAULTS
from rnn_from_scratch.diagnosis.museum import EXHIBITS

ROOT = Path(__file__).resolve().parent.parent


def run(*arguments, **options):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-W", "error", "-m", "rnn_from_scratch", *arguments]
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", env=environment, timeout=60, check=False, **options
    )


def test_verify_prints_a_row_an_equation_and_exits_with_0(verified):  # as JSON: tests/article/test_equations.py
    assert verified.returncode == 0, verified.stderr
    assert verified.stderr == ""
    header, *rows, summary = verified.stdout.splitlines()
    assert header.split() == ["id", "equation", "code", "central", "complex", "verdict", "also", "measured"]
    assert len(rows) == 34
    assert all(re.search(r"\bproven\b", row) for row in rows)
    assert summary.startswith("34 rows of 15 ids: every one proven.")


def test_verify_json_has_the_methods_that_were_asked_for(capsys):
    assert main(["verify", "E-CE", "--json", "--method", "richardson"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["central"] is None
    assert row["complex"] is None
    assert 0 < row["richardson"] < 1e-8


@pytest.mark.parametrize("fault", FAULTS)
def test_an_injected_fault_is_seen_to_fail(fault, capsys):
    assert main(["verify", "E-BPTT", "--method", "complex", "--inject", fault]) == 1
    out = capsys.readouterr().out
    assert "WRONG" in out
    assert f"Injected: {fault}." in out


def test_the_seed_changes_the_points(capsys):
    outputs = []
    for seed in ("0", "0", "1"):
        main(["verify", "E-BPTT", "--json", "--seed", seed])
        outputs.append(json.loads(capsys.readouterr().out))
    assert outputs[0] == outputs[1] != outputs[2]


def test_museum_lists_the_exhibits(capsys):
    code, out, errors = here(capsys, "museum")
    assert (code, errors) == (0, "")
    header, *rows = out.split("\n\n")[0].splitlines()
    assert header.split() == ["name", "reference", "kind", "title"]
    assert [row.split()[0] for row in rows] == list(EXHIBITS)
    assert f"\n{len(EXHIBITS)} backward passes that were published wrong." in out
    assert "python -m rnn_from_scratch museum NAME" in out


def test_museum_json(capsys):
    assert main(["museum", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed == [{"name": one.name, "reference": one.reference, "kind": one.kind, "title": one.title}
                      for one in EXHIBITS.values()]
    assert main(["museum", "whh", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["refused"] == ["W_xh", "W_hh", "b_h"]
    assert shown["named"][0] == shown["kind"] == "recurrent-matrix"
    assert shown["ok"] is True


def test_museum_shows_an_exhibit(capsys):
    code, page, errors = here(capsys, "museum", "whh_not")  # the beginning of one name alone
    assert (code, errors) == (0, "")
    assert page.startswith("W_hh δ where W_hhᵀ δ is meant\n")
    assert re.search(r"^W_hh +2×2 .* WRONG$", page, re.MULTILINE)
    assert "\n    - d_future = p[\"Whh\"] @ temp\n    + d_future = p[\"Whh\"].T @ temp\n" in page
    assert "diagnose names it: recurrent-matrix\n" in page
    assert page.endswith("\nAs told: refused, named, mended.\n")


def exchanged(name):
    return dataclasses.replace(EXHIBITS[name], wrong=EXHIBITS[name].right, right=EXHIBITS[name].wrong)


@pytest.fixture
def three(monkeypatch):
    """A small museum whose last exhibit has its two functions exchanged."""
    few = {name: EXHIBITS[name] for name in ("mean_over_classes", "clipped_inside")}
    few["negative_index"] = exchanged("negative_index")
    for module in ("showing", "riddles"):
        monkeypatch.setattr(f"rnn_from_scratch.diagnosis.museum.{module}.EXHIBITS", few)


@pytest.mark.usefixtures("three")
def test_an_exhibit_that_does_not_behave_ends_with_1(capsys):
    assert main(["museum", "clipped"]) == 0
    assert main(["museum", "negative_index"]) == 1
    assert "NOT AS TOLD: the check does not refuse the wrong one; " in capsys.readouterr().out


@pytest.mark.usefixtures("three")
def test_museum_all_prints_a_line_each_and_exits_with_1_if_one_is_not_as_told(capsys):
    assert main(["museum", "--all"]) == 1
    header, *rows, summary = capsys.readouterr().out.splitlines()
    assert re.split(" {2,}", header) == ["name", "the check refuses", "diagnose names", "label"]
    assert [re.split(" {2,}", row)[:4] for row in rows] == [
        ["mean_over_classes", "W_xh W_hh b_h W_hy b_y", "scale", "scale"],
        ["clipped_inside", "W_xh W_hh b_h W_hy b_y", "clipped", "clipped"],
        ["negative_index", "nothing", "nothing", "wrong-time-index"],
    ]
    assert [row.endswith("  as told") for row in rows] == [True, True, False]
    assert summary == "3 exhibits: 1 NOT AS TOLD"
    assert main(["museum", "--all", "--json"]) == 1
    assert [one["ok"] for one in json.loads(capsys.readouterr().out)] == [True, True, False]


@pytest.mark.usefixtures("three")
def test_a_reader_who_leaves_during_museum_all_changes_no_verdict(monkeypatch):
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stdout", Gone())
    assert main(["museum", "--all"]) == 1


def test_train_article_prints_both_curves(capsys):
    code, out, errors = here(capsys, "train", "article", "--updates", "40")
    assert code == 0, errors
    assert "ln 2 = 0.6931" in out
    curves = re.findall(r"training loss((?: +\d\.\d{4})+)", out)
    assert len(curves) == 2
    for curve in curves:
        numbers = [float(number) for number in curve.split()]
        assert len(numbers) == 5
        assert numbers[-1] < numbers[0]
    fresh = r"512 fresh sequences: loss \d\.\d{4} before, \d\.\d{4} after; \d+\.\d % right"
    assert len(re.findall(fresh, out)) == 2


def test_train_article_repeats(capsys):
    outputs = []
    for _ in range(2):
        assert main(["train", "article", "--updates", "5"]) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["prove"], "invalid choice: 'prove'"),
        (["verify", "E9"], "ID is 'E9', expected one of 'E2.1a'"),
        (["verify", "--seed", "one"], "argument --seed: invalid int value: 'one'"),
        (["verify", "--seed", "-1"], "seed is -1, expected a whole number of at least 0"),
        (["verify", "--method", "guess"], "argument --method: invalid choice: 'guess'"),
        (["verify", "--inject", "gremlin"], "argument --inject: invalid choice: 'gremlin'"),
        (["verify", "--loud"], "unrecognized arguments: --loud"),
        (["museum", "whh_transposed"], "NAME is 'whh_transposed', expected the name of an exhibit. Did you mean "
         "'whh_not_transposed'? `python -m rnn_from_scratch museum` lists all"),
        (["museum", "gremlin"], "expected the name of an exhibit. `python -m rnn_from_scratch museum` lists all"),
        (["museum", "output"], "one of those that begin so: output_of_the_state_before, output_weights_of_one_step."),
        (["museum", "whh", "--seed", "-1"], "museum: seed is -1, expected a whole number of at least 0"),
        (["museum", "--all", "--seed", "-1"], "museum: seed is -1, expected a whole number of at least 0"),
        (["museum", "whh", "--all"], "argument --all: not allowed with argument NAME"),
        (["train"], "the following arguments are required: PROGRAM"),
        (["train", "article", "--updates", "0"], "--updates is 0, expected a whole number of at least 1"),
        (["train", "article", "--updates", "2.5"], "argument --updates: invalid int value: '2.5'"),
        (["train", "article", "--seed", "-3"], "--seed is -3, expected a whole number of at least 0"),
        (["course"], "the following arguments are required: ACTION"),
        (["course", "release", "--folder", "no such folder"], "no such folder"),
    ],
)
def test_a_wrong_call_gets_one_line_and_exit_code_2(call, message, capsys):
    code, out, errors = here(capsys, *call)
    assert code == 2
    assert out == ""
    assert len(errors.splitlines()) == 1
    assert message in errors


def test_a_wrong_call_ends_the_process_with_2():
    done = run("verify", "E9")
    assert done.returncode == 2
    assert done.stderr.startswith("python -m rnn_from_scratch: verify: ID is 'E9'")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_ctrl_c_ends_cleanly():
    command = [sys.executable, "-m", "rnn_from_scratch", "train", "article", "--updates", "1000000"]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs inherit "ignored"
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    try:
        deadline = time.monotonic() + 30
        line = process.stderr.readline()  # the first progress line: training runs
        assert "update" in line
        assert time.monotonic() < deadline
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert errors.splitlines()[-1] == "stopped"


def shell(command, **more):
    """Run a line of shell in which PROGRAM is this one; return its exit code, output and errors, buffered as usual."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"} | more
    line = command.replace("PROGRAM", f"'{sys.executable}' -m rnn_from_scratch")
    done = subprocess.run(
        ["bash", "-c", line], capture_output=True, encoding="utf-8", env=environment, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


needs_bash = pytest.mark.skipif(shutil.which("bash") is None or os.name == "nt", reason="no bash")
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")


@needs_bash
@pytest.mark.parametrize(("command", "code"), [("verify E2.2", 0), ("verify E2.1a --inject scale --json", 1)])
def test_a_reader_that_stops_reading_changes_no_verdict(command, code):
    assert shell(f"PROGRAM {command} | true; exit ${{PIPESTATUS[0]}}") == (code, "", "")


@needs_bash
@pytest.mark.parametrize(
    ("command", "code"),
    [("verify E2.2 --json >&-", 0), ("verify E2.1a --inject scale >&- 2>&-", 1), ("verify E9 2>&-", 2)],
)
def test_closed_streams_change_no_verdict(command, code):
    assert shell(f"PROGRAM {command}") == (code, "", "")


@needs_bash
def test_training_goes_on_without_stderr():
    code, out, errors = shell("PROGRAM train article --updates 1 2>&-")
    assert (code, errors) == (0, "")
    assert out.count("512 fresh sequences") == 2


@needs_bash
@needs_full
@pytest.mark.parametrize("unbuffered", [{}, {"PYTHONUNBUFFERED": "1"}])
def test_a_full_disk_gets_one_line_and_exit_code_2(unbuffered):
    code, _, errors = shell("PROGRAM verify E2.2 > /dev/full", **unbuffered)
    assert code == 2
    assert re.fullmatch(r"python -m rnn_from_scratch: .*No space left on device\n", errors)
    assert shell("PROGRAM verify E9 2> /dev/full", **unbuffered) == (2, "", "")


@needs_bash
def test_ctrl_c_during_the_imports_ends_cleanly(tmp_path):
    (tmp_path / "numpy.py").write_text("raise KeyboardInterrupt\n", encoding="utf-8")
    code, out, errors = shell("PROGRAM verify", PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    assert (code, out, errors) == (130, "", "\nstopped\n")


@needs_bash
def test_an_injected_fault_is_told_without_docstrings():
    code, out, _ = shell("PROGRAM verify E2.1a --inject scale", PYTHONOPTIMIZE="2")
    assert code == 1
    assert "Injected: scale. Every gradient of the cell twice as large" in out


def test_a_method_given_twice_is_one_column(capsys):
    assert main(["verify", "E2.1b", "--method", "forward", "--method", "complex", "--method", "forward"]) == 0
    header, _, summary = capsys.readouterr().out.splitlines()
    assert header.split()[3:6] == ["forward", "complex", "verdict"]
    assert summary.startswith("1 row of 1 id: ")


@pytest.mark.parametrize(("updates", "columns"), [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (4, [1, 2, 3, 4])])
def test_a_short_training_shows_every_update(updates, columns, capsys):
    assert main(["train", "article", "--updates", str(updates)]) == 0
    lines = capsys.readouterr().out.splitlines()
    shown = [[int(number) for number in line.split()[1:]] for line in lines if line.split()[:1] == ["update"]]
    assert shown == [columns, columns]


def test_a_terminal_without_greek_gets_question_marks_instead_of_an_error():
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "rnn_from_scratch", "verify", "E2.2"]
    done = subprocess.run(command, capture_output=True, encoding="ascii", env=environment, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "?^(k+1) = ?^(k) - ?" in done.stdout


def test_help_names_every_command(capsys):
    code, out, _ = here(capsys, "--help")
    assert code == 0
    for command in ("verify", "museum", "train", "course"):
        assert re.search(rf"^ +{command} +\S", out, re.MULTILINE)


def test_a_fault_that_touches_no_row_is_told(capsys):
    assert main(["verify", "E2.5", "--inject", "sign"]) == 0
    assert "None of these rows uses what it breaks" in capsys.readouterr().out
