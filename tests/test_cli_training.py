"""train text, train series, sample and range-test, as somebody types them."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import here, interrupted_at

from rnn_from_scratch.training import load_checkpoint

SMALL = ["--hidden", "12", "--embedding", "6", "--batch", "8", "--steps", "16"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Every run is kept where nothing else is."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    words = ["one", "two", "three", "four", "lines"]
    lines = [" ".join(rng.choice(words, 6)) + "." for _ in range(300)]
    Path("story.txt").write_text("\n".join(lines), encoding="utf-8")
    t = np.arange(260)
    y, z = np.sin(t / 5), np.cumsum(rng.standard_normal(260))
    cells = ["" if n % 9 == 4 else f"{value:.4f}" for n, value in enumerate(y)]
    rows = [f"2020-{n // 28 + 1:02d}-{n % 28 + 1:02d},{cell},{other:.4f}"
            for n, (cell, other) in enumerate(zip(cells, z, strict=True))]
    Path("waves.csv").write_text("date,wave,walk\n" + "\n".join(rows), encoding="utf-8")


def files():
    return sorted(path.name for path in Path().iterdir() if path.name not in ("story.txt", "waves.csv"))


def test_a_text_is_trained_on_sampled_from_and_gone_on_with(capsys):
    code, out, errors = here(capsys, "train", "text", "story.txt", *SMALL, "--epochs", "3", "--rate", "0.02")
    assert code == 0, errors
    assert re.match(r"story.txt: \d+ characters to train, \d+ to choose, \d+ to test; \d+ different ones\n", out)
    assert "1 layer of 12 units (lstm), " in out
    found = re.findall(r"^epoch (\d) of 3, .* in training ([\d.]+), in validation ([\d.]+)$", out, re.MULTILINE)
    assert [int(epoch) for epoch, _, _ in found] == [1, 2, 3]
    bits = [float(validation) for _, _, validation in found]
    assert bits[-1] < bits[0]
    assert out.count("\n  | The ") == 3
    test = float(re.search(r"^test: ([\d.]+) bits per character", out, re.MULTILINE)[1])
    guessing = float(re.search(r"guessing ([\d.]+)", out)[1])
    assert bits[-1] - 0.3 < test < bits[-1] + 0.3 < guessing
    assert files() == ["text.npz", "text.png"]
    assert Path("text.png").read_bytes().startswith(b"\x89PNG")

    before = Path("text.npz").read_bytes()
    code, out, errors = here(capsys, "train", "text", "story.txt")
    assert code == 2
    assert "'text.npz' exists" in errors
    assert "--resume goes on from it" in errors
    code, out, errors = here(capsys, "train", "text", "story.txt", "--resume")  # the options are the run's own
    assert (code, Path("text.npz").read_bytes() == before) == (0, True)
    assert "going on" in out
    code, out, errors = here(capsys, "train", "text", "story.txt", "--resume", "--hidden", "13")
    assert code == 2
    assert "--hidden is 13, expected 12, as the run was begun with" in errors
    code, out, errors = here(capsys, "train", "text", "--resume")  # another text
    assert code == 2
    assert "train text: the text holds '!', which the run's text did not, expected the run's own text" in errors
    assert Path("text.npz").read_bytes() == before

    texts = [here(capsys, "sample", "text.npz", "--length", "60", "--seed", seed)[1] for seed in ("1", "1", "2")]
    assert texts[0] == texts[1] != texts[2]
    code, out, _ = here(capsys, "sample", "text.npz", "--prompt", "two ", "--length", "20", "--temperature", "0.3")
    assert (code, out.startswith("two "), len(out)) == (0, True, 4 + 20 + 1)
    code, _, errors = here(capsys, "sample", "text.npz", "--prompt", "€")
    assert code == 2
    assert "--prompt holds '€'" in errors
    assert here(capsys, "sample", "text.npz", "--last", "--length", "5")[0] == 0


def test_a_text_run_that_was_interrupted_goes_on_bit_for_bit(capsys, monkeypatch):
    arguments = ["train", "text", "story.txt", *SMALL, "--epochs", "2", "--sample-length", "0"]
    assert here(capsys, *arguments, "--checkpoint", "whole.npz")[0] == 0
    with interrupted_at(monkeypatch, 40):
        code, _, errors = here(capsys, *arguments, "--checkpoint", "run.npz")
    assert code == 130
    command = "python -m rnn_from_scratch train text story.txt --resume --checkpoint run.npz"
    assert f"kept in run.npz; to go on: {command}\n" in errors
    assert 0 < load_checkpoint("run.npz").updates < load_checkpoint("whole.npz").updates
    assert here(capsys, "train", "text", "story.txt", "--resume", "--checkpoint", "run.npz")[0] == 0
    first, second = load_checkpoint("whole.npz"), load_checkpoint("run.npz")
    assert first.history == second.history
    assert first.best.update == second.best.update
    np.testing.assert_array_equal(first.params["output"]["W_hy"], second.params["output"]["W_hy"])


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent otherwise there")
def test_ctrl_c_in_a_terminal(tmp_path):
    command = [sys.executable, "-m", "rnn_from_scratch", "train", "text", "story.txt", *SMALL, "--epochs", "400"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", env=environment,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # deaf in some shells' background
    )
    for line in process.stdout:
        if line.startswith("epoch 2"):
            break
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert errors.endswith("stopped\n")
    assert "to go on: python -m rnn_from_scratch train text story.txt --resume\n" in errors
    assert load_checkpoint("text.npz").epoch >= 2
    assert Path(tmp_path / "text.npz").exists()


def test_a_series_is_forecast_and_compared_with_what_costs_nothing(capsys):
    code, out, errors = here(
        capsys, "train", "series", "waves.csv", "--epochs", "25", "--rate", "0.01", "--window", "16", "--hidden", "12")
    assert code == 0, errors
    assert "waves.csv: wave, 1 ahead, from 2 columns over 16 steps" in out
    table = {name: float(value) for name, value in re.findall(
        r"^(model|last value|training mean) +([\d.e+-]+) ", out, re.MULTILINE)}
    assert table["model"] < table["last value"] < table["training mean"]
    assert re.search(r"^The model's RMSE is \d+\.\d % below the better yardstick's\.$", out, re.MULTILINE)
    assert files() == ["series.npz", "series.png"]
    code, out, _ = here(capsys, "sample", "series.npz", "--length", "6")
    values = [float(line.split()[1]) for line in out.splitlines()[1:]]
    truth = np.sin(np.arange(260, 266) / 5)
    assert (code, len(values)) == (0, 6)
    assert np.abs(np.array(values) - truth).max() < 0.5  # the wave goes on
    assert here(capsys, "train", "series", "waves.csv", "--resume")[0] == 0
    code, _, errors = here(capsys, "train", "text", "story.txt", "--resume", "--checkpoint", "series.npz")
    assert code == 2
    assert "'series.npz' is of another kind of run, expected one that `train text` began" in errors


@pytest.mark.parametrize(("change", "expected"), [("differences", "differences of walk"), ("none", "walk")])
def test_what_changes_can_be_forecast_instead(capsys, change, expected):
    code, out, errors = here(
        capsys, "train", "series", "waves.csv", "--target", "walk", "--change", change, "--epochs", "2")
    assert code == 0, errors
    assert f"waves.csv: {expected}, 1 ahead" in out
    assert ("no change" in out) == (change == "differences")
    assert here(capsys, "sample", "series.npz", "--length", "1")[1].split()[1:-2] == expected.split()


def test_the_prices_are_forecast_as_returns(capsys):
    code, out, errors = here(capsys, "train", "series", "--epochs", "1", "--patience", "1")
    assert code == 0, errors
    assert "left out, since the first 70 % hold no value of them: DELL\n" in out
    assert "monthly prices from matplotlib's sample data: returns of IBM, 1 ahead, from 9 columns" in out


def test_a_trend_beyond_what_was_seen_is_told(capsys):
    Path("up.csv").write_text("\n".join(str(n) for n in range(200)), encoding="utf-8")
    code, out, errors = here(capsys, "train", "series", "up.csv", "--epochs", "1")
    assert code == 0, errors
    assert "100 % of the test part lies outside what training saw" in out
    assert "try --change differences" in out


@pytest.mark.parametrize("program", ["text", "series"])
def test_a_range_test_suggests_a_rate_and_draws_it(capsys, program):
    file, small = ("story.txt", SMALL) if program == "text" else ("waves.csv", ["--window", "8"])
    Path("range_test.png").write_bytes(b"somebody's own")
    code, out, errors = here(capsys, "range-test", program, file, *small, "--updates", "60")
    assert code == 0, errors
    assert "60 updates of adam, from 1e-05 to 1" in out
    assert re.search(r"^[\d.e-]+ is the first rate at which|^No suggestion: ", out, re.MULTILINE)
    assert out.endswith("figure: range_test-2.png\n")
    assert Path("range_test.png").read_bytes() == b"somebody's own"
    assert Path("range_test-2.png").read_bytes().startswith(b"\x89PNG")


def test_somebodys_figure_is_not_overwritten(capsys):
    Path("text.png").write_bytes(b"somebody's own")
    assert here(capsys, "train", "text", "story.txt", *SMALL, "--epochs", "2", "--sample-length", "0")[0] == 0
    assert Path("text.png").read_bytes() == b"somebody's own"
    assert files() == ["text-2.png", "text.npz", "text.png"]
    assert here(capsys, "train", "text", "story.txt", "--resume")[0] == 0
    assert files() == ["text-2.png", "text.npz", "text.png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "text", "nowhere.txt"], "No such file or directory: 'nowhere.txt'"),
        (["train", "text", "story.txt", "--hidden", "0"], "--hidden is 0, expected a whole number of at least 1"),
        (["train", "text", "story.txt", "--hidden", "x"], "invalid int value: 'x' (try --help)"),
        (["train", "text", "story.txt", "--layers", "-1"], "--layers is -1"),
        (["train", "text", "story.txt", "--epochs", "0"], "--epochs is 0"),
        (["train", "text", "story.txt", "--rate", "0"], "learning_rate is 0.0"),
        (["train", "text", "story.txt", "--rate", "nan"], "learning_rate is nan"),
        (["train", "text", "story.txt", "--dropout", "1"], "dropout is 1.0"),
        (["train", "text", "story.txt", "--temperature", "0"], "--temperature is 0.0"),
        (["train", "text", "story.txt", "--seed", "-1"], "--seed is -1"),
        (["train", "text", "story.txt", "--cell", "transformer"], "invalid choice: 'transformer'"),
        (["train", "text", "story.txt", "--batch", "100000"], "try a smaller batch_size"),
        (["train", "text", "story.txt", "--checkpoint", "run.pkl"], "--checkpoint is 'run.pkl', expected a name that"),
        (["train", "text", "story.txt", "--checkpoint", "no/run.npz"], "expected a file in a folder that exists"),
        (["train", "text", "short.txt"], "the text has 12 characters, expected 1000 at least"),
        (["train", "text", "bytes.bin"], "0xff"),
        (["train", "text", "."], "is a folder"),
        (["train", "series", "waves.csv", "--target", "tide"], "--target is 'tide', expected one of 'wave', 'walk'"),
        (["train", "series", "waves.csv", "--window", "300"], "length + horizon is 301"),
        (["train", "series", "waves.csv", "--change", "returns", "--target", "walk"], "expected positive prices"),
        (["train", "series", "story.txt"], "line 1"),
        (["sample", "nowhere.npz"], "No such file or directory"), (["sample", "story.txt"], "cannot be read"),
        (["sample"], "required: RUN"), (["range-test"], "required: PROGRAM"), (["train"], "required: PROGRAM"),
        (["range-test", "text", "story.txt", "--updates", "5"], "updates is 5, expected at least 20"),
        (["range-test", "text", "story.txt", "--lowest", "2"], "highest is 1.0"),
        (["range-test", "text", "story.txt", "--figure", "x.jpg"], "--figure is 'x.jpg'"),
    ],
)
def test_wrong_calls_are_told_in_one_line(capsys, arguments, message):
    Path("short.txt").write_text("hello\nworld\n", encoding="utf-8")
    Path("bytes.bin").write_bytes(b"abc\xff" * 1000)
    code, _, errors = here(capsys, *arguments)
    assert code == 2, errors
    assert message.lower() in errors.lower()
    assert len(errors.splitlines()) == 1
    assert "Traceback" not in errors
    assert [name for name in files() if name.endswith((".npz", ".png"))] == []


@pytest.mark.parametrize("command", [["train", "text"], ["train", "series"], ["sample"], ["range-test", "text"]])
def test_help_teaches(capsys, command):
    code, out, _ = here(capsys, *command, "--help")
    assert code == 0
    options = re.findall(r"^  (--[a-z-]+)", out, re.MULTILINE)
    assert len(options) >= 4
    assert len(out.split("\n\n")[1]) > 100  # a description that says what happens
