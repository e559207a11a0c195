"""Training that is stopped at random moments and goes on gives, byte for byte, the file of the run that was not.

Run as `python -m benchmarks.kill_and_resume` (a few minutes). Three kinds of runs; each is trained once without a stop,
and then again and again until there were 50 stops, by kill -9, by Ctrl-C and by a disk that is full in the middle of
writing a checkpoint. After each stop the checkpoint must be readable, and the run goes on from it. For POSIX systems.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm.auto import tqdm

from benchmarks.machine import save_result
from rnn_from_scratch.cells import GRUCell, LSTMCell, RNNCell
from rnn_from_scratch.data import Fresh, Sequences, adding_data, fading_sum_data, text_streams
from rnn_from_scratch.layers import Recurrent, Stacked
from rnn_from_scratch.models import LanguageModel, SequenceModel
from rnn_from_scratch.optim import Adam, Momentum
from rnn_from_scratch.optim.schedules import Cosine, ReduceOnPlateau
from rnn_from_scratch.training import load_checkpoint, train

KINDS = ("text", "sequences", "fresh data")
WAYS = ("kill -9", "Ctrl-C", "full disk")
UPDATES = 150
BLOCK = 1 << 12


def start(kind: str) -> dict[str, Any]:
    """Everything `train` takes, made anew: another process makes the same."""
    rng = np.random.default_rng(7)
    if kind == "text":  # windows with a carried state, dropout, a schedule, two layers
        tokens = np.cumsum(rng.integers(0, 3, 2500)) % 12
        layers = Stacked((Recurrent(LSTMCell(8, 16)), Recurrent(LSTMCell(16, 16))))
        model: Any = LanguageModel(layers, 12, dropout=0.2)
        return {
            "model": model, "params": model.init_params(rng=rng, dtype=np.float32), "rng": rng,
            "source": text_streams(tokens, 4, 16), "optimizer": Adam(0.01), "schedule": Cosine(UPDATES), "clip": 1.0,
            "validation": text_streams(tokens[:300], 1, 50), "validate_every": 7,
        }
    if kind == "sequences":  # shuffled, masked, momentum, early stopping that looks on
        model = SequenceModel(Recurrent(RNNCell(3, 12)), 2)
        xs, targets = fading_sum_data(rng=rng, T=20, N=64, D=3)
        mask = np.arange(20)[:, None] < rng.integers(1, 21, 64)
        return {
            "model": model, "params": model.init_params(rng=rng), "rng": rng, "optimizer": Momentum(0.1),
            "source": Sequences(xs, targets, 10, mask), "validation": Sequences(xs[:, :9], targets[:, :9]),
            "patience": 1000,
        }
    model = SequenceModel(Recurrent(GRUCell(2, 12)), 1, "regression", "many-to-one")
    return {
        "model": model, "params": model.init_params(rng=rng), "optimizer": Adam(0.02), "rng": rng,
        "source": Fresh(lambda rng: adding_data(rng=rng, T=12, N=8), updates=20), "schedule": ReduceOnPlateau(),
        "validation": Sequences(*adding_data(rng=np.random.default_rng(0), T=12, N=32)),
    }


def work(kind: str, path: str, fill_at: int) -> None:
    """Train in this process; from `fill_at` on the disk takes no file of more than a block."""

    def fill(step: Any) -> None:
        if step.update == 1 or step.update % 10 == 0:
            print(step.update, flush=True)
        if step.update == fill_at:
            resource.setrlimit(resource.RLIMIT_FSIZE, (BLOCK, BLOCK))

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin deaf to Ctrl-C
    print(0, flush=True)
    train(**start(kind), updates=UPDATES, checkpoint=path, checkpoint_every=1, resume=True, callbacks=[fill])


class Stop(NamedTuple):
    """How a process ended, and what it left."""

    way: str
    update: int  # in the checkpoint it left; 0 if it left none
    readable: bool
    code: int


def stopped(kind: str, path: Path, way: str, rng: np.random.Generator, seconds: float) -> Stop:
    """Start or go on, stop it after a random part of `seconds` in the way that is asked for, and look at the file."""
    done = load_checkpoint(path).updates if path.exists() else 0
    fill_at = int(rng.integers(done + 1, UPDATES)) if way == "full disk" and done < UPDATES - 1 else -1
    process = launched(kind, path, fill_at)
    if way == "full disk":
        process.wait()
    else:
        assert process.stdout is not None
        process.stdout.readline()  # it begins
        time.sleep(float(rng.uniform(0.0, seconds)))
        process.send_signal(signal.SIGKILL if way == "kill -9" else signal.SIGINT)
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
    try:
        return Stop(way, load_checkpoint(path).updates if path.exists() else 0, True, process.returncode)
    except ValueError:
        return Stop(way, -1, False, process.returncode)


def launched(kind: str, path: Path, fill_at: int = -1) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "benchmarks.kill_and_resume", "--worker", kind, str(path), str(fill_at)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def uninterrupted(kind: str, path: Path) -> tuple[str, float]:
    """Return the digest of the file of a run that nobody stops, and its seconds."""
    process = launched(kind, path)
    assert process.stdout is not None
    process.stdout.readline()
    began = time.monotonic()
    process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"a run that nobody stopped failed: {kind}")
    return digest(path), time.monotonic() - began


def interrupted(
    kind: str, path: Path, stops: int, whole: tuple[str, float], rng: np.random.Generator
) -> dict[str, Any]:
    """Stop a run `stops` times, let it end, and compare; a stop that came too late to stop anything does not count."""
    found: list[Stop] = []
    while len(found) < stops:
        way = WAYS[len(found) % len(WAYS)]
        stop = stopped(kind, path, way, rng, whole[1] / 2)
        if stop.code == 0:  # it ended before: begin another
            same = digest(path) == whole[0]
            path.unlink()
            if not same:
                return {"kind": kind, "stops": [s._asdict() for s in found], "equal": False}
            continue
        found.append(stop)
        if not stop.readable:
            return {"kind": kind, "stops": [s._asdict() for s in found], "equal": False}
    process = launched(kind, path)
    process.communicate()
    return {"kind": kind, "stops": [stop._asdict() for stop in found], "equal": digest(path) == whole[0]}


def run(stops: int = 50, each: int = 5, seed: int = 0) -> dict[str, Any]:
    """Stop `stops` times in all, `each` times a run."""
    rng = np.random.default_rng(seed)
    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        whole = {kind: uninterrupted(kind, Path(folder) / f"whole {kind}.npz") for kind in KINDS}
        with tqdm(total=stops, unit="stop", disable=None) as bar:
            made = 0
            while made < stops:
                kind = KINDS[len(runs) % len(KINDS)]
                path = Path(folder) / f"run {len(runs)}.npz"
                runs.append(interrupted(kind, path, min(each, stops - made), whole[kind], rng))
                made += len(runs[-1]["stops"])
                bar.update(len(runs[-1]["stops"]))
        left = [entry.name for entry in Path(folder).iterdir() if entry.suffix == ".tmp"]
    every = [stop for one in runs for stop in one["stops"]]
    return {
        "stops": len(every), "by_way": {way: sum(stop["way"] == way for stop in every) for way in WAYS},
        "runs": runs, "different": sum(not one["equal"] for one in runs),
        "unreadable": sum(not stop["readable"] for stop in every), "temporary_files_left": len(left),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--stops", type=int, default=50, help="in all; other than 50 saves nothing")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.worker:
        kind, path, fill_at = options.worker
        work(kind, path, int(fill_at))
        return
    result = run(options.stops, seed=options.seed)
    print(
        f"{result['stops']} stops ({', '.join(f'{n} by {way}' for way, n in result['by_way'].items())}) in "
        f"{len(result['runs'])} runs: {result['different']} different results, {result['unreadable']} unreadable files"
    )
    if options.stops == 50:
        print(save_result("kill_and_resume", result).name)


if __name__ == "__main__":
    main()
