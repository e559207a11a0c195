"""The output layer: the article's E2.1b without its g, and its backward by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .. import initializers, validate
from ..arrays import Array, Params


class DenseCache(NamedTuple):
    """The layer's input, which ∂W_hy needs."""

    hs: Array  # (..., H)


@dataclass(frozen=True)
class Dense:
    r"""An affine layer, y_t = h_t W_hy + b_y (article E2.1b), on any leading axes.

    It puts out logits. The article's g (softmax or the identity) belongs to the loss, which is more exact with
    both in one (E-CE), and to `predict`.

    Source: notebook 01; tests/layers/test_dense.py.
    """

    input_size: int
    output_size: int

    def __post_init__(self) -> None:
        validate.sizes("Dense", self, "input_size", "output_size")

    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return {"W_hy": (H, K), "b_y": (K,)}."""
        return {"W_hy": (self.input_size, self.output_size), "b_y": (self.output_size,)}

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return Glorot uniform W_hy and zero b_y."""
        shapes = self.param_shapes()
        return {
            "W_hy": initializers.glorot_uniform(shapes["W_hy"], rng=rng, dtype=dtype),
            "b_y": initializers.zeros(shapes["b_y"], dtype=dtype),
        }

    def forward(self, params: Params, xs: Array, *, rng: np.random.Generator | None = None) -> tuple[Array, DenseCache]:
        """Compute the logits (article E2.1b).

        Parameters
        ----------
        params : {"W_hy": (H, K), "b_y": (K,)}
            The weights.
        xs : (..., H)
            (T, N, H) for an output at every step, (N, H) for one a sequence.
        rng : Generator, optional
            Not used: the layer has no randomness.

        Returns
        -------
        ys : (..., K)
        cache : DenseCache

        Raises
        ------
        ShapeError, DtypeError, ArgumentError
            If params or xs have the wrong keys, shapes or dtypes, or hold NaN or infinity.
        """
        where = "Dense.forward"
        validate.params(where, params, self.param_shapes(), f"This layer is {self}.")
        xs = validate.float_array(where, "xs", xs)
        leading = {2: ("N",), 3: ("T", "N")}.get(xs.ndim, tuple(f"axis{i}" for i in range(xs.ndim - 1)))
        validate.shape(where, "xs", xs, (*leading, self.input_size), f"input_size={self.input_size}")
        validate.same_dtype(where, params=params, xs=xs)
        validate.finite(where, "xs", xs)
        ys: Array = xs @ params["W_hy"] + params["b_y"]  # (..., K)
        return ys, DenseCache(xs)

    def backward(self, params: Params, dys: Array, cache: DenseCache) -> tuple[Array, Params]:
        r"""Take ∂L/∂y to the gradients of E2.1b: y = hW + b gives dW = hᵀ dy, db = Σ dy, dh = dy Wᵀ.

        Parameters
        ----------
        params : dict
            As in `forward`.
        dys : (..., K)
            ∂L/∂y.
        cache : DenseCache
            From `forward`.

        Returns
        -------
        dxs : (..., H)
        grads : {"W_hy": (H, K), "b_y": (K,)}

        Raises
        ------
        ShapeError, DtypeError, ArgumentError
            If dys does not have the shape and dtype of the layer's output, or is not finite.
        """
        where = "Dense.backward"
        validate.cache(where, cache, DenseCache)
        validate.params(where, params, self.param_shapes(), f"This layer is {self}.")
        dys = validate.float_array(where, "dys", dys)
        expected = (*cache.hs.shape[:-1], self.output_size)
        validate.shape(where, "dys", dys, expected, "it is the gradient of the layer's output")
        validate.same_dtype(where, params=params, dys=dys, xs=cache.hs)
        validate.finite(where, "dys", dys, hint="Did the loss diverge?")
        rows = dys.reshape(-1, self.output_size)  # (T·N, K)
        grads = {
            "W_hy": cache.hs.reshape(-1, self.input_size).T @ rows,  # (H, K)
            "b_y": rows.sum(axis=0),  # (K,)
        }
        dxs: Array = dys @ params["W_hy"].T  # (..., H)
        return dxs, grads
