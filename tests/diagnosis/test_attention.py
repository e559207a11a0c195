"""check_attention passes what is right, rejects what is wrong, and says what."""

import numpy as np
import pytest

from rnn_from_scratch.attention import AdditiveAttention, MultiplicativeAttention, attend_backward
from rnn_from_scratch.diagnosis import check_attention
from rnn_from_scratch.layers import AttentionLayer
from rnn_from_scratch.validate import ArgumentError

ADDITIVE = AdditiveAttention(3, 4, 2)
SCORES = [
    ADDITIVE, AdditiveAttention(1, 2, 1), MultiplicativeAttention(3, 4), MultiplicativeAttention(3, 3, "dot"),
    MultiplicativeAttention(1, 1, "dot"),
]


def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize("score", SCORES, ids=str)
def test_right_ones_pass_to_the_last_digits(score):
    report = check_attention(AttentionLayer(score), rng=rng())
    report.raise_if_wrong()
    assert report.worst < 1e-12
    assert len(report.rows) == 3 * (2 + len(score.param_shapes()))


class Changed(AttentionLayer):
    """One that does not: a class below changes what a method takes or returns."""

    def __init__(self):
        super().__init__(ADDITIVE)


class ForgetsTheKeys(Changed):
    def backward(self, params, dcontexts, cache):
        dqueries, dmemory, grads = super().backward(params, dcontexts, cache)
        _, delta = attend_backward(self.attention, params, dcontexts, cache.memory, cache.attention)
        through_keys, _ = self.attention.param_grads(params, cache.memory, cache.attention, delta)
        return dqueries, dmemory - through_keys, grads


class ForgetsTheMask(Changed):
    """Queries' padding is read, as if there were queries."""

    def forward(self, params, queries, memory, mask=None, memory_mask=None):
        return super().forward(params, queries, memory, None, memory_mask)


class GoesOnAfterTheMask(Changed):
    """Where there is no query its context is 1."""

    def forward(self, params, queries, memory, mask=None, memory_mask=None):
        contexts, cache = super().forward(params, queries, memory, mask, memory_mask)
        return contexts if mask is None else contexts + ~mask[..., None], cache


class ReadsPadding(Changed):
    """The weights of padding are not 0."""

    def forward(self, params, queries, memory, mask=None, memory_mask=None):
        return super().forward(params, queries, memory, mask, None)


class NoMean(Changed):
    """Its weights add up to 2."""

    def forward(self, params, queries, memory, mask=None, memory_mask=None):
        contexts, cache = super().forward(params, queries, memory, mask, memory_mask)
        return 2 * contexts, cache

    def backward(self, params, dcontexts, cache):
        return super().backward(params, 2 * dcontexts, cache)


class ReadsNothing(Changed):
    """Where there is no memory its context is 1; no gradient knows."""

    def forward(self, params, queries, memory, mask=None, memory_mask=None):
        contexts, cache = super().forward(params, queries, memory, mask, memory_mask)
        empty = np.zeros(memory.shape[1], bool) if memory_mask is None else ~memory_mask.any(axis=0)
        return contexts + empty[:, None], cache


class MixesTheBatch(Changed):
    """Each sequence's context has something of the others' in it; the gradients are right."""

    def forward(self, params, queries, memory, mask=None, memory_mask=None):
        contexts, cache = super().forward(params, queries, memory, mask, memory_mask)
        return contexts - contexts.mean(axis=1, keepdims=True), cache

    def backward(self, params, dcontexts, cache):
        return super().backward(params, dcontexts - dcontexts.mean(axis=1, keepdims=True), cache)


class WritesIntoTheUpstream(Changed):
    def backward(self, params, dcontexts, cache):
        gradients = super().backward(params, dcontexts, cache)
        dcontexts *= 0.5
        return gradients


class WritesIntoTheMemory(Changed):
    def forward(self, params, queries, memory, mask=None, memory_mask=None):
        answer = super().forward(params, queries, memory, mask, memory_mask)
        memory += 1.0
        return answer


class KeepsOneCache(Changed):
    """A later forward replaces the cache of an earlier one."""

    def forward(self, params, queries, memory, mask=None, memory_mask=None):
        contexts, cache = super().forward(params, queries, memory, mask, memory_mask)
        self.__dict__["last"] = cache
        return contexts, None

    def backward(self, params, dcontexts, cache):
        return super().backward(params, dcontexts, self.last)


class KeepsOneOutput(Changed):
    """Every forward returns the same memory."""

    def forward(self, params, queries, memory, mask=None, memory_mask=None):
        contexts, cache = super().forward(params, queries, memory, mask, memory_mask)
        if self.__dict__.setdefault("room", contexts).shape != contexts.shape or np.iscomplexobj(contexts):
            return contexts, cache
        self.room[...] = contexts
        return self.room, cache


class Counts(Changed):
    """The second backward adds to the first."""

    def backward(self, params, dcontexts, cache):
        self.__dict__["calls"] = self.__dict__.get("calls", 0) + 1
        dqueries, dmemory, grads = super().backward(params, dcontexts, cache)
        return self.calls * dqueries, dmemory, grads


class Raises(Changed):
    def backward(self, params, dcontexts, cache):
        raise RuntimeError("not yet")


class ReturnsTwo(Changed):
    def backward(self, params, dcontexts, cache):
        return super().backward(params, dcontexts, cache)[:2]


class OtherShape(Changed):
    def forward(self, params, queries, memory, mask=None, memory_mask=None):
        contexts, cache = super().forward(params, queries, memory, mask, memory_mask)
        return contexts.swapaxes(0, 1), cache


@pytest.mark.parametrize(("wrong", "told"), [
    (ForgetsTheMask, "it raised ArgumentError: AttentionLayer.forward: queries"),
    (GoesOnAfterTheMask, "a context on padding is not zero"),
    (ReadsPadding, "sequence 1 of a padded batch differs from the same sequence alone"),
    (NoMean, "with one vector at every step of the memory the context is another"),
    (NoMean, "with one vector at every step of the memory the context is another (masked)"),
    (ReadsNothing, "where the memory is padding throughout the context is not 0"),
    (MixesTheBatch, "sequence 0 of a padded batch differs from the same sequence alone"),
    (WritesIntoTheUpstream, "dcontexts changed during the call: nothing passed in may be written to"),
    (WritesIntoTheMemory,
     "params, queries, memory or a mask changed during the call: nothing passed in may be written to (masked)"),
    (KeepsOneOutput, "an output was overwritten by a later call"),
    (Counts, "backward twice differs"),
    (Raises, "it raised RuntimeError: not yet (in backward, line"),
    (ReturnsTwo, "backward must return (dqueries, dmemory, grads), got a tuple of 2"),
    (OtherShape, "forward's contexts must be an array of shape (7, 5, 4), got an array of shape (5, 7, 4)"),
], ids=lambda value: getattr(value, "__name__", ""))  # fmt: skip
def test_a_wrong_one_is_rejected_and_named(wrong, told):
    report = check_attention(wrong(), rng=rng())
    assert not report.ok
    assert any(finding.startswith(told) for finding in report.findings), report.findings


def test_a_wrong_gradient_is_a_wrong_row():
    report = check_attention(ForgetsTheKeys(), rng=rng())
    assert {row.name for row in report.rows if not row.ok} == {"memory", "memory (masked)", "memory (no memory)"}


def test_a_cache_that_a_later_forward_replaces_is_a_wrong_row():
    report = check_attention(KeepsOneCache(), rng=rng())
    assert {row.name for row in report.rows if not row.ok} >= {"queries", "memory", "W_q", "W_m", "v"}


def test_what_is_no_attention_layer_is_told():
    assert check_attention(ADDITIVE, rng=rng()).findings == [
        "AdditiveAttention is no attention layer: it has no attention, forward, backward"
    ]
    assert check_attention(AttentionLayer, rng=rng()).findings[0].startswith("AttentionLayer is a class, not an ")


def test_equal_sizes_are_refused_where_there_are_weights():
    with pytest.raises(ArgumentError, match="query_size = memory_size = 3"):
        check_attention(AttentionLayer(MultiplicativeAttention(3, 3)), rng=rng())
    with pytest.raises(ArgumentError, match="rng"):
        check_attention(AttentionLayer(ADDITIVE), rng=0)
