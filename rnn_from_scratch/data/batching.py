r"""Batches: one-hot letters, padded sequences, and the article's E2.3 as one rule.

.. math:: \theta^{(k+1)} = \theta^{(k)} - \eta \frac1B \sum_{i=1}^{B} \nabla L_i(\theta^{(k)})

(As printed the summand lacks its index i.) B = all examples is batch gradient descent, B = 1 stochastic,
anything between mini-batch: the same rule with another B.

Source: notebook 05; tests/data/test_batching.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .. import validate
from ..arrays import Array


class Batch(NamedTuple):
    """Some sequences of a data set, cut from the batch axis."""

    indices: Array  # (B,) which ones
    xs: Array  # (T, B, D), or (T, B) tokens
    targets: Array
    mask: Array | None  # (T, B)
    target_mask: Array | None  # (T, B), or (B,) for one target a sequence
    weight: float  # the share of the epoch's counted targets in this batch; an epoch's weights sum to 1

    def arguments(self) -> dict[str, Array | None]:
        """Return the keywords of a model's loss_and_grads."""
        return {"xs": self.xs, "targets": self.targets, "mask": self.mask, "target_mask": self.target_mask}


def minibatches(
    xs: Array,
    targets: Array,
    batch_size: int | None = None,
    *,
    mask: Array | None = None,
    target_mask: Array | None = None,
    over_time: bool | None = None,
    rng: np.random.Generator | None = None,
) -> Iterator[Batch]:
    """Yield one epoch of batches (article E2.3).

    Parameters
    ----------
    xs : (T, N, D), or (T, N) int
        All inputs: numbers, or tokens. Integers are tokens; on padding they may be any number.
    targets : (T, N), (T, N, K), (N,) or (N, K)
        All targets.
    batch_size : int, optional
        B; default all N. The last batch is smaller where B does not divide N.
    mask : (T, N) bool, optional
        True where there is an input.
    target_mask : (T, N) or (N,) bool, optional
        True where a loss counts; default `mask`, or with one target a sequence those with an input.
    over_time : bool, optional
        Whether targets stand at every step, (T, N, …), or one a sequence, (N, …); default: told from their shape,
        which fails where both would fit.
    rng : Generator, optional
        Shuffles the sequences; None keeps their order.

    Returns
    -------
    iterator of Batch
        `weight` is the batch's share of the epoch. Each batch's loss is a mean over the batch, so the epoch's loss is
        Σ weight·loss, and at constant parameters Σ weight·gradient is the full gradient: also with a smaller last
        batch or with sequences of unequal lengths, where a plain mean over batches would be wrong.

    Raises
    ------
    ShapeError, ArgumentError
        A batch size below 1 or above N, shapes that do not fit, or targets that fit in two ways.
    """
    where = "minibatches"
    T, N = _steps_and_sequences(where, xs)
    mask = validate.mask(where, "mask", mask, (T, N))
    batch_size = N if batch_size is None else validate.size(where, "batch_size", batch_size)
    if batch_size > N:
        validate.fail(where, f"batch_size is {batch_size}", f"at most {N}", f"there are {N} sequences")
    over_time = _over_time(where, targets, T, N, over_time)
    target_mask = validate.mask(where, "target_mask", target_mask, (T, N) if over_time else (N,))
    order = np.arange(N) if rng is None else validate.generator(where, rng).permutation(N)
    counted = target_mask
    if counted is None and mask is not None:
        counted = mask if over_time else np.any(mask, axis=0)
    counts = np.ones(N) if counted is None else counted.reshape(-1, N).sum(axis=0)

    def pick(array: Array, chosen: Array, at_each_step: bool) -> Array:
        return array[:, chosen] if at_each_step else array[chosen]

    def batches() -> Iterator[Batch]:
        for first in range(0, N, batch_size):
            chosen = order[first : first + batch_size]
            yield Batch(
                chosen,
                pick(xs, chosen, True),
                pick(targets, chosen, over_time),
                None if mask is None else pick(mask, chosen, True),
                None if target_mask is None else pick(target_mask, chosen, over_time),
                float(counts[chosen].sum() / max(counts.sum(), 1)),
            )

    return batches()


def bucketed_batches(
    lengths: Sequence[int] | Array, batch_size: int, *, rng: np.random.Generator, pool: int = 20
) -> Iterator[Array]:
    """Yield one epoch of batches as indices; each holds sequences of about one length, so that little is padding.

    The sequences are shuffled and dealt into pools of `pool` batches. A pool is sorted by length (equal lengths stay
    shuffled) and cut into its batches, which come in random order: what a batch holds is new in every epoch, and no
    epoch goes from short to long.

    Parameters
    ----------
    lengths : (N,) int
        Of all sequences, or any number to sort them by.
    batch_size : int
        B, at most N. One batch is smaller where B does not divide N, not always the last one.
    rng : Generator
        Shuffles.
    pool : int
        Batches that are sorted together. 1: no sorting; more: less padding, but batches that differ less by epoch.

    Returns
    -------
    iterator of (B,) int
        Every sequence's index comes once.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        Lengths that are no (N,) integers; a batch size below 1 or above N; a pool below 1.

    Source: Bahdanau, Cho & Bengio (2015), appendix B.2 (pools of 20 batches); notebook 13; tests/data/test_batching.py.
    """
    where = "bucketed_batches"
    keys = validate.as_array(where, "lengths", lengths)
    validate.shape(where, "lengths", keys, ("N",), "each sequence has one length")
    if not np.issubdtype(keys.dtype, np.integer):
        hint = "Try [len(text) for text in texts]."
        validate.fail(where, f"lengths has dtype {keys.dtype}", "integers", "", hint, validate.DtypeError)
    N = len(keys)
    batch_size = validate.size(where, "batch_size", batch_size)
    pool = validate.size(where, "pool", pool)
    if batch_size > N:
        validate.fail(where, f"batch_size is {batch_size}", f"at most {N}", f"there are {N} sequences")
    order = validate.generator(where, rng).permutation(N)
    batches = []
    for first in range(0, N, pool * batch_size):
        chosen = order[first : first + pool * batch_size]
        chosen = chosen[np.argsort(keys[chosen], kind="stable")]
        cut = [chosen[start : start + batch_size] for start in range(0, len(chosen), batch_size)]
        batches += [cut[n].copy() for n in rng.permutation(len(cut))]
    return (batch for batch in batches)


def _steps_and_sequences(where: str, xs: Array) -> tuple[int, int]:
    """Return T and N of inputs (T, N, D) or tokens (T, N), or say what is wrong with them."""
    plain = isinstance(xs, np.ndarray) and not isinstance(xs, np.ma.MaskedArray | np.matrix)
    whole = plain and np.issubdtype(xs.dtype, np.integer)
    if whole and xs.ndim == 3:  # counts, pixels, one-hot rows of integers
        validate.fail(
            where, f"xs has dtype {xs.dtype} and shape {xs.shape}", "floats (T, N, D), or tokens (T, N)",
            "integers are tokens, one a step and sequence",
            "Try xs.astype(np.float64); from one-hot rows to tokens xs.argmax(axis=-1).", validate.DtypeError,
        )
    if not whole:
        xs = validate.float_array(where, "xs", xs)
    hint = "Tokens, (T, N), are integers." if xs.ndim == 2 and not whole else ""
    pattern = ("T", "N") if whole else ("T", "N", "D")
    sizes = validate.shape(where, "xs", xs, pattern, "time comes first, then the batch", hint)
    return sizes["T"], sizes["N"]


def _over_time(where: str, targets: Array, T: int, N: int, said: bool | None) -> bool:
    """Tell targets at every step (T, N, …) from one a sequence (N, …); refuse to guess where both fit."""
    if not isinstance(targets, np.ndarray):
        validate.fail(
            where, f"targets is a {type(targets).__name__}", "a NumPy array", "nothing is converted silently",
            "Try np.asarray(targets).", validate.DtypeError,
        )
    each_step = targets.shape[:2] == (T, N)
    each_sequence = targets.ndim in (1, 2) and targets.shape[0] == N
    if each_step and each_sequence and said is None:
        validate.fail(
            where, f"targets has shape {targets.shape} with T = N = {N}", "a shape that fits in one way only",
            "it may be one target a step or K numbers a sequence", "Say over_time=True or over_time=False.",
        )
    over_time = each_step if said is None else bool(said)
    if not (each_step if over_time else each_sequence):
        validate.fail(
            where, f"targets has shape {targets.shape}", f"(T, N, …) = ({T}, {N}, …) or (N, …) = ({N}, …)",
            "each sequence needs its own targets", error=validate.ShapeError,
        )
    return over_time


def pad_sequences(sequences: Sequence[Array]) -> tuple[Array, Array]:
    """Put sequences of different lengths into one batch.

    Parameters
    ----------
    sequences : list of N arrays (T_n, D)
        One dtype and one D; a length of 0 is allowed as long as one sequence has a step.

    Returns
    -------
    xs : (T, N, D)
        T is the longest length; zeros after each sequence's end.
    mask : (T, N) bool
        True where there is an input.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        No sequence at all, none with a step, or sequences of different D, dtype or rank.
    """
    where = "pad_sequences"
    if not isinstance(sequences, list | tuple) or len(sequences) == 0:
        got = "an empty list" if isinstance(sequences, list | tuple) else f"one {type(sequences).__name__}"
        validate.fail(where, f"sequences is {got}", "a list of arrays (T_n, D)", "each sequence has its own length")
    first = validate.float_array(where, "sequences[0]", sequences[0])
    if first.ndim != 2:
        validate.fail(
            where, f"sequences[0] has shape {first.shape}", "(T_n, D)", "a step has D numbers",
            "For D = 1 use sequence[:, None].", validate.ShapeError,
        )
    for n, sequence in enumerate(sequences):
        name = f"sequences[{n}]"
        array = validate.float_array(where, name, sequence)
        validate.shape(where, name, array, ("T_n", first.shape[1]), f"sequences[0] has D = {first.shape[1]}")
        if array.dtype != first.dtype:
            because = "sequences[0] is of that dtype"
            validate.fail(where, f"{name} is {array.dtype}", f"{first.dtype}", because, error=validate.DtypeError)
    lengths = np.array([len(sequence) for sequence in sequences])
    if lengths.max() == 0:
        validate.fail(where, "every sequence is empty", "at least one step", error=validate.ShapeError)
    mask = np.arange(lengths.max())[:, None] < lengths
    xs = np.zeros((*mask.shape, first.shape[1]), first.dtype)
    for n, sequence in enumerate(sequences):
        xs[: len(sequence), n] = sequence
    return xs, mask


def one_hot(indices: Array, size: int, dtype: npt.DTypeLike = np.float64) -> Array:
    """Return indices (…) as rows (…, size) with a single 1.

    Raises DtypeError if the indices are no integers, ArgumentError if one is outside 0 … size − 1.
    """
    where = "one_hot"
    validate.size(where, "size", size)
    array = validate.as_array(where, "indices", indices)
    if not np.issubdtype(array.dtype, np.integer):
        validate.fail(where, f"indices has dtype {array.dtype}", "integers", error=validate.DtypeError)
    bad = (array < 0) | (array >= size)
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        place = f"[{', '.join(map(str, index))}]" if index else ""
        got, because = f"indices{place} is {array[index]}", f"size={size}, counted from 0"
        validate.fail(where, got, f"0 … {size - 1}", because, "Are they counted from 1?")
    return np.asarray(array[..., None] == np.arange(size), dtype)
