"""check_encoder_decoder rejects wrong encoder–decoders, names what is wrong, and never raises for them."""

from functools import cached_property

import numpy as np
import pytest

from rnn_from_scratch.activations import tanh_derivative
from rnn_from_scratch.arrays import tree_map
from rnn_from_scratch.attention import AdditiveAttention
from rnn_from_scratch.cells import BahdanauCell, RNNCell
from rnn_from_scratch.diagnosis import check_encoder_decoder
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.models import EncoderDecoder, SequenceModel
from rnn_from_scratch.validate import ArgumentError

PARTS = Recurrent(RNNCell(1, 2)), Recurrent(BahdanauCell(RNNCell(1, 2), AdditiveAttention(2, 2, 1))), 3, 4


def rng():
    return np.random.default_rng(0)


def wrong_rows(report):
    return {row.name for row in report.rows if not row.ok}


def test_a_right_one_passes():
    report = check_encoder_decoder(EncoderDecoder(*PARTS), rng=rng())
    report.raise_if_wrong()
    assert report.worst < 1e-13
    assert len(report.rows) == 16
    assert report.notes == []


def test_a_right_one_passes_in_training():
    for parts in (PARTS, (Recurrent(RNNCell(1, 2)), Recurrent(RNNCell(1, 3)), 3, 4)):
        report = check_encoder_decoder(EncoderDecoder(*parts, dropout=0.5), rng=rng(), training=True)
        report.raise_if_wrong()
        assert report.notes == []


def test_training_that_draws_nothing_is_told():
    report = check_encoder_decoder(EncoderDecoder(*PARTS), rng=rng(), training=True)
    report.raise_if_wrong()
    assert report.notes == [
        "with a generator the outputs are what they are without one: this says nothing of training"
    ]


class ForgetsTheDropout(EncoderDecoder):
    """Its backward takes the decoder's outputs for what the output layer has read."""

    def backward(self, params, dlogits, cache):
        ones = cache.dropout._replace(mask=np.ones_like(cache.dropout.mask))
        return super().backward(params, dlogits, cache._replace(dropout=ones))


def test_a_backward_without_its_dropout_shows_only_in_training():
    model = ForgetsTheDropout(*PARTS, dropout=0.5)
    assert check_encoder_decoder(model, rng=rng()).ok
    report = check_encoder_decoder(model, rng=rng(), training=True)
    assert "decoder.recurrent.W_ch" in wrong_rows(report)
    assert "output.W_hy" not in wrong_rows(report)


class WantsTwoTokens(EncoderDecoder):
    """It takes the memory from the second step's cache, which is the same, where there is one."""

    def backward(self, params, dlogits, cache):
        steps = cache.decoder.recurrent.caches
        assert steps[1].memory is steps[0].memory
        return super().backward(params, dlogits, cache)


def test_one_token_is_a_sequence_too():
    report = check_encoder_decoder(WantsTwoTokens(*PARTS), rng=rng())
    assert len(report.findings) == 1
    assert report.findings[0].startswith("it raised IndexError: list index out of range (in backward, line ")
    assert report.findings[0].endswith(" (one token each)")


class ForgetsTheMemory(EncoderDecoder):
    """Its encoder learns through the bridge alone."""

    def backward(self, params, dlogits, cache):
        grads = super().backward(params, dlogits, cache)
        dhs, _ = self.output.backward(params["output"], dlogits, cache.output)
        memory = cache.decoder.recurrent.caches[0].memory
        own = params["decoder"]
        own = {**own, "recurrent": {**own["recurrent"], "memory": memory}}
        _, dstate, _ = self.writer.backward(own, dhs, cache.decoder)
        dsummary, _ = self.bridge.backward(params["bridge"], dstate, cache.bridge)
        _, _, grads["encoder"] = self.reader.backward(
            params["encoder"], np.zeros_like(memory), cache.encoder, (dsummary,))
        return grads


class ForgetsTheBridge(EncoderDecoder):
    """Its encoder learns through the memory alone."""

    def backward(self, params, dlogits, cache):
        grads = super().backward(params, dlogits, cache)
        without = tree_map(np.zeros_like, params["bridge"])
        zero = cache._replace(bridge=cache.bridge._replace(parts=[np.ones_like(part) for part in cache.bridge.parts]))
        return {**super().backward({**params, "bridge": without}, dlogits, zero), "bridge": grads["bridge"]}


class LastOfEqualTokens(EncoderDecoder):
    """Its source embedding keeps one of the tokens that come twice."""

    def backward(self, params, dlogits, cache):
        grads = super().backward(params, dlogits, cache)
        table, indices = grads["encoder"]["embedding"]["W_embed"], cache.encoder.embedding.indices
        counts = np.bincount(indices.ravel(), minlength=len(table))
        table /= np.maximum(counts, 1)[:, None]
        return grads


class SmallBiasMistake(EncoderDecoder):
    """One entry of one gradient is off by a thousandth."""

    def backward(self, params, dlogits, cache):
        grads = super().backward(params, dlogits, cache)
        grads["decoder"]["recurrent"]["W_ch"][0, 1] *= 1.001
        return grads


class ReadsTheAnswer(EncoderDecoder):
    """The decoder reads the very token that it must write."""

    def shifted(self, targets, target_mask=None):
        return np.where(True if target_mask is None else target_mask, targets, 0)


class ReadsPadding(EncoderDecoder):
    """Right without padding, and with padding at the end."""

    def shifted(self, targets, target_mask=None):
        return np.maximum(super().shifted(targets), 0)


class SeesTheFuture(EncoderDecoder):
    """Every step's logits know of the last input."""

    def forward(self, params, sources, inputs, *masks, rng=None):
        logits, final_state, cache = super().forward(params, sources, inputs, *masks, rng=rng)
        return logits + 0.1 * inputs[-1][:, None], final_state, cache


class EndsWhereItStarted(EncoderDecoder):
    def forward(self, params, sources, inputs, source_mask=None, target_mask=None, *, rng=None):
        logits, _, cache = super().forward(params, sources, inputs, source_mask, target_mask, rng=rng)
        return logits, self.encode(params, sources, source_mask)[1], cache


class IgnoresTheSourceMask(EncoderDecoder):
    def forward(self, params, sources, inputs, source_mask=None, target_mask=None, *, rng=None):
        return super().forward(params, np.clip(sources, 0, 2), inputs, None, target_mask, rng=rng)


class AttendsToPadding(EncoderDecoder):
    """Its encoder knows of the mask, its attention does not."""

    def encode(self, params, sources, source_mask=None, *, rng=None):
        decoder, state, caches = super().encode(params, sources, source_mask, rng=rng)
        decoder["recurrent"].pop("memory_mask", None)
        return decoder, state, caches


class CountsPadding(EncoderDecoder):
    """The mean is taken over all T·N targets."""

    def loss_and_grads(self, params, sources, targets, source_mask=None, target_mask=None, *, divide_by=None, rng=None):
        return super().loss_and_grads(
            params, sources, targets, source_mask, target_mask, divide_by=divide_by or targets.size, rng=rng)


class IgnoresDivideBy(EncoderDecoder):
    def loss_and_grads(self, *batch, divide_by=None, rng=None):
        return super().loss_and_grads(*batch, rng=rng)


class WritesIntoTheTargets(EncoderDecoder):
    def loss_and_grads(self, params, sources, targets, *masks, **choices):
        answer = super().loss_and_grads(params, sources, targets, *masks, **choices)
        targets[0, 0] = (targets[0, 0] + 1) % self.target_size
        return answer


class WritesIntoTheGradient(EncoderDecoder):
    def backward(self, params, dlogits, cache):
        grads = super().backward(params, dlogits, cache)
        dlogits *= 0.5
        return grads


class Remembers(EncoderDecoder):
    """It keeps its last cache in itself, as so many do; a second forward spoils the first one's backward."""

    @cached_property
    def kept(self):
        return {}

    def forward(self, *arguments, **choices):
        logits, final_state, self.kept["cache"] = super().forward(*arguments, **choices)
        return logits, final_state, None

    def backward(self, params, dlogits, cache):
        return super().backward(params, dlogits, self.kept["cache"])


class OverwritesItsGradients(EncoderDecoder):
    @cached_property
    def buffer(self):
        return {}

    def backward(self, params, dlogits, cache):
        grads = super().backward(params, dlogits, cache)
        b_y = self.buffer.setdefault("b_y", np.empty_like(grads["output"]["b_y"]))
        b_y[...] = grads["output"]["b_y"]
        grads["output"]["b_y"] = b_y
        return grads


class NoTanhDerivative(EncoderDecoder):
    """The bridge's tanh is passed as if it were the identity."""

    def backward(self, params, dlogits, cache):
        parts = cache.bridge.parts
        flat = cache._replace(bridge=cache.bridge._replace(parts=[np.zeros_like(part) for part in parts]))
        assert all((tanh_derivative(part) == 1).all() for part in flat.bridge.parts)
        return super().backward(params, dlogits, flat)


ENCODER = {"encoder.embedding.W_embed", *(f"encoder.recurrent.{name}" for name in ("W_xh", "W_hh", "b_h"))}
WRONG = {
    ForgetsTheMemory: (ENCODER, None),
    ForgetsTheBridge: (ENCODER, None),
    LastOfEqualTokens: ({"encoder.embedding.W_embed"}, None),
    SmallBiasMistake: ({"decoder.recurrent.W_ch"}, None),
    NoTanhDerivative: ({"bridge.part0.W_hy", "bridge.part0.b_y", *ENCODER}, None),
    ReadsTheAnswer: (set(), "the loss is not that of the model's own logits under teacher forcing"),
    ReadsPadding: (set(), "the loss is not that of the model's own logits under teacher forcing (both masks)"),
    SeesTheFuture: (set(), "the logits of a step depend on what is read at a later one"),
    EndsWhereItStarted: (set(), "the final state does not know what was read last"),
    IgnoresTheSourceMask: (set(), "the summed loss of a padded batch is not the sum of its sequences' own"),
    AttendsToPadding: (set(), "the summed loss of a padded batch is not the sum of its sequences' own"),
    CountsPadding: (set(), "the loss is not that of the model's own logits under teacher forcing (both masks)"),
    IgnoresDivideBy: (set(), "the loss is not that of the model's own logits under teacher forcing (divided by 7)"),
    WritesIntoTheTargets: (set(), "params, tokens or a mask changed during the call: nothing passed in may be written"),
    WritesIntoTheGradient: (set(), "dlogits changed during the call: nothing passed in may be written to"),
    Remembers: (set(), "the gradients are wrong for random dlogits"),
    OverwritesItsGradients: (set(), "an output was overwritten by a later call"),
}


@pytest.mark.parametrize("kind", WRONG, ids=lambda kind: kind.__name__)
def test_wrong_ones_are_rejected_and_told(kind):
    rows, finding = WRONG[kind]
    report = check_encoder_decoder(kind(*PARTS), rng=rng(), fail_fast=kind is not IgnoresTheSourceMask)
    assert not report.ok
    assert rows <= wrong_rows(report)
    if finding is None:
        assert {name for name in wrong_rows(report) if "(" not in name} <= rows
    else:
        assert any(text.startswith(finding) for text in report.findings), report.findings


class NoLoss(EncoderDecoder):
    def loss_and_grads(self, *arguments, **choices):
        raise NotImplementedError


class WrongAnswer(EncoderDecoder):
    def loss_and_grads(self, *arguments, **choices):
        return super().loss_and_grads(*arguments, **choices)[:2]


class BadStart(EncoderDecoder):
    def init_params(self, **choices):
        raise ArgumentError("BadStart.init_params: nothing works")


def test_it_never_raises_for_a_wrong_one():
    for model, finding in (
        (NoLoss(*PARTS), "it raised NotImplementedError (in loss_and_grads, line"),
        (WrongAnswer(*PARTS), "loss_and_grads must return (loss, grads, final_state), got a tuple of 2"),
        (BadStart(*PARTS), "it raised ArgumentError: BadStart.init_params: nothing works"),
        (EncoderDecoder, "EncoderDecoder is a class, not an encoder–decoder: make one"),
        (SequenceModel(PARTS[0], 2), "SequenceModel is no encoder–decoder: it has no encoder, decoder, source_size"),
        (None, "NoneType is no encoder–decoder: it has no encoder, decoder"),
    ):
        report = check_encoder_decoder(model, rng=rng())
        assert not report.ok
        assert report.findings[0].startswith(finding)


def test_bad_arguments():
    equal = Recurrent(RNNCell(2, 2))
    for model, name in ((EncoderDecoder(equal, PARTS[0], 3, 4), "encoder"), (EncoderDecoder(PARTS[0], equal, 3, 4),
                                                                            "decoder")):
        with pytest.raises(ArgumentError) as caught:
            check_encoder_decoder(model, rng=rng())
        assert str(caught.value) == (
            f"check_encoder_decoder: the {name}'s input_size = hidden_size = 2, expected two different sizes because "
            "with equal sizes a transposed or swapped matrix still fits."
        )
    with pytest.raises(ArgumentError, match=r"^check_encoder_decoder: rng is 0, expected a numpy.random.Generator"):
        check_encoder_decoder(EncoderDecoder(*PARTS), rng=0)
    with pytest.raises(ArgumentError, match="training"):
        check_encoder_decoder(EncoderDecoder(*PARTS), rng=rng(), training=2)
    with pytest.raises(TypeError):
        check_encoder_decoder(EncoderDecoder(*PARTS), rng())
