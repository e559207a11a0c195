"""Where it is measured: sizes (N, T, D, H), and what each comparison covers unless told otherwise."""

from __future__ import annotations

from typing import NamedTuple

Point = tuple[int, int, int, int]

CELLS = ("rnn", "lstm", "gru")
DTYPES = ("float32", "float64")
RECOMPUTE_EVERY = 100  # steps of a segment where memory is measured, and of a truncated window

# From a single short sequence, where calls cost more than arithmetic, to a batch of 128 with 512 units.
POINTS: tuple[Point, ...] = (
    (1, 100, 10, 5), (1, 100, 64, 128), (1, 20, 128, 512), (32, 100, 10, 5), (32, 20, 10, 32), (16, 100, 10, 32),
    (32, 50, 65, 128), (50, 25, 65, 100), (32, 100, 64, 64), (64, 100, 64, 128), (32, 500, 10, 32), (1, 500, 64, 256),
    (16, 100, 64, 256), (64, 50, 128, 256), (128, 100, 64, 128), (128, 20, 128, 512), (32, 100, 128, 512),
)  # fmt: skip
STREAM_POINTS: tuple[Point, ...] = ((1, 1, 10, 5), (1, 1, 10, 32), (1, 1, 64, 128), (1, 1, 64, 256), (1, 1, 128, 512))
# By N·H, the numbers of one step's state: that decides how much of a step is products and how much is calls.
PRODUCT_POINTS: tuple[Point, ...] = (
    (1, 100, 64, 128), (16, 100, 10, 32), (32, 100, 64, 64), (32, 50, 65, 128), (16, 100, 64, 256), (64, 100, 64, 128),
    (128, 100, 64, 128), (32, 100, 128, 512), (128, 20, 128, 512),
)  # fmt: skip
PLAIN_POINTS: tuple[Point, ...] = (
    (1, 100, 10, 5), (1, 100, 64, 128), (16, 100, 10, 32), (32, 100, 64, 64), (64, 100, 64, 128), (16, 100, 64, 256),
)  # fmt: skip
LONG_POINTS: tuple[Point, ...] = (
    (1, 1000, 32, 32), (1, 1000, 32, 128), (4, 1000, 32, 32), (32, 1000, 32, 32), (32, 1000, 32, 128),
)  # fmt: skip
MEMORY_POINT: Point = (32, 10_000, 64, 128)
QUICK_MEMORY_POINT: Point = (32, 500, 64, 128)


def text_of(point: Point) -> str:
    """Write a point as `--points` takes it and as it is saved: "32,100,64,64"."""
    return ",".join(map(str, point))


def point_of(text: str) -> Point:
    """Read what `text_of` writes.

    Raises
    ------
    ValueError
        Unless it is four whole numbers of at least 1.
    """
    N, T, D, H = map(int, text.split(","))
    if min(N, T, D, H) < 1:
        raise ValueError(f"{text}: sizes are at least 1")
    return N, T, D, H


class Opponent(NamedTuple):
    """What the layers are measured against, and what of it by default."""

    title: str  # whose time is divided by: "PyTorch's"
    what: tuple[str, ...]  # in the order of the tables
    points: tuple[Point, ...]
    cells: tuple[str, ...] = CELLS
    dtypes: tuple[str, ...] = ("float32",)
    threads: tuple[int, ...] = (1,)
    whose: str = "our"  # the time that is divided; else "minGRU's", say


OPPONENTS = {
    "torch": Opponent("PyTorch's", ("train", "infer", "stream", "memory"), POINTS, CELLS, DTYPES, (1, 2)),
    "products": Opponent("the bare matrix products'", ("train", "infer"), PRODUCT_POINTS),
    "floor": Opponent("PyTorch's", ("train", "infer"), POINTS, whose="the bare matrix products'"),
    "stepwise": Opponent("the stepwise engine's", ("train", "infer"), PLAIN_POINTS),
    "textbook": Opponent("the textbook program's", ("train", "infer"), PLAIN_POINTS),
    "gru": Opponent("our GRU's", ("train", "infer"), LONG_POINTS, ("mingru",), whose="minGRU's"),
}


class Part(NamedTuple):
    """What one process measures, and one table shows."""

    what: str
    dtype: str
    threads: int

    @property
    def key(self) -> str:
        """Its name in the saved result: "train float32 1"."""
        return f"{self.what} {self.dtype} {self.threads}"


def parts(
    opponent: Opponent, what: list[str] | None, dtypes: list[str] | None, threads: list[int] | None
) -> list[Part]:
    """List the parts of a comparison, in the order of the tables; None takes the comparison's own choice.

    One step of streaming is too little work for two threads, and the memory is measured with one, in float32: these
    have no other parts.
    """
    found = []
    for each in opponent.what:
        if what is not None and each not in what:
            continue
        for count in threads or opponent.threads:
            for dtype in dtypes or opponent.dtypes:
                only_one = each in ("stream", "memory") and count != 1
                if not only_one and not (each == "memory" and dtype != "float32"):
                    found.append(Part(each, dtype, count))
    return found
