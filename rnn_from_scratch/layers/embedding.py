"""The embedding: a learnt vector for every index, and the backward that must count an index as often as it comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import validate
from ..arrays import Array, Params


class EmbeddingCache(NamedTuple):
    """Which rows were read: ∂L/∂W_embed goes back to those."""

    indices: Array  # (...), intp, a copy


@dataclass(frozen=True)
class Embedding:
    r"""Turn indices into vectors: y_t = the row of W_embed whose number is the index i_t.

    .. math:: y_t = W_{embed}[i_t] = \mathrm{onehot}(i_t) \, W_{embed}

    It is a matrix product with one-hot inputs, without the product. With it a recurrent layer's W_xh sees
    E numbers instead of V.

    vocabulary_size : V, indices run from 0 to V − 1
    embedding_size : E

    Source: Bengio, Ducharme, Vincent & Jauvin (2003), the matrix C; tests/layers/test_embedding.py.
    """

    vocabulary_size: int
    embedding_size: int

    def __post_init__(self) -> None:
        validate.sizes("Embedding", self, "vocabulary_size", "embedding_size")

    @property
    def output_size(self) -> int:
        """E."""
        return self.embedding_size

    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Return {"W_embed": (V, E)}."""
        return {"W_embed": (self.vocabulary_size, self.embedding_size)}

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return W_embed from N(0, 1), as PyTorch does (Keras: U(−0.05, 0.05)).

        A row is the next layer's input, and Glorot's W_xh keeps the variance of inputs whose entries have variance 1.
        Glorot's own rule would be wrong here: no sum runs over the V rows, an index reads one alone.
        """
        where = "Embedding.init_params"
        kind = validate.float_dtype(where, dtype)
        normal = validate.generator(where, rng).standard_normal((self.vocabulary_size, self.embedding_size))
        return {"W_embed": normal.astype(kind)}

    def forward(
        self, params: Params, indices: Array, *, rng: np.random.Generator | None = None
    ) -> tuple[Array, EmbeddingCache]:
        """Read a row for each index.

        Parameters
        ----------
        params : {"W_embed": (V, E)}
            The weights.
        indices : (...) of any integer dtype
            (T, N) for every step, (N,) for one a sequence. Padding needs an index too, such as 0: what comes out
            there is for the mask to leave out.
        rng : Generator, optional
            Not used: the layer has no randomness.

        Returns
        -------
        ys : (..., E)
        cache : EmbeddingCache

        Raises
        ------
        DtypeError
            If indices is no array of integers: one-hot rows, a mask, a list.
        ShapeError, ArgumentError
            If an index is outside 0 … V − 1, there is none, or params has the wrong keys, shapes or dtypes, or holds
            NaN or infinity.
        """
        where = "Embedding.forward"
        validate.params(where, params, self.param_shapes(), f"This layer is {self}.")
        checked = _checked(where, indices, self.vocabulary_size)
        ys: Array = np.take(params["W_embed"], checked, axis=0)  # (..., E)
        return ys, EmbeddingCache(checked)

    def backward(self, params: Params, dys: Array, cache: EmbeddingCache) -> tuple[None, Params]:
        r"""Take ∂L/∂y to ∂L/∂W_embed: row v gets the sum of dy over every place where the index was v.

        .. math:: dW_{embed}[v] = \sum_{t,n \,:\, i_{tn} = v} dy_{tn}

        An index that comes twice counts twice. `dW[indices] += dys` does not do that: NumPy reads dW[indices] once,
        adds, and writes back, so the last of equal indices wins. Such a gradient is right in every test without
        repetitions. `np.add.at` adds them all.

        Parameters
        ----------
        params : dict
            As in `forward`.
        dys : (..., E)
            ∂L/∂y.
        cache : EmbeddingCache
            From `forward`.

        Returns
        -------
        dxs : None
            An index is a whole number: there is no small step to take, and so no gradient.
        grads : {"W_embed": (V, E)}
            Rows that no index named are 0.

        Raises
        ------
        ShapeError, DtypeError, ArgumentError
            If dys does not have the shape and dtype of the layer's output, or is not finite.
        """
        where = "Embedding.backward"
        validate.cache(where, cache, EmbeddingCache)
        validate.params(where, params, self.param_shapes(), f"This layer is {self}.")
        V, E = self.param_shapes()["W_embed"]
        dys = validate.float_array(where, "dys", dys)
        validate.shape(where, "dys", dys, (*cache.indices.shape, E), "it is the gradient of the layer's output")
        validate.same_dtype(where, params=params, dys=dys)
        validate.finite(where, "dys", dys, hint="Did the loss diverge?")
        # Entry (v, e) is number v·E + e of the matrix laid out in a line. Along a line np.add.at is several times
        # as fast as row by row.
        places = cache.indices[..., None] * E + np.arange(E)  # (..., E)
        line = np.zeros(V * E, dys.dtype)  # (V·E,)
        np.add.at(line, places.ravel(), dys.ravel())
        return None, {"W_embed": line.reshape(V, E)}  # (V, E)


def _checked(where: str, indices: Any, V: int) -> Array:
    """Return a copy of indices as intp, or say what is wrong with them."""
    if not isinstance(indices, np.ndarray) or isinstance(indices, np.ma.MaskedArray | np.matrix):
        validate.fail(
            where, f"indices is a {type(indices).__name__}", "a plain NumPy array", "nothing is converted silently",
            "Try np.asarray(indices).", validate.DtypeError,
        )
    if indices.dtype.kind not in "iu":
        hints = {
            "b": "A mask goes to the recurrent layer and to the loss.",
            "f": "From one-hot rows pass the indices, rows.argmax(axis=-1); Dense takes vectors of numbers.",
        }
        validate.fail(
            where, f"indices has dtype {indices.dtype}", "integers", "an index is the number of a row of W_embed",
            hints.get(indices.dtype.kind, "Give each symbol its number first."), validate.DtypeError,
        )
    leading = {1: ("N",), 2: ("T", "N")}.get(indices.ndim, tuple(f"axis{i}" for i in range(indices.ndim)))
    validate.shape(where, "indices", indices, leading)
    validate.indices(
        where, "indices", indices, V, counts="vocabulary_size", padding="any index inside will do, such as 0"
    )
    return np.array(indices, dtype=np.intp)
