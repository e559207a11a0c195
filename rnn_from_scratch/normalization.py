r"""Layer normalisation as plain functions, for a cell's every step and for the layer, the backward under the forward.

Nothing is validated here: a cell calls these T times, and its layer has looked at the arrays before.
Every function is complex-safe: the variance is the mean of (z − μ)², with no absolute value and no conjugate.

Source: Ba, Kiros & Hinton (2016), eqs 3–4; tests/test_normalization.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .arrays import Array


class LayerNormCache(NamedTuple):
    """What the backward needs: ẑ, and the σ that each row was divided by. z itself is not needed."""

    normalized: Array  # (..., H), ẑ
    deviation: Array  # (..., 1), σ = √(variance + ε)


def layer_norm(z: Array, gain: Array, bias: Array | float, epsilon: float = 1e-5) -> tuple[Array, LayerNormCache]:
    r"""Give every row mean 0 and variance 1, then the gain and the bias that are learnt (Ba et al. 2016, eqs 3–4).

    .. math:: \mu = \frac1H \sum_i z_i, \qquad \sigma^2 = \frac1H \sum_i (z_i - \mu)^2 + \epsilon, \qquad
        \hat z = \frac{z - \mu}{\sigma}, \qquad y = g \odot \hat z + b

    A row is one sequence at one time step: no row hears of another, so training and inference are the same.
    The variance is the biased one (divided by H, not by H − 1), as in the paper and in PyTorch. The paper has no ε;
    with it a row of equal numbers becomes b and not NaN. 1e-5 is PyTorch's.

    Parameters
    ----------
    z : (..., H)
        What a unit would put through f; in a layer, the inputs.
    gain : (H,)
        g, started at 1.
    bias : (H,), or 0.0
        b, started at 0.
    epsilon : float
        Above 0.

    Returns
    -------
    y : (..., H)
    cache : LayerNormCache
    """
    centred = z - z.mean(axis=-1, keepdims=True)  # (..., H)
    variance = (centred * centred).mean(axis=-1, keepdims=True)  # (..., 1)
    deviation = np.sqrt(variance + float(epsilon))  # a NumPy float64 would turn float32 into float64
    normalized = centred / deviation  # (..., H)
    return gain * normalized + bias, LayerNormCache(normalized, deviation)


def layer_norm_backward(dy: Array, gain: Array, cache: LayerNormCache) -> Array:
    r"""Take ∂L/∂y to ∂L/∂z. Linear in dy, row by row.

    Let z move by a small u. Then z − μ moves by u − mean(u), and σ moves by mean((z − μ) ⊙ u)/σ = mean(ẑ ⊙ u),
    where mean(u) drops out because the entries of z − μ add up to 0. So ẑ = (z − μ)/σ moves by

    .. math:: \frac{1}{\sigma} \left( u - \mathrm{mean}(u) - \hat z \, \mathrm{mean}(\hat z \odot u) \right)

    This is u times the matrix (I − 11ᵀ/H − ẑẑᵀ/H)/σ. It equals its own transpose, so the backward is the same
    formula, with dẑ = g ⊙ dy in the place of u:

    .. math:: dz = \frac{1}{\sigma}
        \left( d\hat z - \mathrm{mean}(d\hat z) - \hat z \, \mathrm{mean}(d\hat z \odot \hat z) \right)

    The formula is exact for any ε. In words: what would only shift the row, or only stretch it, is taken out.

    Parameters
    ----------
    dy : (..., H)
        ∂L/∂y.
    gain : (H,)
        As in `layer_norm`.
    cache : LayerNormCache
        From `layer_norm`.

    Returns
    -------
    dz : (..., H)
    """
    normalized, deviation = cache
    dnormalized = dy * gain  # (..., H)
    shift = dnormalized.mean(axis=-1, keepdims=True)  # (..., 1)
    stretch = (dnormalized * normalized).mean(axis=-1, keepdims=True)  # (..., 1)
    dz: Array = (dnormalized - shift - normalized * stretch) / deviation  # (..., H)
    return dz


def layer_norm_param_grads(dy: Array, cache: LayerNormCache) -> tuple[Array, Array]:
    r"""Return ∂L/∂g = Σ dy ⊙ ẑ and ∂L/∂b = Σ dy, summed over all leading axes.

    It stands alone so that a cell can wait: stack dy and ẑ of all time steps, and sum once after the loop.
    It reads ẑ alone, never σ.

    Parameters
    ----------
    dy : (..., H)
        ∂L/∂y.
    cache : LayerNormCache
        From `layer_norm`, or the stacked arrays of many steps.

    Returns
    -------
    dgain : (H,)
    dbias : (H,)
    """
    leading = tuple(range(dy.ndim - 1))
    dgain: Array = (dy * cache.normalized).sum(axis=leading)  # (H,)
    dbias: Array = dy.sum(axis=leading)  # (H,)
    return dgain, dbias
