r"""What gradients and updates tell: the gradient noise scale, and how far an update moves each array.

Source: McCandlish, Kaplan, Amodei & the OpenAI Dota Team (2018); notebook 06; tests/optim/test_diagnostics.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from .. import validate
from ..arrays import Params, Tree, global_norm, leaves
from .descent import check_gradients_fit


class NoiseScale(NamedTuple):
    """The gradient noise scale and the two estimates that it is the quotient of."""

    scale: float | None  # tr Σ / |G|², in sequences (whatever the batch sizes count); None where signal is not above 0
    noise: float  # tr Σ, the variance of one sequence's gradient, summed over all entries; 0 or below: too few batches
    signal: float  # |G|², the full gradient's squared norm; may come out below 0 where noise hides it


def gradient_noise_scale(
    small: Iterable[Params], large: Iterable[Params], *, small_batch: int, large_batch: int
) -> NoiseScale:
    r"""Estimate the simple noise scale from gradients of batches of two sizes, at the same parameters.

    A batch of B drawn at random has a gradient with E‖g‖² = ‖G‖² + tr Σ / B. Two sizes are two equations:

    .. math::
        \|G\|^2 \approx \frac{B_2 \overline{\|g_2\|^2} - B_1 \overline{\|g_1\|^2}}{B_2 - B_1}, \qquad
        \operatorname{tr}\Sigma \approx
        \frac{\overline{\|g_1\|^2} - \overline{\|g_2\|^2}}{1/B_1 - 1/B_2}, \qquad
        B_\text{simple} = \frac{\operatorname{tr}\Sigma}{\|G\|^2}

    Both estimates are unbiased, whatever the number of batches; their quotient is not, so average over many batches
    before dividing, as here. Below B_simple a larger batch saves updates nearly in proportion; far above it hardly any.

    Parameters
    ----------
    small, large : iterable of gradients
        Trees of arrays of one form, each from an independent batch of `small_batch` or `large_batch` sequences, drawn
        with replacement (or from far more data than a batch holds). The mean of n small ones may be a large one.
    small_batch, large_batch : int
        B_1 < B_2.

    Raises
    ------
    ArgumentError
        No gradients, gradients that differ in keys or shapes or are not finite, sizes that are not B_1 < B_2.

    Source: McCandlish et al. (2018), eq. 2.9 and appendix A.1; notebook 06; tests/optim/test_diagnostics.py.
    """
    where = "gradient_noise_scale"
    B_1 = validate.size(where, "small_batch", small_batch)
    B_2 = validate.size(where, "large_batch", large_batch)
    if B_1 >= B_2:
        because = "two sizes are needed to tell noise from signal"
        validate.fail(where, f"small_batch is {B_1} and large_batch {B_2}", "the first below the second", because)
    first: Params | None = None
    means = []
    for name, gradients in (("small", small), ("large", large)):
        if isinstance(gradients, dict | str | np.ndarray) or not isinstance(gradients, Iterable):
            validate.fail(
                where, f"{name} is a {type(gradients).__name__}", "a list of gradients", "one is too few to average",
                f"Try {name}=[grads for each batch].", validate.DtypeError,
            )
        squared = []
        for grads in gradients:
            first = grads if first is None else first
            check_gradients_fit(where, first, grads)
            squared.append(global_norm(grads) ** 2)
        if not squared:
            validate.fail(where, f"{name} is empty", "at least one gradient", "there is nothing to average")
        means.append(float(np.mean(squared)))
    signal = (B_2 * means[1] - B_1 * means[0]) / (B_2 - B_1)
    noise = (means[0] - means[1]) / (1.0 / B_1 - 1.0 / B_2)
    return NoiseScale(noise / signal if signal > 0.0 else None, noise, signal)


def update_ratios(before: Tree, after: Tree) -> dict[str, float]:
    r"""Return ‖Δθ‖ / ‖θ‖ for every array: the share of its size that an update moves it.

    About a thousandth is usual; a hundredth and more all the time says that the rate is high for this array, 1e-5 that
    it hardly learns. An array of zeros (a bias at the start) has the ratio infinity, or 0 where it does not move.

    Parameters
    ----------
    before, after : trees of arrays
        The parameters before and after one update.

    Returns
    -------
    ratios : {path: float}
        "recurrent.W_hh": 0.0012.

    Raises
    ------
    ArgumentError
        Trees that differ in keys or shapes, or entries that are not finite.

    Source: notebook 06; tests/optim/test_diagnostics.py.
    """
    where = "update_ratios"
    own, moved = dict(leaves(before)), dict(leaves(after))
    if not own or set(own) != set(moved):
        expected = f"{sorted(own) or 'arrays'}"
        validate.fail(where, f"after has {sorted(moved)}", expected, "both hold the same parameters")
    ratios = {}
    for name, array in own.items():
        array = validate.float_array(where, f"before {name}", array, complex_ok=False)
        other = validate.float_array(where, f"after {name}", moved[name], complex_ok=False)
        validate.shape(where, f"after {name}", other, array.shape, "an update keeps the shape")
        validate.same_dtype(where, before=array, after=other)
        validate.finite(where, f"before {name}", array)
        validate.finite(where, f"after {name}", other)
        size, step = global_norm(array), global_norm(other - array)
        ratios[name] = step / size if size > 0.0 else (math.inf if step > 0.0 else 0.0)
    return ratios
