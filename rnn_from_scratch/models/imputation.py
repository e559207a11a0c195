"""A model of missing values: a recurrent network that corrects a first filling, with its loss and every gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import validate
from ..arrays import Array, Params, State
from ..bptt import without_padding
from ..cells import GRUCell
from ..layers import Bidirectional, Dense, Recurrent
from ..layers.dense import DenseCache
from ..layers.over_time import check_over_time, infer
from ..losses import mean_squared_error
from .imputation_inputs import BASES
from .sequence import check_layers


class ImputationCache(NamedTuple):
    """The caches of the two layers, and where there is a step."""

    recurrent: Any
    output: DenseCache
    mask: Array | None  # (T, N)


@dataclass(frozen=True)
class ImputationModel:
    r"""A network that corrects a first filling (article §5 Q3: an RNN predicts the missing values).

    .. math:: \hat x_t = b_t + h_t W_{hy} + b_y

    b is the first filling (in standard deviations from the mean), h what a recurrent layer makes of the whole series.
    W_hy starts at 0, so that an untrained model *is* its first filling, and where nothing can be learned it stays
    close to it.

    It learns by hiding: at each update some of the values that are there are taken away, the first filling is made
    without them, and the squared error at those entries is the loss. Where values are really missing nothing is known,
    and no loss counts. That is the scheme of masked prediction; BRITS (Cao et al. 2018) instead lets two networks, one
    for each direction, predict every value one step ahead and feeds their guesses back in.

    Parameters
    ----------
    recurrent : a layer over time
        Its input_size is 4F: `imputation_inputs` makes four columns of each of F features. With both directions
        (`Bidirectional`) it sees what comes after a gap; a layer that reads forwards sees the past alone.
    base : "interpolation", "last value" or "mean"
        The first filling.

    Its parameters are {"recurrent": {…}, "output": {"W_hy": (H, F), "b_y": (F,)}}.

    Source: article §5 Q3, claim C10; notebook 15; tests/models/test_imputation.py.
    """

    recurrent: Any
    base: str = "interpolation"

    def __post_init__(self) -> None:
        check_over_time("ImputationModel", "recurrent", self.recurrent)
        if self.recurrent.input_size % 4:
            validate.fail(
                "ImputationModel", f"recurrent.input_size is {self.recurrent.input_size}", "a multiple of 4",
                "each of F features comes as four columns", "For F features say input_size=4 * F.",
            )
        validate.option("ImputationModel", "base", self.base, BASES)

    @property
    def features(self) -> int:
        """F."""
        count: int = self.recurrent.input_size // 4
        return count

    @property
    def output(self) -> Dense:
        """The output layer."""
        return Dense(self.recurrent.hidden_size, self.features)

    @property
    def input_size(self) -> int:
        """4F."""
        size: int = self.recurrent.input_size
        return size

    @property
    def hidden_size(self) -> int:
        """H."""
        size: int = self.recurrent.hidden_size
        return size

    def initial_state(self, batch_size: int, dtype: npt.DTypeLike = np.float64) -> State:
        """Return the recurrent layer's initial state."""
        state: State = self.recurrent.initial_state(batch_size, dtype)
        return state

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return the recurrent layer's own start, and zeros for the output: at first nothing is corrected."""
        recurrent = self.recurrent.init_params(rng=rng, dtype=dtype)
        shapes = self.output.param_shapes()
        return {"recurrent": recurrent, "output": {name: np.zeros(shape, dtype) for name, shape in shapes.items()}}

    def forward(
        self, params: Params, xs: Array, state: State | None = None, mask: Array | None = None, *,
        rng: np.random.Generator | None = None,
    ) -> tuple[Array, State, ImputationCache]:
        """Predict every value, seen or not.

        xs (T, N, 4F) comes from `imputation_inputs`; the other arguments and the errors are those of
        `Recurrent.forward`. Returns the predictions (T, N, F), standardised and zero on padding, the final state and a
        cache.
        """
        check_layers("ImputationModel.forward", params, ("recurrent", "output"))
        hs, final_state, recurrent_cache = self.recurrent.forward(params["recurrent"], xs, state, mask, rng=rng)
        corrections, output_cache = self.output.forward(params["output"], hs, rng=rng)
        ys = without_padding(xs[..., : self.features] + corrections, mask)
        return ys, final_state, ImputationCache(recurrent_cache, output_cache, mask)

    def backward(
        self, params: Params, dys: Array, cache: ImputationCache, dfinal_state: State | None = None
    ) -> tuple[Array, State, Params]:
        """Take ∂L/∂(predictions) to (dxs, dstate, grads); arguments and errors as in `Recurrent.backward`."""
        where = "ImputationModel.backward"
        check_layers(where, params, ("recurrent", "output"))
        validate.cache(where, cache, ImputationCache)
        dys = validate.float_array(where, "dys", dys)
        expected = (*cache.output.hs.shape[:2], self.features)
        validate.shape(where, "dys", dys, expected, "it is the gradient of the predictions")
        dys = without_padding(dys, cache.mask)
        dhs, output_grads = self.output.backward(params["output"], dys, cache.output)
        dxs, dstate, recurrent_grads = self.recurrent.backward(params["recurrent"], dhs, cache.recurrent, dfinal_state)
        first = np.concatenate([dys, np.zeros((*dys.shape[:2], 3 * self.features), dys.dtype)], axis=-1)
        return dxs + first, dstate, {"recurrent": recurrent_grads, "output": output_grads}

    def loss(
        self, predictions: Array, targets: Array, target_mask: Array | None = None, divide_by: float | None = None
    ) -> tuple[Any, Array]:
        """Return the mean squared error over counted *entries*, and its gradient; all (T, N, F), see E-MSE."""
        targets = validate.float_array("ImputationModel.loss", "targets", targets)
        validate.shape("ImputationModel.loss", "targets", targets, predictions.shape, "each entry has its target")
        value, gradient = mean_squared_error(predictions[..., None], targets[..., None], target_mask, divide_by)
        return value, gradient[..., 0]

    def loss_and_grads(
        self, params: Params, xs: Array, targets: Array, state: State | None = None, mask: Array | None = None,
        target_mask: Array | None = None, *, divide_by: float | None = None, rng: np.random.Generator | None = None,
    ) -> tuple[Any, Params, State]:
        """Compute the loss, the gradient of every parameter, and the final state.

        Parameters
        ----------
        params, xs, state, mask, rng
            As in `forward`.
        targets : (T, N, F)
            The true values, standardised; where no loss counts they may be anything, NaN included.
        target_mask : (T, N, F) bool, optional
            True at the entries that count, in training those that were hidden; default: all that are no padding.
        divide_by : float, optional
            As in the losses.

        Returns
        -------
        loss : scalar
        grads : dict
            With the keys of params.
        final_state : tuple of (N, ·)

        Raises
        ------
        ShapeError, DtypeError, ArgumentError
            From `forward` and the loss.
        """
        ys, final_state, cache = self.forward(params, xs, state, mask, rng=rng)
        if target_mask is None and mask is not None:
            target_mask = np.repeat(mask[..., None], self.features, axis=-1)
        loss, dys = self.loss(ys, targets, target_mask, divide_by)
        _, _, grads = self.backward(params, dys, cache)
        return loss, grads, final_state

    def predict(self, params: Params, xs: Array, state: State | None = None, mask: Array | None = None) -> Array:
        """Return the predictions of `forward` (g is the identity), keeping nothing for a backward."""
        check_layers("ImputationModel.predict", params, ("recurrent", "output"))
        hs, _ = infer(self.recurrent, params["recurrent"], xs, state, mask)
        corrections, _ = self.output.forward(params["output"], hs)
        return without_padding(xs[..., : self.features] + corrections, mask)


def bidirectional_imputer(features: int, hidden_size: int = 16, base: str = "interpolation") -> ImputationModel:
    """Return an imputation model with a GRU for each direction.

    Raises ArgumentError for sizes that are no whole numbers of at least 1, and for an unknown base.
    """
    F, H = (
        validate.size("bidirectional_imputer", name, size)
        for name, size in (("features", features), ("hidden_size", hidden_size))
    )
    return ImputationModel(Bidirectional(Recurrent(GRUCell(4 * F, H)), Recurrent(GRUCell(4 * F, H))), base)
