"""Dropout: noise while training, the identity at inference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .. import validate
from ..arrays import Array, Params

BECAUSE_OF_RATE = "it is the probability of dropping an entry, and with 1 nothing would be kept"


def dropout_mask(
    shape: tuple[int, ...], rate: float, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64
) -> Array:
    r"""Draw a mask: each entry is 0 with probability `rate`, otherwise 1/(1 − rate), independently.

    Its mean is 1, so what is multiplied by it keeps its mean. The draws do not depend on dtype: one seed drops the
    same entries in float32 and in float64.

    Parameters
    ----------
    shape : tuple of int
        Of the mask.
    rate : float
        The probability of a 0, in [0, 1).
    rng : Generator
        Draws one uniform number for each entry.
    dtype : float64 or float32
        Of the mask.

    Returns
    -------
    mask : shape

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        For a shape that is no tuple of sizes, a rate outside [0, 1), no Generator, or another dtype.

    Source: Srivastava et al. (2014) (there p is the probability of keeping); tests/layers/test_dropout.py.
    """
    where = "dropout_mask"
    if not isinstance(shape, tuple):
        validate.fail(
            where, f"shape is {shape!r}", "a tuple of sizes", "one number is drawn for each entry",
            error=validate.ShapeError,
        )
    for axis, entries in enumerate(shape):
        validate.size(where, f"shape[{axis}]", entries)
    rate = validate.number(where, "rate", rate, at_least=0.0, below=1.0, because=BECAUSE_OF_RATE)
    kind = validate.float_dtype(where, dtype)
    kept = validate.generator(where, rng).random(shape) >= rate
    return np.where(kept, 1.0 / (1.0 - rate), 0.0).astype(kind)


class DropoutCache(NamedTuple):
    """The mask that the inputs were multiplied by; at inference 1 everywhere."""

    mask: Array  # the shape of xs, read-only (over_time: a view of one step's numbers)


@dataclass(frozen=True)
class Dropout:
    r"""Multiply by a random mask of 0 and 1/(1 − rate) while training; do nothing at inference.

    .. math:: y = m \odot x, \qquad m = 0 \text{ with probability } r, \quad \tfrac{1}{1-r} \text{ otherwise}

    This is inverted dropout: the scaling stands in training, so inference needs none.

    rate : r in [0, 1), the probability of dropping an entry (as in PyTorch and Keras; the paper's p keeps)
    over_time : False draws a mask for every time step. True draws one for each sequence, (1, N, ·), and uses it at
        every step: variational dropout, which does not bury a signal that lasts under noise that changes

    Source: Srivastava et al. (2014); Gal & Ghahramani (2016), fig. 1, for over_time;
    tests/layers/test_dropout.py.
    """

    rate: float
    over_time: bool = False

    def __post_init__(self) -> None:
        validate.number("Dropout", "rate", self.rate, at_least=0.0, below=1.0, because=BECAUSE_OF_RATE)
        validate.option("Dropout", "over_time", self.over_time, (False, True))

    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return {}: nothing is learnt."""
        return {}

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return {}: nothing is learnt, and nothing is drawn from rng."""
        validate.generator("Dropout.init_params", rng)
        validate.float_dtype("Dropout.init_params", dtype)
        return {}

    def forward(
        self, params: Params, xs: Array, *, rng: np.random.Generator | None = None
    ) -> tuple[Array, DropoutCache]:
        """Drop entries (with rng) or none (without).

        Parameters
        ----------
        params : {}
            There are none.
        xs : (..., H)
            With over_time (T, N, H).
        rng : Generator, optional
            Given: training, a new mask is drawn. None: inference, ys equals xs exactly.

        Returns
        -------
        ys : (..., H)
            Always memory of its own.
        cache : DropoutCache

        Raises
        ------
        ShapeError, DtypeError, ArgumentError
            If params is not empty, rng is no Generator, xs has the wrong shape or dtype, or holds NaN or infinity.
        """
        where = "Dropout.forward"
        validate.params(where, params, {}, f"{self} has no parameters: pass {{}}.")
        xs = validate.float_array(where, "xs", xs)
        if self.over_time:
            validate.shape(where, "xs", xs, ("T", "N", "H"), "over_time=True shares one mask between the time steps")
        else:
            leading = {2: ("N",), 3: ("T", "N")}.get(xs.ndim, tuple(f"axis{i}" for i in range(xs.ndim - 1)))
            validate.shape(where, "xs", xs, (*leading, "H"))
        validate.finite(where, "xs", xs)
        drawn = np.ones((), xs.real.dtype)  # inference
        if rng is not None:
            shape = (1, *xs.shape[1:]) if self.over_time else xs.shape
            drawn = dropout_mask(shape, self.rate, rng=validate.generator(where, rng), dtype=xs.real.dtype)
        mask = np.broadcast_to(drawn, xs.shape)  # (..., H)
        ys: Array = xs * mask  # (..., H)
        return ys, DropoutCache(mask)

    def backward(self, params: Params, dys: Array, cache: DropoutCache) -> tuple[Array, Params]:
        r"""Take ∂L/∂y to ∂L/∂x = m ⊙ dy, with the mask of the forward pass: a new one would be another function.

        Parameters
        ----------
        params : {}
            There are none.
        dys : (..., H)
            ∂L/∂y.
        cache : DropoutCache
            From `forward`.

        Returns
        -------
        dxs : (..., H)
        grads : {}

        Raises
        ------
        ShapeError, DtypeError, ArgumentError
            If dys does not have the shape and dtype of the layer's output, or is not finite.
        """
        where = "Dropout.backward"
        validate.cache(where, cache, DropoutCache)
        validate.params(where, params, {}, f"{self} has no parameters: pass {{}}.")
        dys = validate.float_array(where, "dys", dys)
        validate.shape(where, "dys", dys, cache.mask.shape, "it is the gradient of the layer's output")
        validate.same_dtype(where, dys=dys, xs=cache.mask)
        validate.finite(where, "dys", dys, hint="Did the loss diverge?")
        dxs: Array = dys * cache.mask  # (..., H)
        return dxs, {}
