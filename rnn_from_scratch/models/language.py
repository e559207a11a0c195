"""A language model: at every step, the probability of the next token."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


class LanguageModelCache(NamedTuple):
    """The caches of its parts."""

    encoder: TokenEncoderCache
    dropout: DropoutCache
    output: DenseCache


@dataclass(frozen=True)
class LanguageModel:
    r"""An embedding, a layer over time, and an output layer over the vocabulary (article E2.1a, E2.1b, E-CE).

    .. math:: p(w_{t+1} \mid w_1 \dots w_t) = \operatorname{softmax}(h_t W_{hy} + b_y)

    Parameters
    ----------
    recurrent : layer over time
        Recurrent or Stacked; its input_size is the embedding's. A layer that reads backwards is refused: it would
        have read the answer.
    vocabulary_size : int
        V.
    tied : bool
        The output's matrix is the embedding's, transposed: V·D parameters fewer. Needs hidden_size = input_size, and
        the embedding's gradient is then the sum of its two uses.
    dropout : float
        On the embedded tokens and on the outputs of the layer, while training (`rng` given).

    Its parameters are {"embedding": {"W_embed"}, "recurrent": {…}, "output": {"W_hy", "b_y"}}; tied without "W_hy".

    Source: Mikolov et al. (2010); tying: Press & Wolf (2017), Inan et al. (2017); tests/models/test_language.py.
    """

    recurrent: Any
    vocabulary_size: int
    tied: bool = False
    dropout: float = 0.0
    task = "classification"
    outputs = "many-to-many"

    def __post_init__(self) -> None:
        validate.option("LanguageModel", "tied", self.tied, (False, True))
        encoder = self.encoder  # refuses a bad layer, vocabulary or rate
        validate.sizes("LanguageModel", self, "vocabulary_size")
        if not getattr(encoder.recurrent, "causal", True):
            validate.fail(
                "LanguageModel", "recurrent also reads backwards", "a layer that reads forwards only",
                "it would have read the token that it must predict", "Leave out Bidirectional.",
            )
        if self.tied and self.recurrent.input_size != self.recurrent.hidden_size:
            validate.fail(
                "LanguageModel",
                f"tied=True with input_size={self.recurrent.input_size} and hidden_size={self.recurrent.hidden_size}",
                "equal sizes", "the embedding's matrix (V, D), transposed, must take h (N, H)",
            )

    @property
    def encoder(self) -> TokenEncoder:
        """The embedding and the layer over time."""
        return TokenEncoder(self.recurrent, self.vocabulary_size, self.dropout)

    @property
    def output(self) -> Dense:
        """The output layer."""
        return Dense(self.recurrent.hidden_size, self.vocabulary_size)

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
        """Return the parts' own starts; tied, the embedding starts as an output matrix does, Glorot uniform."""
        params = self.encoder.init_params(rng=rng, dtype=dtype)
        output = self.output.init_params(rng=rng, dtype=dtype)
        if self.tied:  # N(0, 1) rows would make logits of size √H
            params["embedding"] = {"W_embed": np.ascontiguousarray(output.pop("W_hy").T)}
        return {**params, "output": output}

    def forward(
        self,
        params: Params,
        xs: Array,
        state: State | None = None,
        mask: Array | None = None,
        *,
        rng: np.random.Generator | None = None,
    ) -> tuple[Array, State, LanguageModelCache]:
        """Return the logits (T, N, V) of the token after each, the final state and a cache.

        xs (T, N) are indices; on padding they may be any number. Otherwise as `Recurrent.forward`.
        """
        check_layers("LanguageModel.forward", params, (*PARTS, "output"))
        below = {name: params[name] for name in PARTS}
        hs, final_state, encoder_cache = self.encoder.forward(below, xs, state, mask, rng=rng)
        hs, dropout_cache = Dropout(self.dropout).forward({}, hs, rng=rng)
        logits, output_cache = self.output.forward(self._readout(params), hs)
        return logits, final_state, LanguageModelCache(encoder_cache, dropout_cache, output_cache)

    def backward(
        self, params: Params, dlogits: Array, cache: LanguageModelCache, dfinal_state: State | None = None
    ) -> tuple[None, State, Params]:
        """Return None (an index has no gradient), dstate and the gradients; otherwise as `Recurrent.backward`."""
        check_layers("LanguageModel.backward", params, (*PARTS, "output"))
        validate.cache("LanguageModel.backward", cache, LanguageModelCache)
        dhs, output = self.output.backward(self._readout(params), dlogits, cache.output)
        dhs, _ = Dropout(self.dropout).backward({}, dhs, cache.dropout)
        below = {name: params[name] for name in PARTS}
        _, dstate, grads = self.encoder.backward(below, dhs, cache.encoder, dfinal_state)
        if self.tied:  # one matrix, used twice: its gradient is the sum
            grads["embedding"] = {"W_embed": grads["embedding"]["W_embed"] + output.pop("W_hy").T}
        return None, dstate, {**grads, "output": output}

    @staticmethod
    def loss(
        logits: Array, targets: Array, mask: Array | None = None, divide_by: float | None = None
    ) -> tuple[Any, Array]:
        """Return the cross-entropy in nats a token; exp of it is the perplexity."""
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
        """Compute the loss, every gradient and the final state, as `SequenceModel.loss_and_grads`.

        For plain text targets are xs one step on: xs = text[:-1], targets = text[1:], both (T, N).
        """
        logits, final_state, cache = self.forward(params, xs, state, mask, rng=rng)
        loss, dlogits = self.loss(logits, targets, mask if target_mask is None else target_mask, divide_by)
        _, _, grads = self.backward(params, dlogits, cache)
        return loss, grads, final_state

    def predict(self, params: Params, xs: Array, state: State | None = None, mask: Array | None = None) -> Array:
        """Return the next token's probabilities (T, N, V)."""
        return softmax(self.forward(params, xs, state, mask)[0])

    def generate(
        self,
        params: Params,
        prompt: Sequence[int],
        length: int,
        *,
        rng: np.random.Generator | None = None,
        temperature: float = 1.0,
    ) -> list[int]:
        """Go on after a prompt, token by token.

        Parameters
        ----------
        params : dict
            The model's parameters.
        prompt : list of int
            At least one token.
        length : int
            How many tokens to add.
        rng : Generator, optional
            Draws each token from its probabilities; None takes the most probable.
        temperature : float
            Divides the logits before the draw: below 1 bolder, above 1 more varied.

        Returns
        -------
        list of `length` int

        Raises
        ------
        ArgumentError
            An empty prompt, a token outside the vocabulary, a length below 1, a temperature that is not above 0.
        """
        where = "LanguageModel.generate"
        validate.size(where, "length", length)
        validate.number(where, "temperature", temperature, above=0.0)
        if rng is not None:
            validate.generator(where, rng)
        logits, state, _ = self.forward(params, _prompt(where, prompt, self.vocabulary_size)[:, None])
        step = self._stepper(params, state)
        last = logits[-1, 0]
        made: list[int] = []
        for t in range(length):
            if t:
                last = step(made[-1])
            made.append(int(last.argmax()) if rng is None else _drawn(last, temperature, rng))
        return made

    def _stepper(self, params: Params, state: State) -> Callable[[int], Array]:
        """Return a function that reads one token more and returns the logits (V,) of the next.

        A layer that can stream keeps its own state and checks its weights once; the others take a whole forward.
        """
        if not hasattr(self.recurrent, "stream"):
            return _ForwardSteps(self, params, state)
        stream = self.recurrent.stream(params["recurrent"], 1, state)
        table, readout = params["embedding"]["W_embed"], self._readout(params)
        W_hy, b_y = readout["W_hy"], readout["b_y"]

        def step(token: int) -> Array:
            h = stream(table[token][None])  # (1, H)
            y: Array = (h @ W_hy + b_y)[0]  # (V,)
            if not np.isfinite(y).all():
                self.output.forward(readout, h)  # says what is not finite
            return y

        return step

    def _readout(self, params: Params) -> Params:
        """Return the output layer's parameters."""
        if not self.tied:
            output: Params = params["output"]
            return output
        validate.params("LanguageModel", params["output"], {"b_y": (self.vocabulary_size,)}, "The matrix is tied.")
        name = "params['embedding']"
        validate.params("LanguageModel", params["embedding"], self.encoder.embedding.param_shapes(), "", name)
        return {"W_hy": params["embedding"]["W_embed"].T, **params["output"]}


class _ForwardSteps:
    """Steps of a layer that cannot stream: a forward of one token, from the state after the one before."""

    def __init__(self, model: LanguageModel, params: Params, state: State) -> None:
        self._model, self._params, self._state = model, params, state

    def __call__(self, token: int) -> Array:
        logits, self._state, _ = self._model.forward(self._params, np.array([[token]]), self._state)
        last: Array = logits[0, 0]
        return last


def _prompt(where: str, prompt: Any, V: int) -> Array:
    """Return a prompt as an array (T,), or say what is wrong with it."""
    tokens = validate.as_array(where, "prompt", prompt)
    if tokens.ndim != 1 or (tokens.size and not np.issubdtype(tokens.dtype, np.integer)):
        validate.fail(
            where, f"prompt is {prompt!r:.60}", "a list of tokens", "a token is a whole number",
            "Text goes through a Vocabulary first.", validate.DtypeError,
        )
    if tokens.size == 0:
        validate.fail(where, "prompt is empty", "at least one token", "the model needs something to go on from")
    for place in np.flatnonzero((tokens < 0) | (tokens >= V))[:1]:
        validate.fail(where, f"prompt[{place}] is {tokens[place]}", f"0 … {V - 1}", f"vocabulary_size={V}")
    return tokens


def _drawn(logits: Array, temperature: float, rng: np.random.Generator) -> int:
    """Draw an index with probability softmax(logits / temperature)."""
    z = logits.astype(np.float64)
    with np.errstate(over="ignore"):  # what a low temperature drives to −∞ has the probability 0
        p = softmax((z - z.max()) / temperature)
    return int(rng.choice(len(p), p=p / p.sum()))
