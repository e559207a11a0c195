"""The figure of the comparison with PyTorch, from the saved result."""

from __future__ import annotations

from pathlib import Path

from benchmarks.speed.points import POINTS, text_of
from benchmarks.speed.tables import HEADINGS, saved_parts

NAME = "speed.png"


def save_figure(folder: Path) -> Path:
    """Draw training and inference with one thread beside PyTorch, point by point, into <folder>/speed.png.

    Raises
    ------
    FileNotFoundError
        If neither has been measured against torch in float32 with one thread.
    """
    from rnn_from_scratch.plots import ratio_dots

    panels = {}
    for part, records in saved_parts("torch", folder):
        if part.what in ("train", "infer") and (part.dtype, part.threads) == ("float32", 1):
            at = {(r["cell"], r["point"]): r["ratio"] for r in records if "ratio" in r}
            panels["training" if part.what == "train" else "inference"] = {
                HEADINGS[cell]: [at.get((cell, text_of(point)), float("nan")) for point in POINTS]
                for cell in ("rnn", "lstm", "gru") if any(key[0] == cell for key in at)
            }  # fmt: skip
    if not panels:
        raise FileNotFoundError("nothing to draw: run --against torch --what train infer --dtype float32 --threads 1")
    figure = ratio_dots(
        [text_of(point).replace(",", ", ") for point in POINTS], panels, ylabel="N, T, D, H",
        xlabel="our time / PyTorch's", title="float32, one thread: left of the line is faster than PyTorch",
    )  # fmt: skip
    path = folder / NAME
    path.write_bytes(figure._repr_png_())
    return path
