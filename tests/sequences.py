"""Random sequences for the tests of the engines: everything that goes into a layer, and everything that comes out."""

import numpy as np

from rnn_from_scratch.arrays import leaves, tree_map
from rnn_from_scratch.cells import GRUCell, LSTMCell, RNNCell
from rnn_from_scratch.fused import layout
from rnn_from_scratch.fused.pool import POOL
from rnn_from_scratch.layers import Recurrent

KINDS = {  # every cell with a whole-sequence kernel of two passes
    "tanh": lambda D, H: RNNCell(D, H), "relu": lambda D, H: RNNCell(D, H, "relu"),
    "sigmoid": lambda D, H: RNNCell(D, H, "sigmoid"), "lstm": LSTMCell, "gru": GRUCell,
}
MASKS = ("none", "prefix", "holes", "empty", "gap", "nothing")


def draw_mask(kind, T, N, rng):
    """Return None, or (T, N) True where there is an input."""
    if kind == "none":
        return None
    if kind == "prefix":
        return np.arange(T)[:, None] < rng.integers(1, T + 1, N)
    mask = rng.random((T, N)) < 0.7
    if kind == "empty":  # a sequence without any input
        mask[:, rng.integers(N)] = False
    if kind == "gap":  # a step at which nobody has an input
        mask[rng.integers(T)] = False
    if kind == "nothing":
        mask[...] = False
    return mask


def cut_time(patch, N, H, chunk, group):
    """Make the kernels' chunks, and the groups inside of them, this many steps long; the longest are hundreds."""
    POOL.clear()
    patch.setattr(layout, "CHUNK_COLUMNS", chunk * N)
    patch.setattr(layout, "NARROW", 1)
    patch.setattr(layout, "GROUP_NUMBERS", group * N * H, raising=False)


class Sequence:
    """Arguments of one size, NaN (or an index out of range) on padding.

    W_hh is scaled to a spectral radius of about 0.7: with larger ones a long sequence amplifies rounding.
    """

    def __init__(self, cell, T, N, rng, mask="none", dtype=np.float64, state=True, final=True, indices=False):
        self.cell, self.mask = cell, draw_mask(mask, T, N, rng)

        def normal(shape, scale=1.0):
            return (scale * rng.standard_normal(shape)).astype(dtype)

        D, H = cell.input_size, cell.hidden_size
        self.params = {name: normal(shape, 0.5) for name, shape in cell.param_shapes().items()}
        for name, scale in (("W_xh", D**-0.5), ("W_hh", 0.7 * H**-0.5)):
            if name in self.params:
                self.params[name] = normal(self.params[name].shape, scale)
        self.xs = rng.integers(0, D, (T, N)) if indices else normal((T, N, D))
        like = cell.initial_state(N)
        self.state = tuple(normal(part.shape) for part in like) if state else None
        self.dfinal = tuple(normal(part.shape) for part in like) if final else None
        self.dhs = normal((T, N, H))
        if self.mask is not None:
            self.xs[~self.mask] = rng.choice([-1, D, 10**6]) if indices else np.nan
            self.dhs[~self.mask] = np.nan

    def forward(self, layer):
        return layer.forward(self.params, self.xs, self.state, self.mask)

    def backward(self, layer, cache, input_grad=True):
        dxs, dstate, grads = layer.backward(self.params, self.dhs, cache, self.dfinal, input_grad=input_grad)
        return {"dxs": dxs, "dstate": dstate, "grads": grads}

    def run(self, layer=None, input_grad=True):
        """Return every number that comes out, by name."""
        layer = Recurrent(self.cell, "fused") if layer is None else layer
        hs, final, cache = self.forward(layer)
        return {"hs": hs, "final": final, **self.backward(layer, cache, input_grad)}

    def stepwise(self):
        """Return the reference's numbers; where the inputs are indices, those of one-hot rows, without their dxs."""
        layer = Recurrent(self.cell, "stepwise")
        if self.xs.ndim == 3:
            return self.run(layer)
        D, xs = self.cell.input_size, self.xs
        self.xs = np.eye(D, dtype=self.dhs.dtype)[np.clip(xs, 0, D - 1)]
        try:
            return {**self.run(layer), "dxs": None}
        finally:
            self.xs = xs

    def astype(self, dtype):
        """Turn all of its numbers to another dtype, in place."""
        for name in ("params", "state", "dfinal", "dhs", "xs"):
            tree = getattr(self, name)
            if tree is not None and not (name == "xs" and tree.ndim == 2):
                setattr(self, name, tree_map(lambda array: array.astype(dtype), tree))
        return self


def worst(found, expected):
    """Return the largest difference, relative to the largest entry of its array (or to 1), and the array's name."""
    found, expected = dict(leaves(found)), dict(leaves(expected))
    assert list(found) == list(expected)
    differences = [(0.0, "")]
    for name, wanted in expected.items():
        got = found[name]
        if wanted is None:
            assert got is None, name
            continue
        assert (got.shape, got.dtype) == (wanted.shape, wanted.dtype), name
        difference = np.abs(got - wanted).max() / max(1.0, np.abs(wanted).max())
        differences.append((float(difference) if np.isfinite(difference) else np.inf, name))
    return max(differences)


def same(found, expected):
    """Compare bit for bit."""
    found, expected = dict(leaves(found)), dict(leaves(expected))
    assert list(found) == list(expected)
    for name, wanted in expected.items():
        if wanted is None:
            assert found[name] is None, name
        else:
            assert found[name].dtype == wanted.dtype, name
            np.testing.assert_array_equal(found[name], wanted, err_msg=name)
