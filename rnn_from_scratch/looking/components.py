"""Principal components of hidden states, by the singular value decomposition: trajectories to draw in the plane."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array


class Components(NamedTuple):
    """The directions along which states vary most, and how much."""

    mean: Array  # (H,)
    directions: Array  # (k, H), orthonormal rows, the most variance first
    shares: Array  # (k,), of the whole variance

    def project(self, hs: Array) -> Array:
        """Return the coordinates of states: (…, H) to (…, k).

        Raises
        ------
        ShapeError, DtypeError
            For another last axis, or no array of floats.
        """
        hs = validate.float_array("Components.project", "hs", hs, complex_ok=False)
        H = len(self.mean)
        if hs.ndim < 1 or hs.shape[-1] != H:
            validate.fail("Components.project", f"hs has shape {hs.shape}", f"(…, {H})",
                          f"the components are of {H} units", error=validate.ShapeError)
        coordinates: Array = (hs - self.mean) @ self.directions.T
        return coordinates


def principal_components(hs: Array, k: int = 2, mask: Array | None = None) -> Components:
    r"""Return the k directions in which hidden states vary most.

    .. math:: H - \bar h = U\, \mathrm{diag}(s)\, V^\top, \qquad
              \text{the directions are rows of } V^\top, \quad \text{shares } s_j^2 / \sum_i s_i^2

    A direction has no sign of its own; here its largest entry is positive, so that a picture repeats.

    Parameters
    ----------
    hs : (…, H)
        States of any steps and sequences, at least two.
    k : int
        At most H, and at most the number of states.
    mask : (…) bool, optional
        True for the states that count.

    Raises
    ------
    ShapeError, DtypeError, ArgumentError
        For too few states, a k that is too large, states that are all equal, or numbers that are not finite.

    Source: Jolliffe (2002), §3.5; Elman (1991) drew such trajectories; notebook 17; tests/looking/test_components.py.
    """
    where = "principal_components"
    hs = validate.float_array(where, "hs", hs, complex_ok=False)
    if hs.ndim < 2:
        validate.fail(where, f"hs has shape {hs.shape}", "(…, H)", "states stand in rows", error=validate.ShapeError)
    mask = validate.mask(where, "mask", mask, hs.shape[:-1])
    validate.finite(where, "hs", hs, mask)
    rows = hs.reshape(-1, hs.shape[-1]) if mask is None else hs[mask]
    k = validate.size(where, "k", k)
    if len(rows) < 2 or k > min(rows.shape):
        validate.fail(where, f"there are {len(rows)} states of {rows.shape[-1]} units for k = {k}",
                      f"at least 2 states, {k} states and {k} units", "so many directions can vary",
                      error=validate.ShapeError)
    mean = rows.mean(axis=0)
    _, sizes, directions = np.linalg.svd(rows - mean, full_matrices=False)
    if sizes[0] <= max(rows.shape) * np.finfo(sizes.dtype).eps * float(np.abs(rows).max()):
        validate.fail(where, "the states are all equal", "states that vary", "there is no direction otherwise")
    largest = np.abs(directions).argmax(axis=1)
    directions = directions * np.sign(directions[np.arange(len(directions)), largest])[:, None]
    shares = np.square(sizes) / np.square(sizes).sum()
    return Components(mean, directions[:k].copy(), shares[:k].copy())
