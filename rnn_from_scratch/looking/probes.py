r"""Linear probes: whether a straight line reads a variable off the hidden states.

A probe that succeeds says that the variable is *there*. An untrained network passes many a test, since a random
recurrent layer keeps what it has read; and what is there need not be used (`remove_directions` tells).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..activations import softmax
from ..arrays import Array


class Probe(NamedTuple):
    """A linear map from states to values or to logits of classes."""

    W: Array  # (H, K)
    b: Array  # (K,)

    def read(self, hs: Array) -> Array:
        """Return values or logits: (…, H) to (…, K)."""
        values: Array = _states("Probe.read", hs, len(self.W)) @ self.W + self.b
        return values

    def classes(self, hs: Array) -> Array:
        """Return the class of the largest logit: (…, H) to (…) int."""
        found: Array = self.read(hs).argmax(axis=-1)
        return found


def fit_least_squares(hs: Array, values: Array, *, ridge: float = 0.0) -> Probe:
    r"""Fit values by a straight line of the states, exactly, with the smallest weights if several are as good.

    .. math:: \min_{W, b} \sum_m \| h_m W + b - v_m \|^2 + \lambda M \|W\|^2

    Parameters
    ----------
    hs : (M, H)
        States, one a row.
    values : (M,) or (M, K)
        What stands beside each.
    ridge : float
        λ, at least 0; the bias is not penalised.

    Returns
    -------
    Probe
        W (H, K) with K = 1 for values (M,).

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        For shapes that do not fit, or numbers that are not finite.

    Source: Hastie, Tibshirani & Friedman (2009), eqs 3.2, 3.41; Alain & Bengio (2016); notebook 17;
    tests/looking/test_probes.py.
    """
    where = "fit_least_squares"
    hs = _rows(where, hs)
    values = validate.float_array(where, "values", values, complex_ok=False)
    columns = values[:, None] if values.ndim == 1 else values
    validate.shape(where, "values", columns, (len(hs), "K"), f"there are {len(hs)} states")
    validate.finite(where, "values", values)
    validate.same_dtype(where, hs=hs, values=values)
    ridge = validate.number(where, "ridge", ridge, at_least=0.0)
    mean, middle = hs.mean(axis=0), columns.mean(axis=0)
    # The bias takes the means out; a ridge is √(λM)·I below the states, with zeros to fit.
    rows = np.concatenate([hs - mean, np.sqrt(ridge * len(hs)) * np.eye(hs.shape[1])]).astype(hs.dtype)
    wanted = np.concatenate([columns - middle, np.zeros((hs.shape[1], columns.shape[1]))]).astype(hs.dtype)
    W = np.linalg.lstsq(rows, wanted, rcond=None)[0]
    return Probe(W, middle - mean @ W)


def fit_classifier(
    hs: Array, labels: Array, classes: int | None = None, *, ridge: float = 1e-3, steps: int = 100
) -> Probe:
    r"""Fit multinomial logistic regression by Newton's method, to the bottom of its convex loss.

    .. math:: \min_{W, b}\; -\frac{1}{M} \sum_m \log p_{m, k_m} + \frac{\lambda}{2} \|W\|^2, \qquad
              p_m = \mathrm{softmax}(h_m W + b)

    The gradient is hᵀ(p − y)/M + λW and the Hessian Σ (diag p − p pᵀ) ⊗ h hᵀ/M + λI, both by hand. A full step that
    does not lower the loss is halved. A step costs about (K·H)³: with hundreds of units take `fit_least_squares` of
    one-hot labels.

    Parameters
    ----------
    hs : (M, H)
        States, one a row.
    labels : (M,) int
        0 … K − 1; each class at least once.
    classes : int, optional
        K; default the largest label and one.
    ridge : float
        λ above 0: without it, classes that a line parts have no best W.
    steps : int
        At most so many Newton steps.

    Returns
    -------
    Probe

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        For shapes that do not fit, labels out of range or a class that does not occur, numbers that are not finite; or
        if the bottom is not reached within `steps`.

    Source: Bishop (2006), §4.3.4, eqs 4.109, 4.110; notebook 17; tests/looking/test_probes.py.
    """
    where = "fit_classifier"
    hs = _rows(where, hs)
    labels, K = _labels(where, labels, len(hs), classes)
    ridge = validate.number(where, "ridge", ridge, above=0.0, because="separable classes have no best W without it")
    steps = validate.size(where, "steps", steps)
    M, H = hs.shape
    rows = np.concatenate([hs.astype(np.float64), np.ones((M, 1))], axis=1)  # the bias is the weight of a 1
    wanted = np.eye(K)[labels]
    penalty = ridge * np.append(np.ones(H), 0.0)[:, None]  # (H + 1, 1): none on the bias
    weights = np.zeros((H + 1, K))

    def loss(weights: Array) -> float:
        logits = rows @ weights
        top = logits.max(axis=1)
        log_sums = top + np.log(np.exp(logits - top[:, None]).sum(axis=1))
        return float((log_sums - (logits * wanted).sum(axis=1)).mean() + 0.5 * (penalty * weights**2).sum())

    for _ in range(steps):
        p = softmax(rows @ weights)
        gradient = rows.T @ (p - wanted) / M + penalty * weights
        if np.abs(gradient).max() < 1e-10:
            return Probe(weights[:-1].astype(hs.dtype), weights[-1].astype(hs.dtype))
        hessian = np.empty((K, H + 1, K, H + 1))
        for k in range(K):
            for j in range(k + 1):
                share = p[:, k] * ((k == j) - p[:, j])
                block = (rows * share[:, None]).T @ rows / M + (k == j) * np.diag(penalty[:, 0])
                hessian[k, :, j] = hessian[j, :, k] = block
        # All biases up by one changes no p, so the Hessian has no inverse. A curvature there, where the gradient has no
        # part, changes nothing of the step but that.
        hessian[:, H, :, H] += 1.0
        size = K * (H + 1)
        step = np.linalg.solve(hessian.reshape(size, size), gradient.T.ravel()).reshape(K, H + 1).T
        before, length = loss(weights), 1.0
        while length > 1e-8 and loss(weights - length * step) > before + 1e-15:
            length /= 2
        weights = weights - length * step
    validate.fail(where, f"after {steps} steps the gradient is {np.abs(gradient).max():.2g}", "below 1e-10",
                  "the loss is convex and has one bottom", "Try a larger ridge, or more steps.")


def class_directions(hs: Array, labels: Array, classes: int | None = None) -> Array:
    r"""Return the directions in which the class means differ, μ_k − μ_0 for k = 1 … K − 1.

    With their span removed all class means are equal, and then no linear probe fitted to those states by least squares
    finds anything: it has only these means to go by. (A probe's weights W are another thing: they are turned away from
    whatever else varies, so removing them alone can leave the variable readable.)

    Parameters
    ----------
    hs : (M, H)
        States, one a row.
    labels : (M,) int
        0 … K − 1; each class at least once.
    classes : int, optional
        K; default the largest label and one.

    Returns
    -------
    directions : (K − 1, H)

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        As `fit_classifier`.

    Source: Haufe et al. (2014), on patterns and filters; Belrose et al. (2023), on equal class means; notebook 17;
    tests/looking/test_probes.py.
    """
    where = "class_directions"
    hs = _rows(where, hs)
    labels, K = _labels(where, labels, len(hs), classes)
    means = np.stack([hs[labels == k].mean(axis=0) for k in range(K)])
    directions: Array = means[1:] - means[0]
    return directions


def _rows(where: str, given: Any) -> Array:
    hs: Array = validate.float_array(where, "hs", given, complex_ok=False)
    if hs.ndim != 2 or len(hs) < 2 or not hs.shape[1]:
        validate.fail(where, f"hs has shape {hs.shape}", "(M, H) with M ≥ 2", "states stand in rows",
                      "All steps and sequences: hs.reshape(-1, H).", validate.ShapeError)
    validate.finite(where, "hs", hs)
    return hs


def _states(where: str, given: Any, H: int) -> Array:
    hs: Array = validate.float_array(where, "hs", given, complex_ok=False)
    if hs.ndim < 1 or hs.shape[-1] != H:
        validate.fail(where, f"hs has shape {hs.shape}", f"(…, {H})", f"the probe was fitted to {H} units",
                      error=validate.ShapeError)
    return hs


def _labels(where: str, labels: Any, M: int, classes: int | None) -> tuple[Array, int]:
    labels = validate.as_array(where, "labels", labels)
    if labels.dtype.kind not in "iu":
        validate.fail(where, f"labels has dtype {labels.dtype}", "whole numbers", "they name classes",
                      "Of a condition: condition.astype(int).", validate.DtypeError)
    validate.shape(where, "labels", labels, (M,), f"there are {M} states")
    K = int(labels.max()) + 1 if classes is None else validate.size(where, "classes", classes)
    validate.indices(where, "labels", labels, K, counts="classes", padding="no label stands for it")
    missing = sorted(set(range(K)) - set(labels.tolist()))
    if missing or K < 2:
        validate.fail(where, f"labels lacks the classes {missing}" if missing else "labels has one class",
                      f"each of 0 … {max(K, 2) - 1}", "a class without states has no mean to fit")
    return labels, K
