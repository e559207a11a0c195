r"""Where a training loop takes its batches from: sequences in memory, one long stream, pairs, or fresh data each time.

A source has

- `updates`: how many batches one epoch has;
- `carries`: whether the state after a batch is the state before the next one (truncated backpropagation);
- `epoch(rng, start=0)`: an epoch's batches from the `start`-th on. What shuffles is drawn when it is called, so that an
  epoch can be entered again in its middle;
- `fingerprint()`: a word that changes when the data change, by which a run that goes on knows its own data.

A batch has `arguments()`, the keywords of the model's loss_and_grads, and `weight`, its share of the epoch.

Source: article E2.3, E2.4 (the fair reading); notebooks 05, 08, 18; tests/data/test_sources.py.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import validate
from ..arrays import Array
from .batching import Batch, minibatches
from .text import PairBatch, Vocabulary, pair_batches


@dataclass(frozen=True, eq=False)
class Sequences:
    """All sequences in memory, cut along the batch axis and shuffled anew in each epoch (article E2.3).

    xs, targets, batch_size, mask, target_mask and over_time as in `minibatches`, which also says what is refused.
    """

    xs: Array
    targets: Array
    batch_size: int | None = None
    mask: Array | None = None
    target_mask: Array | None = None
    over_time: bool | None = None
    carries = False

    def __post_init__(self) -> None:
        self._batches(None)

    def _batches(self, rng: np.random.Generator | None) -> Iterator[Batch]:
        return minibatches(
            self.xs, self.targets, self.batch_size, mask=self.mask, target_mask=self.target_mask,
            over_time=self.over_time, rng=rng,
        )

    @property
    def updates(self) -> int:
        """Batches in an epoch."""
        N: int = self.xs.shape[1]
        return -(-N // (self.batch_size or N))

    def epoch(self, rng: np.random.Generator | None, start: int = 0) -> Iterator[Batch]:
        """Yield the epoch's batches from the `start`-th on; rng=None keeps the order."""
        return itertools.islice(self._batches(rng), start, None)

    def fingerprint(self) -> str:
        """Return a word for these arrays and this batch size."""
        return _fingerprint(self.batch_size, self.xs, self.targets, self.mask, self.target_mask)


@dataclass(frozen=True, eq=False)
class Streams:
    r"""N long sequences side by side, cut along time; the state is carried from window to window.

    This is truncated backpropagation with k1 = k2 = steps (article §2.4, read fairly): each window's gradient is exact
    with the state at its start held constant. An epoch goes once through the streams and begins at the initial state.

    Parameters
    ----------
    xs : (T, N, D), or (T, N) int
        Inputs. N streams that go on from window to window.
    targets : (T, N) or (T, N, K)
        A target at every step.
    steps : int
        Steps of a window; the last one of an epoch is shorter where it does not divide T.
    mask, target_mask : (T, N) bool, optional
        As in `minibatches`.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `minibatches`; and `steps` below 1 or above T.
    """

    xs: Array
    targets: Array
    steps: int
    mask: Array | None = None
    target_mask: Array | None = None
    carries = True

    def __post_init__(self) -> None:
        minibatches(self.xs, self.targets, mask=self.mask, target_mask=self.target_mask, over_time=True)
        T = len(self.xs)
        if validate.size("Streams", "steps", self.steps) > T:
            validate.fail("Streams", f"steps is {self.steps}", f"at most {T}", f"a stream has {T} steps")
        counted = self.mask if self.target_mask is None else self.target_mask
        if counted is not None and not counted.any():
            validate.fail("Streams", "no target is counted", "one at least", "there is nothing to learn from")

    @property
    def updates(self) -> int:
        """Windows in an epoch."""
        return -(-len(self.xs) // self.steps)

    def epoch(self, rng: np.random.Generator | None = None, start: int = 0) -> Iterator[Batch]:
        """Yield the windows from the `start`-th on. Their order is that of time, so rng draws nothing."""
        T, N = self.xs.shape[:2]
        counted = self.mask if self.target_mask is None else self.target_mask
        total = T * N if counted is None else int(counted.sum())

        def cut(array: Array | None, window: slice) -> Array | None:
            return None if array is None else array[window]

        for first in range(start * self.steps, T, self.steps):
            window = slice(first, first + self.steps)
            xs = self.xs[window]
            own = len(xs) * N if counted is None else int(counted[window].sum())
            yield Batch(
                np.arange(N), xs, self.targets[window], cut(self.mask, window), cut(self.target_mask, window),
                own / total,
            )

    def fingerprint(self) -> str:
        """Return a word for these arrays and this length of a window."""
        return _fingerprint(self.steps, self.xs, self.targets, self.mask, self.target_mask)


def text_streams(tokens: Array, batch_size: int, steps: int) -> Streams:
    """Cut one long text into `batch_size` streams that are read side by side; each token's target is the next one.

    Parameters
    ----------
    tokens : (L,) int
        The text.
    batch_size : int
        N. Stream n holds the n-th of N equal parts; fewer than N tokens at the end are left out. With N = 1 every
        token after the first is a target once, which is how a text is measured.
    steps : int
        Steps of a window; a text of fewer steps a stream is one window.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        Tokens that are no (L,) integers; a size below 1; fewer than batch_size + 1 tokens.

    Source: Mikolov et al. (2010); notebook 18; tests/data/test_sources.py.
    """
    where = "text_streams"
    tokens = validate.as_array(where, "tokens", tokens)
    if tokens.ndim != 1 or not np.issubdtype(tokens.dtype, np.integer):
        validate.fail(
            where, f"tokens has shape {tokens.shape} and dtype {tokens.dtype}", "integers (L,)", "it is one text",
            "Text goes through a Vocabulary first.", validate.DtypeError,
        )
    N, steps = validate.size(where, "batch_size", batch_size), validate.size(where, "steps", steps)
    T = (len(tokens) - 1) // N
    if T < 1:
        validate.fail(
            where, f"tokens has {len(tokens)} entries", f"{N + 1} at least",
            f"each of {N} streams needs an input and a target", "Try a smaller batch_size, or a longer text.",
        )
    xs, targets = (tokens[first : first + N * T].reshape(N, T).T for first in (0, 1))
    return Streams(xs, targets, min(steps, T))


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of texts for an encoder–decoder, those of about one length together; arguments as in `pair_batches`."""

    sources: Sequence[str]
    targets: Sequence[str]
    vocabularies: tuple[Vocabulary, Vocabulary]
    batch_size: int
    pool: int = 20
    carries = False

    def __post_init__(self) -> None:
        for name in ("sources", "targets"):
            texts = getattr(self, name)
            if isinstance(texts, Iterator):  # it could be read once alone
                object.__setattr__(self, name, tuple(texts))
        self._batches(np.random.default_rng(0))

    def _batches(self, rng: np.random.Generator) -> Iterator[PairBatch]:
        return pair_batches(self.sources, self.targets, self.vocabularies, self.batch_size, rng=rng, pool=self.pool)

    @property
    def updates(self) -> int:
        """Batches in an epoch."""
        return -(-len(self.sources) // self.batch_size)

    def epoch(self, rng: np.random.Generator | None, start: int = 0) -> Iterator[PairBatch]:
        """Yield the epoch's batches from the `start`-th on; rng=None gives the same order each time."""
        return itertools.islice(self._batches(np.random.default_rng(0) if rng is None else rng), start, None)

    def fingerprint(self) -> str:
        """Return a word for these texts, vocabularies and this batch size."""
        characters = [one.characters for one in self.vocabularies]
        return _fingerprint([self.batch_size, self.pool, list(self.sources), list(self.targets), characters])


@dataclass(frozen=True)
class Fresh:
    """New data for every update, as in the papers' synthetic tasks: no sequence is seen twice.

    Parameters
    ----------
    draw : callable
        rng -> (xs, targets) or (xs, targets, target_mask), for instance
        `lambda rng: adding_data(rng=rng, T=100, N=20)`.
    updates : int
        How many batches are called an epoch: after these the loop validates and writes its checkpoint.

    Raises
    ------
    DtypeError, ArgumentError
        `draw` is no function or returns something else; updates below 1; no generator to draw with.
    """

    draw: Callable[[np.random.Generator], Any]
    updates: int = 100
    carries = False

    def __post_init__(self) -> None:
        validate.size("Fresh", "updates", self.updates)
        if not callable(self.draw):
            validate.fail("Fresh", f"draw is {self.draw!r:.60}", "a function of rng", error=validate.DtypeError)

    def epoch(self, rng: np.random.Generator | None, start: int = 0) -> Iterator[Batch]:
        """Yield batches, each drawn when it is asked for."""
        if rng is None:
            because, hint = "each batch is drawn when it is asked for", "To validate, draw once: Sequences(*draw(rng))."
            validate.fail("Fresh.epoch", "rng is None", "a numpy.random.Generator", because, hint, validate.DtypeError)
        rng = validate.generator("Fresh.epoch", rng)
        for _ in range(start, self.updates):
            xs, targets, target_mask = self._drawn(rng)
            yield Batch(np.arange(xs.shape[1]), xs, targets, None, target_mask, 1 / self.updates)

    def _drawn(self, rng: np.random.Generator) -> tuple[Array, Array, Array | None]:
        drawn = self.draw(rng)
        if not isinstance(drawn, tuple) or len(drawn) not in (2, 3):
            got = f"a tuple of {len(drawn)}" if isinstance(drawn, tuple) else f"a {type(drawn).__name__}"
        elif not all(isinstance(array, np.ndarray) for array in drawn[:2]) or drawn[0].ndim < 2:
            got = " and ".join(f"a {type(array).__name__} of shape {np.shape(array)}" for array in drawn[:2])
        else:
            return drawn[0], drawn[1], drawn[2] if len(drawn) == 3 else None
        validate.fail(
            "Fresh", f"draw returned {got}", "arrays (xs, targets) or (xs, targets, target_mask)", "",
            "Wrap what you draw: lambda rng: adding_data(rng=rng, T=100, N=20).", validate.DtypeError,
        )

    def fingerprint(self) -> str:
        """Return a word for the epoch's length and what `draw` gives for one generator: functions have no other."""
        return _fingerprint(self.updates, *self._drawn(np.random.default_rng(0)))


def _fingerprint(choice: Any, *arrays: Array | None) -> str:
    """Return sixteen hexadecimal digits of the SHA-256 of arrays (with shapes and dtypes) and a choice."""
    digest = hashlib.sha256(repr(choice).encode())
    for array in arrays:
        digest.update(b"none" if array is None else f"{array.shape} {array.dtype.str} ".encode())
        if array is not None:
            digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]
