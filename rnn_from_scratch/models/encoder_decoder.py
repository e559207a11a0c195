"""Encoder–decoder: one sequence into another, with attention or without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .. import validate
from ..arrays import Array, Params, State
from ..layers import Dense, Dropout
from ..layers.dense import DenseCache
from ..layers.dropout import DropoutCache
from ..layers.over_time import check_over_time
from ..losses import softmax_cross_entropy
from .bridge import Bridge, BridgeCache
from .encoder import TokenEncoder, TokenEncoderCache, token_array


class EncoderDecoderCache(NamedTuple):
    """The caches of its parts."""

    encoder: TokenEncoderCache
    bridge: BridgeCache
    decoder: TokenEncoderCache
    dropout: DropoutCache
    output: DenseCache
    memory: Array | None  # (S, N, ·), what the decoder attends to


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
        where = "EncoderDecoder"
        check_over_time(where, "encoder", self.encoder)
        _ = self.reader, self.writer  # these refuse bad layers, sizes and rates
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
    def bridge(self) -> Bridge:
        """The way from the encoder's last state to the decoder's first."""
        return Bridge(self.encoder.hidden_size, tuple(part.shape[1] for part in self.decoder.initial_state(1)))

    def param_shapes(self) -> Mapping[str, Any]:
        """Return the shapes, nested by part."""
        return {name: part.param_shapes() for name, part in self._parts.items()}

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return the parts' own starts."""
        return {name: part.init_params(rng=rng, dtype=dtype) for name, part in self._parts.items()}

    @property
    def _parts(self) -> dict[str, Any]:
        return {"encoder": self.reader, "bridge": self.bridge, "decoder": self.writer, "output": self.output}

    def encode(
        self,
        params: Params,
        sources: Array,
        source_mask: Array | None = None,
        *,
        rng: np.random.Generator | None = None,
    ) -> tuple[Params, State, tuple[TokenEncoderCache, BridgeCache]]:
        """Read the sources (S, N); return what the decoder starts from.

        Returns the decoder's parameters, with the memory (S, N, ·) and its mask in them where it attends; its first
        state; and the caches. A source that is padding throughout has been read by nobody: the bridge sees the
        encoder's initial state, and attention to it gives the context 0. Errors as in `Recurrent.forward`.
        """
        where = "EncoderDecoder.encode"
        validate.params(where, params, self.param_shapes(), "init_params(rng=…) makes them.")
        sources = token_array(where, "sources", sources)
        source_mask = validate.mask(where, "source_mask", source_mask, sources.shape)
        hs, final_state, cache = self.reader.forward(params["encoder"], sources, None, source_mask, rng=rng)
        state, bridge_cache = self.bridge.forward(params["bridge"], final_state[0])
        decoder = params["decoder"]
        if self.attends:
            beside = {"memory": hs} if source_mask is None else {"memory": hs, "memory_mask": source_mask}
            decoder = {**decoder, "recurrent": {**decoder["recurrent"], **beside}}
        return decoder, state, (cache, bridge_cache)

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
        sources, inputs = token_array(where, "sources", sources), token_array(where, "inputs", inputs)
        if inputs.shape[1] != sources.shape[1]:
            validate.fail(
                where, f"sources has {sources.shape[1]} sequences and the target {inputs.shape[1]}",
                "one target for each source", "both are (time, N)", error=validate.ShapeError,
            )
        target_mask = validate.mask(where, "target_mask", target_mask, inputs.shape)
        decoder, state, (encoder_cache, bridge_cache) = self.encode(params, sources, source_mask, rng=rng)
        hs, final_state, decoder_cache = self.writer.forward(decoder, inputs, state, target_mask, rng=rng)
        hs, dropout_cache = Dropout(self.dropout).forward({}, hs, rng=rng)
        logits, output_cache = self.output.forward(params["output"], hs)
        memory = decoder["recurrent"]["memory"] if self.attends else None
        cache = EncoderDecoderCache(encoder_cache, bridge_cache, decoder_cache, dropout_cache, output_cache, memory)
        return logits, final_state, cache

    def backward(self, params: Params, dlogits: Array, cache: EncoderDecoderCache) -> Params:
        """Take ∂L/∂logits (T, N, K) to every gradient.

        What comes out of the decoder goes into the encoder in two places: its final state, through the bridge, and,
        with attention, each of its outputs.
        """
        where = "EncoderDecoder.backward"
        validate.params(where, params, self.param_shapes(), "init_params(rng=…) makes them.")
        validate.cache(where, cache, EncoderDecoderCache)
        dhs, output = self.output.backward(params["output"], dlogits, cache.output)
        dhs, _ = Dropout(self.dropout).backward({}, dhs, cache.dropout)
        decoder_params = params["decoder"]
        if self.attends:
            beside = {**decoder_params["recurrent"], "memory": cache.memory}
            decoder_params = {**decoder_params, "recurrent": beside}
        _, dstate, decoder = self.writer.backward(decoder_params, dhs, cache.decoder)

        dsummary, bridge = self.bridge.backward(params["bridge"], dstate, cache.bridge)  # (N, H_enc)
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
            True where there is a source token. A source without any is allowed, see `encode`.
        target_mask : (T, N) bool, optional
            True where there is a target token. Elsewhere targets may be any number; the padding may stand anywhere.
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

        Raises
        ------
        ShapeError, DtypeError, ArgumentError
            Tokens that are no (time, N) integers or outside their vocabulary, and as `Recurrent.forward`.
        """
        inputs = self.shifted(targets, target_mask)  # one behind: a bad token is told under its own index
        validate.integer_targets("EncoderDecoder.loss_and_grads", targets, self.target_size, target_mask)
        logits, final_state, cache = self.forward(params, sources, inputs, source_mask, target_mask, rng=rng)
        loss, dlogits = self.loss(logits, targets, target_mask, divide_by)
        return loss, self.backward(params, dlogits, cache), final_state

    def shifted(self, targets: Array, target_mask: Array | None = None) -> Array:
        """Return what the decoder reads in training, (T, N): `start`, then each sequence's own token before."""
        where = "EncoderDecoder.shifted"
        targets = token_array(where, "targets", targets).astype(np.intp)
        target_mask = validate.mask(where, "target_mask", target_mask, targets.shape)
        if target_mask is None:
            return np.concatenate([np.full_like(targets[:1], self.start), targets[:-1]])
        inputs, before = np.empty_like(targets), np.full_like(targets[0], self.start)
        for t, here in enumerate(target_mask):
            inputs[t] = before
            before = np.where(here, targets[t], before)  # padding is skipped, wherever it stands
        return inputs


def attention_map(cache: EncoderDecoderCache) -> Array:
    """Return the attention's weights (T, S, N): which source token each target token was written from.

    They are 0 where the source or the target is padding; elsewhere those of a step sum to 1.
    Raises ArgumentError if the decoder has no attention.
    """
    validate.cache("attention_map", cache, EncoderDecoderCache)
    recurrent = cache.decoder.recurrent
    cell = getattr(getattr(recurrent, "layer", None), "cell", None)  # a stack has none
    if not hasattr(cell, "memory_shapes"):
        validate.fail(
            "attention_map", "the decoder has no attention", "a decoder with BahdanauCell or LuongCell",
            "without attention there are no weights to show",
        )
    weights = np.stack([step.attention.weights for step in recurrent.caches])
    return weights if recurrent.mask is None else weights * recurrent.mask[:, None, :]
