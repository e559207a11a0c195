"""README tells the truth: its example prints what it says, its figures are what the commands give."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_prints_the_numbers_that_stand_beside_it():
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    promised = re.findall(r"print\(.*\)  # (.*)$", code, re.MULTILINE)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    assert done.stdout.split() == promised
    assert len(promised) == 2


def test_the_measured_figures_are_those_of_verify(verified):
    assert verified.returncode == 0, verified.stderr
    rows = verified.stdout.splitlines()[1:-1]
    errors = [pair for row in rows for pair in re.findall(r"  (\d\.\de-\d\d)  +(\d\.\de-\d\d)  +proven", row)]
    assert len(errors) > 20
    central, by_complex_step = (max(map(float, column)) for column in zip(*errors, strict=True))
    figures = r"(\d+) rows, largest relative error of a gradient (\S+) by central differences and\s+(\S+) by"
    said = re.search(figures, README)
    assert int(said[1]) == len(rows)
    # Rounding differs a little from one BLAS to the next: the order of magnitude must not.
    assert float(said[2]) / 5 < central < float(said[2]) * 5
    assert float(said[3]) / 5 < by_complex_step < float(said[3]) * 5


def test_there_are_two_commands_and_each_starts_from_nothing():
    commands = re.findall(r"```bash\n(.*?)\n```", README, re.DOTALL)
    assert len(commands) == 2
    for command in commands:
        assert command.startswith("python3 -m venv .venv && .venv/bin/python -m pip install -q -r requirements.txt && ")
    assert "rnn_from_scratch verify" in commands[0]
    assert "rnn_from_scratch train article" in commands[0]
    assert commands[1].endswith(" -m pytest")


def test_every_path_that_readme_names_exists():
    folders = "notebooks|rnn_from_scratch|benchmarks|cells|layers|models|gradcheck|diagnosis"
    for name in re.findall(rf"`((?:{folders})/[\w/]*)`", README):
        assert (ROOT / name).exists() or (ROOT / "rnn_from_scratch" / name).exists(), name
