"""Where to check: points at which a wrong gradient cannot hide behind a zero or a symmetry.

Weights from N(0, 1/fan_in), biases and states random and not zero, T and N different from each other and from
every size of the cell, a mask with padding in front, in the middle and at the end (GRADCHECK: a small
initialisation with zero biases lets one wrong gradient in six through).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .. import validate
from ..arrays import Array, Params, State, Tree, tree_map
from ..models.encoder import token_array
from .suite import BrokenError, described, students


class Probe(NamedTuple):
    """One point to check at."""

    params: Params  # with the memory, if there is one
    xs: Array  # (T, N, D), or (T, N) indices
    state: State
    mask: Array  # (T, N) bool
    memory_names: tuple[str, ...] = ()  # the entries of params that are (S, N, ·), one memory a sequence
    memory_mask: Array | None = None  # (S, N) bool

    @property
    def tokens(self) -> bool:
        """True if xs are indices, (T, N), which have no gradient."""
        return bool(np.issubdtype(self.xs.dtype, np.integer))

    @property
    def tree(self) -> Tree:
        """Everything that has a gradient."""
        tree = {"params": self.params, "xs": self.xs, "state": self.state}
        return {name: tree[name] for name in tree if name != "xs" or not self.tokens}

    def beside(self, masked: bool) -> Params:
        """Return what stands in params beside the weights and is no number: the memory's mask."""
        return {"memory_mask": self.memory_mask} if masked and self.memory_mask is not None else {}


def different_sizes(where: str, input_size: int, hidden_size: int, *others: int) -> tuple[int, int]:
    """Return T and N, different from each other, from D and H and from any other size.

    Raises ArgumentError if D = H: then a matrix applied from the wrong side has the right shape.
    """
    if input_size == hidden_size:
        validate.fail(
            where, f"input_size = hidden_size = {hidden_size}", "two different sizes",
            "with equal sizes a transposed or swapped matrix still fits", "Check with input_size=3, hidden_size=4.",
        )
    taken = {input_size, hidden_size, *others}
    T = next(size for size in (5, 7, 6, 8) if size not in taken)
    N = next(size for size in (3, 2, 4, 5, 6) if size not in taken and size != T)
    return T, N


def random_params(params: Params, rng: np.random.Generator) -> Params:
    """Return parameters of the same shapes: matrices from N(0, 1/fan_in), everything else from N(0, 1/4)."""

    def draw(array: Array) -> Array:
        scale = 1.0 / np.sqrt(array.shape[0]) if array.ndim >= 2 else 0.5
        return scale * rng.standard_normal(array.shape)

    drawn: Params = tree_map(draw, params)
    return drawn


def random_like(tree: Tree, rng: np.random.Generator) -> Tree:
    """Return standard normal numbers in the shape of a tree: an upstream gradient, a state."""
    return tree_map(lambda array: rng.standard_normal(np.shape(array)), tree)


def random_mask(T: int, N: int, rng: np.random.Generator) -> Array:
    """Return a mask with padding at the front of one sequence, the end of another, in the middle, and none in one."""
    mask = np.ones((T, N), bool)
    mask[T - 2 :, 0] = False
    mask[1, 0] = False
    if N > 1:
        mask[0, 1] = False
    return mask[:, rng.permutation(N)]


def _token_sizes(where: str, model: Any) -> tuple[int, int]:
    """Return T and N for a model of tokens; refuse equal sizes, but for those that tying needs."""
    V, D, H = model.vocabulary_size, model.input_size, model.hidden_size
    if V in (D, H):
        validate.fail(
            where, f"vocabulary_size = {V} with input_size={D} and hidden_size={H}", "a vocabulary of another size",
            "with equal sizes a transposed or swapped matrix still fits",
        )
    return different_sizes(where, V, H) if getattr(model, "tied", False) else different_sizes(where, D, H, V)


def random_tokens(vocabulary_size: int, T: int, N: int, rng: np.random.Generator) -> Array:
    """Return (T, N) tokens: each of a small vocabulary, and some twice, so that a gradient which keeps one is seen."""
    tokens = rng.permutation(np.arange(T * N) % vocabulary_size).reshape(T, N)
    tokens[-1] = tokens[0]
    return tokens


def make_probe(layer: Any, rng: np.random.Generator, xs: Array | None, where: str) -> Probe:
    """Draw a point for a cell or layer that has input_size, hidden_size, init_params and initial_state.

    For a model of tokens (it has a vocabulary_size) xs are indices, some of them twice.
    """
    tokens, D = hasattr(layer, "vocabulary_size"), layer.input_size
    T, N = _token_sizes(where, layer) if tokens else different_sizes(where, D, layer.hidden_size)
    if xs is None:
        xs = random_tokens(layer.vocabulary_size, T, N, rng) if tokens else rng.standard_normal((T, N, D))
    else:
        xs = token_array(where, "xs", xs) if tokens else validate.float_array(where, "xs", xs)
        sizes = validate.shape(where, "xs", xs, ("T", "N") if tokens else ("T", "N", D))
        T, N = sizes["T"], sizes["N"]
        if T < 3 or N < 2:
            validate.fail(
                where, f"xs has T = {T} and N = {N}", "T ≥ 3 and N ≥ 2",
                "with two steps or one sequence several wrong gradients are right by accident",
            )
        validate.finite(where, "xs", xs)
        if not tokens and not xs.any():
            validate.fail(
                where, "xs is 0 everywhere", "inputs that are not",
                "the gradient of the input's weights is then 0, right or wrong",
            )
    with students():
        params = random_params(layer.init_params(rng=rng), rng)
        state = random_like(layer.initial_state(N), rng)
        if not isinstance(state, tuple) or not state:
            raise BrokenError(f"initial_state must return a tuple (h, …), got {described(state)}")
        mask = random_mask(T, N, rng)
        S = next(size for size in (4, 6, 7, 8, 9) if size not in (T, N, layer.input_size, layer.hidden_size))
        shapes = dict(layer.memory_shapes(S, N)) if hasattr(layer, "memory_shapes") else {}
    if not shapes:
        return Probe(params, xs, state, mask)
    memories = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    return Probe({**params, **memories}, xs, state, mask, tuple(shapes), random_mask(S, N, rng))
