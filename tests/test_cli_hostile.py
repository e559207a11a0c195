"""The trainings' commands with odd files, closed pipes, two at once, and runs whose notes lie."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import here, interrupted_at

from rnn_from_scratch.cli import main, text
from rnn_from_scratch.cli import runs as runs_of_commands
from rnn_from_scratch.data import bundled_text, text_splits
from rnn_from_scratch.training import Step, archive, load_checkpoint

SMALL = ["--hidden", "6", "--embedding", "4", "--batch", "4", "--steps", "16", "--sample-length", "0"]


RNG = np.random.default_rng(0)
STORY = "\n".join(" ".join(RNG.choice(["one", "two", "six"], 5)) for _ in range(120))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Every run is kept where nothing else is."""
    monkeypatch.chdir(tmp_path)
    Path("story.txt").write_text(STORY)
    Path("wave.csv").write_text("wave\n" + "\n".join(f"{np.sin(n / 5):.4f}" for n in range(200)))


def refused(found, message):
    code, _, errors = found
    assert code == 2
    assert message in errors
    assert len(errors.splitlines()) == 1
    assert "Traceback" not in errors


# Texts that are cut otherwise


@pytest.mark.parametrize(
    "content",
    [
        "\n\n\n" * 30 + "word " * 3000,  # documents at the front alone
        "".join(chr(0x4E00 + n * n % 89) for n in range(2000)),  # Chinese without a break
        "ACGT" * 500, "ab\n" * 20 + "a" * 3000, "word " * 2700 + "\n\n\n" * 25 + "word " * 300,
    ],
    ids=["documents at the front", "Chinese", "no break", "lines at the front", "documents where the cut falls"],
)
def test_every_text_of_a_thousand_characters_is_cut(capsys, content):
    Path("t.txt").write_text(content, encoding="utf-8")
    code, out, errors = here(capsys, "train", "text", "t.txt", *SMALL, "--epochs", "1")
    assert code == 0, errors
    parts = [int(n) for n in re.findall(r"(\d+) (?:characters )?to ", out)[:3]]
    assert sum(parts) == len(content)
    shares = np.array(parts) / len(content)
    np.testing.assert_allclose(shares, [0.9, 0.05, 0.05], atol=0.03)


def test_the_bundled_text_is_still_cut_between_its_topics():
    assert text._cut(bundled_text()) == text_splits(bundled_text())


# Series whose errors are zero, whose values are missing


def test_yardsticks_without_an_error_are_not_divided_by(capsys):
    """Numbers so small that their squares are 0."""
    rng = np.random.default_rng(0)
    Path("tiny.csv").write_text("a\n" + "\n".join(f"{x * 1e-310:.6e}" for x in rng.standard_normal(200)))
    code, out, errors = here(capsys, "train", "series", "tiny.csv", "--epochs", "1", "--window", "8")
    assert code == 0, errors
    assert "The last value has no error: nothing is left to learn, or the numbers are too small to be squared." in out


@pytest.mark.parametrize(("first", "last", "part"), [(140, 170, "validation"), (170, 200, "test")])
def test_a_part_without_values_is_named(capsys, first, last, part):
    cells = ["nan" if first <= n < last else str(n % 5) for n in range(200)]
    Path("gap.csv").write_text("a\n" + "\n".join(cells))
    refused(here(capsys, "train", "series", "gap.csv", "--window", "8"),
            f"the {part} part has no window with a known target")


@pytest.mark.parametrize("option", ["hidden", "batch", "epochs"])
def test_sizes_without_end_are_refused(capsys, option):
    for program, file in (("text", "story.txt"), ("series", "wave.csv")):
        refused(here(capsys, "train", program, file, f"--{option}", "9" * 400),
                f"--{option} is 99999999999999999999, expected at most")


@pytest.mark.parametrize("program", ["text", "series"])
def test_more_memory_than_there_is_is_one_line(capsys, program):
    file = "story.txt" if program == "text" else "wave.csv"
    refused(here(capsys, "train", program, file, "--hidden", "100000000000"), "there is not enough memory: Unable to")


# Figures


def test_a_figure_says_whose_it_is_and_somebodys_stays(capsys, monkeypatch):
    from rnn_from_scratch import plots

    titles, original = [], plots.curves
    monkeypatch.setattr(plots, "curves", lambda *a, **k: (titles.append(a[4]), original(*a, **k))[1])
    assert here(capsys, "train", "text", "story.txt", *SMALL, "--epochs", "2")[0] == 0
    assert titles == ["A language model of story.txt"]
    own = Path("text.png").read_bytes()
    Path("other").mkdir()
    Path("text.npz").rename("other/text.npz")  # a run is moved to where somebody has a figure of that name
    Path("other/text.png").write_bytes(b"somebody's own")
    Path("other/text-2.png").mkdir()
    for _ in range(2):
        code, out, _ = here(capsys, "train", "text", "story.txt", "--resume", "--checkpoint", "other/text.npz")
        assert code == 0
        assert "figure: other/text-3.png" in out
    assert Path("other/text.png").read_bytes() == b"somebody's own"
    assert Path("other/text-3.png").read_bytes() == own
    assert sorted(path.name for path in Path("other").iterdir()) == [
        "text-2.png", "text-3.png", "text.npz", "text.png"]


def test_a_figure_that_cannot_be_written_costs_no_result(capsys, monkeypatch):
    def full(path, write):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runs_of_commands, "write_whole", full)
    code, out, errors = here(capsys, "train", "series", "wave.csv", "--epochs", "1")
    assert (code, errors) == (0, "")
    assert re.search(r"^model +\d", out, re.MULTILINE)
    assert "no figure: [Errno 28] No space left on device" in out
    code, out, _ = here(capsys, "range-test", "series", "wave.csv", "--updates", "20")
    assert code == 0
    assert out.endswith("no figure: [Errno 28] No space left on device\n")


# Stopped, and gone on with


def test_what_is_printed_after_going_on_is_what_was_printed(capsys, monkeypatch):
    arguments = ["train", "text", "story.txt", *SMALL, "--epochs", "2"]
    _, whole, _ = here(capsys, *arguments, "--checkpoint", "whole.npz")
    with interrupted_at(monkeypatch, 20):
        assert here(capsys, *arguments)[0] == 130
    assert 0 < load_checkpoint("text.npz").updates < 30
    _, rest, _ = here(capsys, "train", "text", "story.txt", "--resume")
    told = [line for line in whole.splitlines() if line.startswith(("epoch", "test: "))]
    again = [line for line in rest.splitlines() if line.startswith(("epoch", "test: "))]
    assert len(again) > 1
    assert told[-len(again) :] == again


def test_a_long_epoch_is_kept_on_the_way(capsys, monkeypatch):
    kept, original = [], Step.__new__

    def looking(cls, *fields):
        kept.append(load_checkpoint("text.npz").updates)
        return original(cls, *fields)

    monkeypatch.setattr(text, "OFTEN", 4)
    monkeypatch.setattr(Step, "__new__", looking)
    assert here(capsys, "train", "text", "story.txt", *SMALL, "--epochs", "1")[0] == 0
    assert kept == [k // 4 * 4 for k in range(len(kept))]


@pytest.mark.skipif(sys.platform == "win32", reason="shells differ")
@pytest.mark.parametrize("stream", ["2>&1 | head -1", "2>/dev/full"])
def test_a_run_whose_progress_nobody_reads_comes_to_its_end(stream):
    if "full" in stream and not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    call = "import sys; from rnn_from_scratch.training import progress; progress.EVERY = 0.0; " \
        "from rnn_from_scratch.cli import main; sys.exit(main(sys.argv[1:]))"
    command = shlex.join([sys.executable, "-c", call, "train", "text", "story.txt", *SMALL, "--epochs", "1"])
    subprocess.run(f"{command} {stream}", shell=True, check=False, stdout=subprocess.DEVNULL, timeout=60,
                   env={**os.environ, "OPENBLAS_NUM_THREADS": "1"})
    kept = load_checkpoint("text.npz")
    assert kept.epoch == 1


# Notes that lie: the file is whole, and its digest right


def rewritten(path, change):
    arrays, texts = archive.read_archive("test", path, "a run", ("run.json",))
    saved = json.loads(texts["run.json"])
    change(saved)
    archive.write_archive(path, arrays, {"run.json": json.dumps(saved)})


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run of each kind, as bytes."""
    folder = tmp_path_factory.mktemp("runs")
    before = Path.cwd()
    os.chdir(folder)
    try:
        Path("story.txt").write_text(STORY)
        Path("wave.csv").write_text("wave\n" + "\n".join(f"{np.sin(n / 5):.4f}" for n in range(200)))
        main(["train", "text", "story.txt", *SMALL, "--epochs", "1"])
        main(["train", "series", "wave.csv", "--window", "8", "--hidden", "4", "--epochs", "1"])
        return {name: Path(f"{name}.npz").read_bytes() for name in ("text", "series")}
    finally:
        os.chdir(before)


def put(*path, value):
    """A change of run.json at one place."""
    def change(saved):
        *where, last = path
        for name in where:
            saved = saved[name]
        if value is ...:
            del saved[last]
        else:
            saved[last] = value
    return change


@pytest.mark.parametrize("value", [..., None, 3, [], {}, "", "aa", "\n" * 3])
@pytest.mark.parametrize("entry", ["characters", "options", "kind"])
def test_a_text_runs_notes(capsys, runs, entry, value):
    Path("run.npz").write_bytes(runs["text"])
    rewritten(Path("run.npz"), put("notes", entry, value=value))
    code, _, errors = here(capsys, "sample", "run.npz", "--length", "3")
    if (entry, value) == ("options", {}):
        assert code == 0
        return
    assert (code, len(errors.splitlines())) == (2, 1), errors
    assert here(capsys, "train", "text", "story.txt", "--resume", "--checkpoint", "run.npz")[0] == 2


@pytest.mark.parametrize("value", [None, 3.5, [], {}, "x", True, -1, pytest.param(10**400, id="huge")])
@pytest.mark.parametrize("option", ["cell", "hidden", "epochs", "seed", "dropout", "encoding", "prompt", "temperature"])
def test_a_text_runs_options(capsys, runs, option, value):
    if (isinstance(value, str) and option in ("encoding", "prompt")) or (option, value) in (
            ("temperature", 3.5), ("seed", 10**400)):
        return  # it may be so
    Path("run.npz").write_bytes(runs["text"])
    rewritten(Path("run.npz"), put("notes", "options", option, value=value))
    before = Path("run.npz").read_bytes()
    code, _, errors = here(capsys, "train", "text", "story.txt", "--resume", "--checkpoint", "run.npz")
    assert (code, len(errors.splitlines())) == (2, 1), errors
    assert len(errors) < 1000
    assert Path("run.npz").read_bytes() == before


@pytest.mark.parametrize("value", [..., None, 3, [], {}, "x", [1.0, 2.0], [[1.0]], ["a"], [None], [float("nan")]])
@pytest.mark.parametrize("entry", ["names", "target", "what", "mean", "scale", "fill", "last", "options"])
def test_a_series_notes(capsys, runs, entry, value):
    Path("run.npz").write_bytes(runs["series"])
    rewritten(Path("run.npz"), put("notes", entry, value=value))
    code, _, errors = here(capsys, "sample", "run.npz", "--length", "3")
    if (entry, value) == ("what", "x"):
        assert code == 0
        return
    assert (code, len(errors.splitlines())) == (2, 1), (code, errors)


@pytest.mark.parametrize(
    "model",
    [
        None, {"tuple": []}, {"class": "GRUCell", "input_size": 3, "hidden_size": 4},
        {"class": "NGramModel", "order": 2, "vocabulary_size": 9},
    ],
)
@pytest.mark.parametrize("kind", ["text", "series"])
def test_a_run_of_something_else_than_its_kinds_model(capsys, runs, kind, model):
    Path("run.npz").write_bytes(runs[kind])
    rewritten(Path("run.npz"), put("model", value=model))
    code, _, errors = here(capsys, "sample", "run.npz", "--length", "3")
    assert (code, len(errors.splitlines())) == (2, 1), errors


def test_a_figures_name_in_the_notes_is_not_written_to(capsys, runs):
    Path("run.npz").write_bytes(runs["series"])
    Path("precious.png").write_bytes(b"precious")
    rewritten(Path("run.npz"), put("notes", "figure", value="precious.png"))
    code, out, errors = here(capsys, "train", "series", "wave.csv", "--resume", "--checkpoint", "run.npz")
    assert code == 0, errors
    assert "figure: run.png" in out
    assert Path("precious.png").read_bytes() == b"precious"


def test_a_description_nested_without_end_is_refused(capsys, runs):
    model = {"class": "RNNCell", "input_size": 3, "hidden_size": 3}
    for _ in range(700):
        model = {"class": "Recurrent", "cell": model}
    Path("run.npz").write_bytes(runs["text"])
    rewritten(Path("run.npz"), put("model", value=model))
    refused(here(capsys, "sample", "run.npz"), "a description is nested without end")


def test_how_to_go_on_names_a_file_that_looks_like_an_option():
    from rnn_from_scratch.cli.runs import how_to_go_on

    told = how_to_go_on("train text", Path("text.npz"), "-x y.txt", "text.npz")
    assert told == "python -m rnn_from_scratch train text './-x y.txt' --resume"
