"""A classifier of token sequences: one class a sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import validate
from ..activations import softmax
from ..arrays import Array, Params, State
from ..layers import Dense, Dropout
from ..layers.dense import DenseCache
from ..layers.dropout import DropoutCache
from ..losses import softmax_cross_entropy
from .encoder import PARTS, TokenEncoder, TokenEncoderCache
from .sequence import check_layers


class ClassifierCache(NamedTuple):
    """The caches of its parts, and what is needed to go back to T steps."""

    encoder: TokenEncoderCache
    dropout: DropoutCache
    output: DenseCache
    hs_shape: tuple[int, ...]  # (T, N, H)


@dataclass(frozen=True)
class SequenceClassifier:
    """An embedding, a layer over time, and an output layer on the state after each sequence's own last token.

    Parameters
    ----------
    recurrent : layer over time
        Recurrent, Stacked or Bidirectional (then both summaries are read); its input_size is the embedding's.
    vocabulary_size : int
        V.
    classes : int
        K.
    dropout : float
        On the embedded tokens and on the state that is read, while training (`rng` given).

    Its parameters are {"embedding": {"W_embed"}, "recurrent": {…}, "output": {"W_hy", "b_y"}}. For inputs that are
    numbers, not tokens, `SequenceModel` with outputs="many-to-one" is the same without the embedding.

    Source: article §5 Q5 (classification); tests/models/test_classifier.py.
    """

    recurrent: Any
    vocabulary_size: int
    classes: int
    dropout: float = 0.0
    task = "classification"
    outputs = "many-to-one"

    def __post_init__(self) -> None:
        _ = self.encoder  # refuses a bad layer, vocabulary or rate
        validate.sizes("SequenceClassifier", self, "vocabulary_size", "classes")

    @property
    def encoder(self) -> TokenEncoder:
        """The embedding and the layer over time."""
        return TokenEncoder(self.recurrent, self.vocabulary_size, self.dropout)

    @property
    def output(self) -> Dense:
        """The output layer."""
        return Dense(self.recurrent.hidden_size, self.classes)

    @property
    def input_size(self) -> int:
        """D, the embedding's size."""
        size: int = self.recurrent.input_size
        return size

    @property
    def hidden_size(self) -> int:
        """H."""
        size: int = self.recurrent.hidden_size
        return size

    def initial_state(self, batch_size: int, dtype: npt.DTypeLike = np.float64) -> State:
        """Return the layer's initial state."""
        state: State = self.recurrent.initial_state(batch_size, dtype)
        return state

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return the parts' own starts."""
        params = self.encoder.init_params(rng=rng, dtype=dtype)
        return {**params, "output": self.output.init_params(rng=rng, dtype=dtype)}

    def forward(
        self,
        params: Params,
        xs: Array,
        state: State | None = None,
        mask: Array | None = None,
        *,
        rng: np.random.Generator | None = None,
    ) -> tuple[Array, State, ClassifierCache]:
        """Return logits (N, K), the final state and a cache.

        xs (T, N) are indices; on padding they may be any number. Otherwise as `Recurrent.forward`.
        """
        check_layers("SequenceClassifier.forward", params, (*PARTS, "output"))
        below = {name: params[name] for name in PARTS}
        hs, final_state, encoder_cache = self.encoder.forward(below, xs, state, mask, rng=rng)
        read, dropout_cache = Dropout(self.dropout).forward({}, final_state[0], rng=rng)
        logits, output_cache = self.output.forward(params["output"], read)
        return logits, final_state, ClassifierCache(encoder_cache, dropout_cache, output_cache, hs.shape)

    def backward(
        self, params: Params, dlogits: Array, cache: ClassifierCache, dfinal_state: State | None = None
    ) -> tuple[None, State, Params]:
        """Return None (an index has no gradient), dstate and the gradients; otherwise as `Recurrent.backward`."""
        where = "SequenceClassifier.backward"
        check_layers(where, params, (*PARTS, "output"))
        validate.cache(where, cache, ClassifierCache)
        dread, output = self.output.backward(params["output"], dlogits, cache.output)
        dread, _ = Dropout(self.dropout).backward({}, dread, cache.dropout)
        if dfinal_state is None:  # zeros in the shape of a state (an initial state need not be zero)
            like = self.initial_state(len(dread), dread.real.dtype)
            dfinal_state = tuple(np.zeros(part.shape, dread.dtype) for part in like)
        else:  # before the sum below, where a wrong shape could broadcast and float32 be promoted
            self.recurrent.check_state(where, "dfinal_state", dfinal_state, len(dread))
            validate.same_dtype(where, dfinal_state=dfinal_state, dlogits=dlogits)
        dfinal_state = (dfinal_state[0] + dread, *dfinal_state[1:])
        dhs = np.zeros(cache.hs_shape, dread.dtype)  # the loss reads the final state alone
        below = {name: params[name] for name in PARTS}
        _, dstate, grads = self.encoder.backward(below, dhs, cache.encoder, dfinal_state)
        return None, dstate, {**grads, "output": output}

    @staticmethod
    def loss(
        logits: Array, targets: Array, mask: Array | None = None, divide_by: float | None = None
    ) -> tuple[Any, Array]:
        """Return the cross-entropy, as `softmax_cross_entropy`."""
        return softmax_cross_entropy(logits, targets, mask, divide_by)

    def loss_and_grads(
        self,
        params: Params,
        xs: Array,
        targets: Array,
        state: State | None = None,
        mask: Array | None = None,
        target_mask: Array | None = None,
        *,
        divide_by: float | None = None,
        rng: np.random.Generator | None = None,
    ) -> tuple[Any, Params, State]:
        """Compute the loss, every gradient and the final state, as `SequenceModel.loss_and_grads`; targets (N,)."""
        logits, final_state, cache = self.forward(params, xs, state, mask, rng=rng)
        if target_mask is None and mask is not None:
            target_mask = np.any(mask, axis=0)
        loss, dlogits = self.loss(logits, targets, target_mask, divide_by)
        _, _, grads = self.backward(params, dlogits, cache)
        return loss, grads, final_state

    def predict(self, params: Params, xs: Array, state: State | None = None, mask: Array | None = None) -> Array:
        """Return class probabilities (N, K)."""
        return softmax(self.forward(params, xs, state, mask)[0])
