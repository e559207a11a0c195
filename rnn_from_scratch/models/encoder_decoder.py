"""Encoder–decoder: one sequence into another, with attention or without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import validate
from ..activations import tanh_derivative
from ..arrays import Array, Params, State
from ..layers import Dense, Dropout
from ..layers.dense import DenseCache
from ..layers.dropout import DropoutCache
from ..losses import softmax_cross_entropy
from .encoder import TokenEncoder, TokenEncoderCache
from .sequence import check_layers

PARTS = ("encoder", "bridge", "decoder", "output")


class BridgeCache(NamedTuple):
    """What the way from the encoder's last state to the decoder's first needs."""

    dense: DenseCache
    start: Array  # (N, ·), one part of the decoder's first state


class EncoderDecoderCache(NamedTuple):
    """The caches of its parts."""

    encoder: TokenEncoderCache
    bridge: list[BridgeCache]  # one for each part of the decoder's state
    decoder: TokenEncoderCache
    dropout: DropoutCache
    output: DenseCache


@dataclass(frozen=True)
class EncoderDecoder:
    r"""Reads a source, then writes a target token by token (article §5 Q4, Q5: translation).

    .. math::
        s_0 &= \tanh(h^{enc}_{end} W_s + b_s) \\
        p(y_t \mid y_1 \dots y_{t-1}, x) &= \operatorname{softmax}(h^{dec}_t W_{hy} + b_y)

    Parameters
    ----------
    encoder : layer over time
        Recurrent, Stacked or Bidirectional. Its outputs are the memory.
    decoder : layer over time
        Recurrent(BahdanauCell(…)) or Recurrent(LuongCell(…)) with attention, whose memory_size must be the encoder's
        hidden_size; Recurrent or Stacked of other cells without. Then s_0 is all it knows of the source.
    source_size, target_size : int
        The two vocabularies.
    dropout : float
        On both embeddings and on the decoder's outputs, while training (`rng` given).
    start, end : int
        The target tokens that begin and end a sequence; the defaults are those of `data.text.Vocabulary`.

    Its parameters are {"encoder": {…}, "bridge": {"part0": {…}, …}, "decoder": {…}, "output": {…}}; the bridge has an
    output layer for each part of the decoder's state.

    Training is by teacher forcing: the decoder reads the true tokens, one step behind. To use it: `greedy` and
    `beam_search` in `models/decoding.py`.

    Source: Sutskever, Vinyals & Le (2014); Bahdanau et al. (2015), §3 and appendix A.2.2 (s_0); notebook 13;
    tests/models/test_encoder_decoder.py.
    """

    encoder: Any
    decoder: Any
    source_size: int
    target_size: int
    dropout: float = 0.0
    start: int = 1
    end: int = 2

    def __post_init__(self) -> None:
        _ = self.reader, self.writer  # these refuse bad layers, sizes and rates
        where = "EncoderDecoder"
        if not getattr(self.decoder, "causal", True):
            validate.fail(
                where, "decoder also reads backwards", "a layer that reads forwards only",
                "it writes one token after the other", "Use Bidirectional for the encoder alone.",
            )
        for name in ("start", "end"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 0 <= value < self.target_size:
                validate.fail(where, f"{name} is {value!r}", f"a token from 0 to {self.target_size - 1}")
        if self.start == self.end:
            validate.fail(where, f"start and end are both {self.start}", "two different tokens")
        if self.attends:
            size = self.decoder.memory_shapes(1, 1)["memory"][2]
            if size != self.encoder.hidden_size:
                validate.fail(
                    where, f"the attention's memory_size is {size}", f"{self.encoder.hidden_size}",
                    "the memory is the encoder's outputs, of its hidden_size (both directions together)",
                )

    @property
    def attends(self) -> bool:
        """True if the decoder reads the encoder's outputs."""
        return bool(hasattr(self.decoder, "memory_shapes") and self.decoder.memory_shapes(1, 1))

    @property
    def reader(self) -> TokenEncoder:
        """The source's embedding and the encoder."""
        return TokenEncoder(self.encoder, self.source_size, self.dropout)

    @property
    def writer(self) -> TokenEncoder:
        """The target's embedding and the decoder."""
        return TokenEncoder(self.decoder, self.target_size, self.dropout)

    @property
    def output(self) -> Dense:
        """The output layer."""
        return Dense(self.decoder.hidden_size, self.target_size)

    @property
    def bridge(self) -> list[Dense]:
        """One affine map for each part of the decoder's state."""
        return [Dense(self.encoder.hidden_size, part.shape[1]) for part in self.decoder.initial_state(1)]

    def param_shapes(self) -> Mapping[str, Any]:
        """Return the shapes, nested by part."""
        return {
            "encoder": self.reader.param_shapes(),
            "bridge": {f"part{index}": dense.param_shapes() for index, dense in enumerate(self.bridge)},
            "decoder": self.writer.param_shapes(), "output": self.output.param_shapes(),
        }

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return the parts' own starts."""
        return {
            "encoder": self.reader.init_params(rng=rng, dtype=dtype),
            "bridge": {
                f"part{index}": dense.init_params(rng=rng, dtype=dtype) for index, dense in enumerate(self.bridge)
            },
            "decoder": self.writer.init_params(rng=rng, dtype=dtype),
            "output": self.output.init_params(rng=rng, dtype=dtype),
        }

    def encode(
        self,
        params: Params,
        sources: Array,
        source_mask: Array | None = None,
        *,
        rng: np.random.Generator | None = None,
    ) -> tuple[Params, State, tuple[TokenEncoderCache, list[BridgeCache]]]:
        """Read the sources (S, N); return what the decoder starts from.

        Returns the decoder's parameters, with the memory (S, N, ·) and its mask in them where it attends; its first
        state; and the caches. Errors as in `Recurrent.forward`.
        """
        check_layers("EncoderDecoder.encode", params, PARTS)
        hs, final_state, cache = self.reader.forward(params["encoder"], sources, None, source_mask, rng=rng)
        state, bridge_caches = [], []
        for index, dense in enumerate(self.bridge):
            a, dense_cache = dense.forward(params["bridge"][f"part{index}"], final_state[0])
            state.append(np.tanh(a))
            bridge_caches.append(BridgeCache(dense_cache, state[-1]))
        decoder = params["decoder"]
        if self.attends:
            beside = {"memory": hs} if source_mask is None else {"memory": hs, "memory_mask": source_mask}
            decoder = {**decoder, "recurrent": {**decoder["recurrent"], **beside}}
        return decoder, tuple(state), (cache, bridge_caches)

    def forward(
        self,
        params: Params,
        sources: Array,
        inputs: Array,
        source_mask: Array | None = None,
        target_mask: Array | None = None,
        *,
        rng: np.random.Generator | None = None,
    ) -> tuple[Array, State, EncoderDecoderCache]:
        """Return the logits (T, N, K) of the token after each of `inputs` (T, N), the final state and a cache.

        On padding (a mask False) tokens may be any number. Errors as in `Recurrent.forward`.
        """
        where = "EncoderDecoder.forward"
        if np.ndim(inputs) == 2 and np.ndim(sources) == 2 and np.shape(inputs)[1] != np.shape(sources)[1]:
            validate.fail(
                where, f"sources has {np.shape(sources)[1]} sequences and the target {np.shape(inputs)[1]}",
                "one target for each source", "both are (time, N)", error=validate.ShapeError,
            )
        decoder, state, (encoder_cache, bridge_caches) = self.encode(params, sources, source_mask, rng=rng)
        hs, final_state, decoder_cache = self.writer.forward(decoder, inputs, state, target_mask, rng=rng)
        hs, dropout_cache = Dropout(self.dropout).forward({}, hs, rng=rng)
        logits, output_cache = self.output.forward(params["output"], hs)
        cache = EncoderDecoderCache(encoder_cache, bridge_caches, decoder_cache, dropout_cache, output_cache)
        return logits, final_state, cache

    def backward(self, params: Params, dlogits: Array, cache: EncoderDecoderCache) -> Params:
        """Take ∂L/∂logits (T, N, K) to every gradient.

        What comes out of the decoder goes into the encoder in two places: its final state, through the bridge, and,
        with attention, each of its outputs.
        """
        check_layers("EncoderDecoder.backward", params, PARTS)
        validate.cache("EncoderDecoder.backward", cache, EncoderDecoderCache)
        dhs, output = self.output.backward(params["output"], dlogits, cache.output)
        dhs, _ = Dropout(self.dropout).backward({}, dhs, cache.dropout)
        decoder_params = params["decoder"]
        if self.attends:
            memory = cache.decoder.recurrent.caches[0].memory  # (S, N, ·), zeros on padding
            decoder_params = {**decoder_params, "recurrent": {**decoder_params["recurrent"], "memory": memory}}
        _, dstate, decoder = self.writer.backward(decoder_params, dhs, cache.decoder)

        bridge: Params = {}
        dsummary = np.zeros((dhs.shape[1], self.encoder.hidden_size), dhs.dtype)  # (N, H_enc)
        for index, (dense, part) in enumerate(zip(self.bridge, cache.bridge, strict=True)):
            name = f"part{index}"
            delta = dstate[index] * tanh_derivative(part.start)  # (N, ·)
            dread, bridge[name] = dense.backward(params["bridge"][name], delta, part.dense)
            dsummary = dsummary + dread  # (N, H_enc)
        if self.attends:
            dmemory = decoder["recurrent"].pop("memory")  # (S, N, H_enc)
        else:
            dmemory = np.zeros((*cache.encoder.embedding.indices.shape, self.encoder.hidden_size), dhs.dtype)
        like = self.encoder.initial_state(dhs.shape[1], dhs.real.dtype)
        dfinal = (dsummary, *(np.zeros(part.shape, dhs.dtype) for part in like[1:]))
        _, _, encoder = self.reader.backward(params["encoder"], dmemory, cache.encoder, dfinal)
        return {"encoder": encoder, "bridge": bridge, "decoder": decoder, "output": output}

    @staticmethod
    def loss(
        logits: Array, targets: Array, mask: Array | None = None, divide_by: float | None = None
    ) -> tuple[Any, Array]:
        """Return the cross-entropy in nats a target token."""
        return softmax_cross_entropy(logits, targets, mask, divide_by)

    def loss_and_grads(
        self,
        params: Params,
        sources: Array,
        targets: Array,
        source_mask: Array | None = None,
        target_mask: Array | None = None,
        *,
        divide_by: float | None = None,
        rng: np.random.Generator | None = None,
    ) -> tuple[Any, Params, State]:
        """Compute the loss under teacher forcing, every gradient, and the decoder's final state.

        Parameters
        ----------
        params : dict
            See `param_shapes`.
        sources : (S, N) int
            The source tokens.
        targets : (T, N) int
            What must be written, each sequence's last token `end`, without `start`: the decoder reads `start` and
            then targets[:-1].
        source_mask : (S, N) bool, optional
            True where there is a source token.
        target_mask : (T, N) bool, optional
            True where there is a target token. Elsewhere targets may be any number.
        divide_by : float, optional
            As in the losses.
        rng : Generator, optional
            Draws the dropout; None is inference.

        Returns
        -------
        loss : scalar
        grads : dict
            With the keys of params.
        final_state : tuple of (N, ·)
        """
        inputs = self.shifted(targets)
        logits, final_state, cache = self.forward(params, sources, inputs, source_mask, target_mask, rng=rng)
        loss, dlogits = self.loss(logits, targets, target_mask, divide_by)
        return loss, self.backward(params, dlogits, cache), final_state

    def shifted(self, targets: Array) -> Array:
        """Return what the decoder reads in training, (T, N): `start`, then the targets one step behind."""
        if not isinstance(targets, np.ndarray) or not np.issubdtype(targets.dtype, np.integer) or targets.ndim != 2:
            got = f"shape {np.shape(targets)}" if isinstance(targets, np.ndarray) else f"type {type(targets).__name__}"
            validate.fail(
                "EncoderDecoder", f"targets has {got}", "integers (T, N)", "time comes first, then the batch",
                error=validate.ShapeError,
            )
        return np.concatenate([np.full_like(targets[:1], self.start), targets[:-1]])


def attention_map(cache: EncoderDecoderCache) -> Array:
    """Return the attention's weights (T, S, N): which source token each target token was written from.

    Raises ArgumentError if the decoder has no attention.
    """
    validate.cache("attention_map", cache, EncoderDecoderCache)
    steps = cache.decoder.recurrent.caches
    if not hasattr(steps[0], "attention"):
        validate.fail(
            "attention_map", "the decoder has no attention", "a decoder with BahdanauCell or LuongCell",
            "without attention there are no weights to show",
        )
    return np.stack([step.attention.weights for step in steps])
