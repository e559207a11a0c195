r"""Which inputs an output looks at: by its gradient, along a line of inputs, and by taking each input away."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import validate
from ..arrays import Array, Params, State


def input_gradient(
    model: Any, params: Params, xs: Array, readout: Any, at: int = -1, state: State | None = None,
    mask: Array | None = None,
) -> Array:
    r"""Return the gradient of one number that the model puts out with respect to every input.

    .. math:: s = \sum_k r_k\, y_{at,k}, \qquad \frac{\partial s}{\partial x_t} \quad \text{for each } t

    It says what an infinitely small change of an input would do, and no more: where a unit is saturated it is near 0
    for an input on which everything depends.

    Parameters
    ----------
    model : model
        With `forward` and `backward`, such as `SequenceModel`.
    params : dict
        Its parameters.
    xs : (T, N, D)
        The inputs; indices have no gradient.
    readout : int or (K,)
        Which logit, or the weights r of a sum of logits: (1, −1) is "rather this than that".
    at : int
        The step whose logits are read; negative from the end. A many-to-one model has no steps: leave it.
    state, mask
        As in the model's `forward`.

    Returns
    -------
    gradient : (T, N, D)
        0 on padding.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        From the model; for a readout or a step that there is not.

    Source: Simonyan, Vedaldi & Zisserman (2014), §3; article §4.5; notebook 17; tests/looking/test_saliency.py.
    """
    where = "input_gradient"
    xs = _inputs(where, model, xs)
    logits, _, cache = model.forward(params, xs, state, mask)
    weights, row = _readout(where, logits, readout, at)
    dlogits = np.zeros_like(logits)
    dlogits[row] = weights
    dxs, _, _ = model.backward(params, dlogits, cache)
    gradient: Array = dxs
    return gradient


def integrated_gradients(
    model: Any, params: Params, xs: Array, readout: Any, at: int = -1, state: State | None = None,
    mask: Array | None = None, *, baseline: Any = 0.0, points: int = 64,
) -> Array:
    r"""Return the gradient averaged on the line from a baseline to the inputs, times the difference of the two.

    .. math:: (x - x') \odot \int_0^1 \nabla s(x' + \alpha (x - x'))\, d\alpha

    Summed over t and D it is s(x) − s(x'), so that nothing is left unexplained; the integral is taken at the midpoints
    of `points` equal parts. But the line runs through inputs that the model has never seen.

    Parameters
    ----------
    model, params, xs, readout, at, state, mask
        As in `input_gradient`.
    baseline : number, or array that broadcasts to (T, N, D)
        What counts as no input.
    points : int
        Of the line.

    Returns
    -------
    attributions : (T, N, D)

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `input_gradient`; for a baseline of another shape.

    Source: Sundararajan, Taly & Yan (2017), eq. 1; notebook 17; tests/looking/test_saliency.py.
    """
    where = "integrated_gradients"
    xs = _inputs(where, model, xs)
    points = validate.size(where, "points", points)
    start = _like_inputs(where, "baseline", baseline, xs)
    filled = xs if mask is None else np.where(mask[..., None], xs, start)
    total = np.zeros_like(xs)
    for k in range(points):
        alpha = (k + 0.5) / points
        along = (start + alpha * (filled - start)).astype(xs.dtype)
        total += input_gradient(model, params, along, readout, at, state, mask)
    attributions: Array = (filled - start) * total / points
    return attributions


def occlusion(
    model: Any, params: Params, xs: Array, readout: Any, at: int = -1, state: State | None = None,
    mask: Array | None = None, *, fill: Any = 0.0,
) -> Array:
    r"""Return what each input, taken away alone, takes from the number that the model puts out.

    .. math:: s(x) - s(x \text{ with } x_t \text{ replaced by the fill})

    No gradient and no approximation: a change that is made, one input at a time. Two inputs that stand in for each
    other both get 0.

    Parameters
    ----------
    model, params, xs, readout, at, state, mask
        As in `input_gradient`.
    fill : number, or array that broadcasts to (T, N, D)
        What is put in an input's place.

    Returns
    -------
    differences : (T, N)
        0 on padding.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `input_gradient`; for a fill of another shape.

    Source: Zeiler & Fergus (2014), §4.2; Li, Monroe & Jurafsky (2016); notebook 17; tests/looking/test_saliency.py.
    """
    where = "occlusion"
    xs = _inputs(where, model, xs)
    other = _like_inputs(where, "fill", fill, xs)

    def score(inputs: Array) -> Array:
        logits = model.forward(params, inputs, state, mask)[0]
        weights, row = _readout(where, logits, readout, at)
        scores: Array = logits[row] @ weights
        return scores

    whole = score(xs)
    found = np.zeros(xs.shape[:2], whole.dtype)
    for t in range(len(xs)):
        changed = xs.copy()
        changed[t] = other[t]
        found[t] = whole - score(changed)
    return found if mask is None else np.where(mask, found, np.zeros((), found.dtype))


def _inputs(where: str, model: Any, given: Any) -> Array:
    if isinstance(model, type) or not hasattr(model, "forward") or not hasattr(model, "backward"):
        validate.fail(where, f"model is {model!r:.60}", "a model with forward and backward, such as SequenceModel",
                      "the gradient goes through both", error=validate.DtypeError)
    xs: Array = validate.float_array(where, "xs", given, complex_ok=False,
                                     hint="Indices have no gradient: try one_hot(xs, D), one row of D a step.")
    validate.shape(where, "xs", xs, ("T", "N", "D"), "time comes first")
    return xs


def _readout(where: str, logits: Array, readout: Any, at: Any) -> tuple[Array, Any]:
    """Return the weights (K,), and the index of the logits' rows that are read."""
    K = logits.shape[-1]
    if isinstance(readout, int | np.integer) and not isinstance(readout, bool):
        if not 0 <= readout < K:
            validate.fail(where, f"readout is {readout}", f"0 … {K - 1}", f"the model has {K} outputs")
        weights = np.eye(K, dtype=logits.dtype)[readout]
    else:
        weights = validate.as_array(where, "readout", readout)
        if weights.dtype.kind not in "iuf":
            validate.fail(where, f"readout is {readout!r:.60}", f"a whole number, or {K} numbers",
                          "it weighs the logits", error=validate.DtypeError)
        validate.shape(where, "readout", weights, (K,), f"the model has {K} outputs")
        validate.finite(where, "readout", weights)
        weights = weights.astype(logits.dtype)
    if isinstance(at, bool) or not isinstance(at, int | np.integer):
        validate.fail(where, f"at is {at!r}", "a whole number", "it counts steps")
    if logits.ndim == 2:
        if at != -1:
            validate.fail(where, f"at is {at}", "−1, the default", "a many-to-one model puts out once")
        return weights, ...
    T = len(logits)
    if not -T <= at < T:
        validate.fail(where, f"at is {at}", f"a step from {-T} to {T - 1}", f"there are {T}")
    return weights, int(at)


def _like_inputs(where: str, name: str, value: Any, xs: Array) -> Array:
    array = validate.as_array(where, name, value)
    if array.dtype.kind not in "iuf":
        validate.fail(where, f"{name} has dtype {array.dtype}", "numbers", "it stands for inputs",
                      error=validate.DtypeError)
    validate.finite(where, name, array)
    try:
        filled = np.broadcast_to(array, xs.shape)
    except ValueError:
        validate.fail(where, f"{name} has shape {array.shape}", f"one that broadcasts to {xs.shape}",
                      "it stands in the inputs' place", error=validate.ShapeError)
    return filled.astype(xs.dtype)
