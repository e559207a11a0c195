"""The fused engine's gradients against the loss itself, and the conformance suite on it, through several chunks."""

import importlib.util
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.diagnosis import check_layer
from rnn_from_scratch.fused.pool import POOL
from rnn_from_scratch.gradcheck import check_gradients
from rnn_from_scratch.layers import Recurrent

_spec = importlib.util.spec_from_file_location("sequences", Path(__file__).parents[1] / "sequences.py")
_module = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_module)
KINDS, Sequence, cut_time = _module.KINDS, _module.Sequence, _module.cut_time

every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def cut(monkeypatch):
    """Return a function that cuts time: N, H, steps of a chunk, steps of a group in it."""
    yield partial(cut_time, monkeypatch)
    POOL.clear()


def loss_of(sequence, layer):
    """Return the loss whose gradients `backward` gives, of params, xs and state; the last as one tree."""
    dhs = np.where(np.isnan(sequence.dhs), 0, sequence.dhs)

    def loss(at):
        state = tuple(at[f"state {part}"] for part in range(len(sequence.state)))
        hs, final, _ = layer.forward({name: at[name] for name in sequence.params}, at["xs"], state, sequence.mask)
        return (dhs * hs).sum() + sum((d * part).sum() for d, part in zip(sequence.dfinal, final, strict=True))

    return loss


@pytest.mark.parametrize(("method", "tolerance"), [("complex", 1e-12), ("central", 1e-7)])
@pytest.mark.parametrize("mask", ["none", "holes"])
@pytest.mark.parametrize(("N", "D"), [(1, 3), (1, 16), (3, 16), (4, 3)])
@every_kind
def test_gradients_of_the_loss(kind, N, D, mask, method, tolerance, cut):
    """Of every parameter, input and initial state, through several chunks."""
    cut(N, 2, 3, 2)
    sequence = Sequence(KINDS[kind](D, 2), 5, N, np.random.default_rng([5, N, D]), mask)
    if sequence.mask is not None:
        sequence.xs[~sequence.mask] = 0.0  # differences cannot be taken at NaN
    layer = Recurrent(sequence.cell, "fused")
    found = sequence.run(layer)

    def named(parts):
        return {f"state {number}": part for number, part in enumerate(parts)}

    report = check_gradients(
        loss_of(sequence, layer), {**sequence.params, "xs": sequence.xs, **named(sequence.state)},
        {**found["grads"], "xs": found["dxs"], **named(found["dstate"])}, method,
    )
    report.raise_if_wrong()
    assert report.worst < tolerance


@pytest.mark.parametrize(("D", "H", "every", "chunk", "group"), [
    (3, 4, None, 100, 100), (3, 4, None, 3, 2), (17, 2, None, 2, 1), (4, 2, 2, 1, 1), (17, 2, 3, 100, 100),
    (3, 4, 99, 100, 2),
], ids=["one chunk", "chunks of 3 steps", "projected", "every 2", "every 3, projected", "every 99"])
@every_kind
def test_conformance(kind, D, H, every, chunk, group, cut):
    """The suite's sequences are shorter than a chunk, so also with chunks of two or three steps."""
    cut(2, H, chunk, group)
    report = check_layer(Recurrent(KINDS[kind](D, H), "fused", 0.0, every), rng=np.random.default_rng(D))
    report.raise_if_wrong()
    assert report.worst < 1e-12


@pytest.mark.parametrize("configuration", ["engine", "every 2"])
@every_kind
def test_conformance_under_recurrent_dropout(kind, configuration, cut):
    cut(2, 3, 3, 2)
    every = None if configuration == "engine" else 2
    layer = Recurrent(KINDS[kind](2, 3), "fused", recurrent_dropout=0.5, recompute_every=every)
    report = check_layer(layer, rng=np.random.default_rng(1), training=True)
    report.raise_if_wrong()
    assert report.worst < 1e-12
