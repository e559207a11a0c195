"""Layer normalisation as a layer of its own: `normalization.py` behind validated arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .. import initializers, validate
from ..arrays import Array, Params
from ..normalization import LayerNormCache, layer_norm, layer_norm_backward, layer_norm_param_grads


@dataclass(frozen=True)
class LayerNorm:
    r"""Give every row mean 0 and variance 1, then a gain and a bias for each unit, on any leading axes.

    .. math:: y = g \odot \frac{z - \mu}{\sigma} + b, \qquad \sigma = \sqrt{\tfrac1H \sum_i (z_i - \mu)^2 + \epsilon}

    The mean and the variance are those of one sequence at one time step. So a padded sequence gets what it gets
    alone, and inference is the same as training: batch normalisation has neither.

    size : H, at least 2
    epsilon : 1e-5 as in PyTorch (Keras: 1e-3)

    Source: Ba, Kiros & Hinton (2016), eqs 3–4; the backward is derived in `normalization.layer_norm_backward`;
    tests/layers/test_layer_norm.py.
    """

    size: int
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        validate.sizes("LayerNorm", self, "size")
        if self.size == 1:
            validate.fail(
                "LayerNorm", "size is 1", "at least 2",
                "one number is its own mean: every input would become 0 and every gradient with respect to it too",
                "Leave the layer out.",
            )
        because = "a row of equal numbers has variance 0, and only ε keeps it from being divided by 0, in float32 too"
        validate.number("LayerNorm", "epsilon", self.epsilon, at_least=1e-30, because=because)

    @property
    def input_size(self) -> int:
        """H."""
        return self.size

    @property
    def output_size(self) -> int:
        """H."""
        return self.size

    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return {"gain": (H,), "bias": (H,)}."""
        return {"gain": (self.size,), "bias": (self.size,)}

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return gain 1 and bias 0, so that the layer starts as the normalisation alone. Nothing is drawn from rng."""
        validate.generator("LayerNorm.init_params", rng)
        return {
            "gain": np.ones(self.size, validate.float_dtype("LayerNorm.init_params", dtype)),
            "bias": initializers.zeros((self.size,), dtype=dtype),
        }

    def forward(
        self, params: Params, xs: Array, *, rng: np.random.Generator | None = None
    ) -> tuple[Array, LayerNormCache]:
        """Normalise every row (Ba et al. 2016, eqs 3–4).

        Parameters
        ----------
        params : {"gain": (H,), "bias": (H,)}
            The weights.
        xs : (..., H)
            (T, N, H) for every step, (N, H) for one row a sequence.
        rng : Generator, optional
            Not used: the layer has no randomness.

        Returns
        -------
        ys : (..., H)
        cache : LayerNormCache

        Raises
        ------
        ShapeError, DtypeError, ArgumentError
            If params or xs have the wrong keys, shapes or dtypes, or hold NaN or infinity.
        """
        where = "LayerNorm.forward"
        validate.params(where, params, self.param_shapes(), f"This layer is {self}.")
        xs = validate.float_array(where, "xs", xs)
        leading = {2: ("N",), 3: ("T", "N")}.get(xs.ndim, tuple(f"axis{i}" for i in range(xs.ndim - 1)))
        validate.shape(where, "xs", xs, (*leading, self.size), f"size={self.size}")
        validate.same_dtype(where, params=params, xs=xs)
        validate.finite(where, "xs", xs)
        return layer_norm(xs, params["gain"], params["bias"], self.epsilon)

    def backward(self, params: Params, dys: Array, cache: LayerNormCache) -> tuple[Array, Params]:
        """Take ∂L/∂y to the gradients (derived in `normalization.layer_norm_backward`).

        Parameters
        ----------
        params : dict
            As in `forward`.
        dys : (..., H)
            ∂L/∂y.
        cache : LayerNormCache
            From `forward`.

        Returns
        -------
        dxs : (..., H)
        grads : {"gain": (H,), "bias": (H,)}

        Raises
        ------
        ShapeError, DtypeError, ArgumentError
            If dys does not have the shape and dtype of the layer's output, or is not finite.
        """
        where = "LayerNorm.backward"
        validate.cache(where, cache, LayerNormCache)
        validate.params(where, params, self.param_shapes(), f"This layer is {self}.")
        dys = validate.float_array(where, "dys", dys)
        expected = cache.normalized.shape
        validate.shape(where, "dys", dys, expected, "it is the gradient of the layer's output")
        validate.same_dtype(where, params=params, dys=dys, xs=cache.normalized)
        validate.finite(where, "dys", dys, hint="Did the loss diverge?")
        dgain, dbias = layer_norm_param_grads(dys, cache)  # (H,), (H,)
        return layer_norm_backward(dys, params["gain"], cache), {"gain": dgain, "bias": dbias}  # dxs (..., H)
