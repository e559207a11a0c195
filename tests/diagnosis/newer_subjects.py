"""The parts around a plain recurrent network: attention, normalisation, dropout, depth, tokens, translation."""

from __future__ import annotations

from typing import Any

import numpy as np
from newer_points import Maker, attention_point, layer_point, plain_point, sizes, translation_point
from points import Point
from rejecting import seeded
from subjects import MASKS, RECURRENT_CHECKS, RNNS, Subject, cell_points, xs

from rnn_from_scratch import attention, normalization
from rnn_from_scratch.attention import AdditiveAttention, MultiplicativeAttention
from rnn_from_scratch.cells import BahdanauCell, GRUCell, LayerNormLSTMCell, LSTMCell, LuongCell, RNNCell
from rnn_from_scratch.diagnosis import check_attention, check_cell, check_encoder_decoder, check_layer
from rnn_from_scratch.layers import AttentionLayer, Bidirectional, Dropout, Embedding, LayerNorm, Recurrent, Stacked
from rnn_from_scratch.models import EncoderDecoder, LanguageModel, SequenceClassifier, TokenEncoder
from rnn_from_scratch.models.bridge import Bridge

TINY, SEVERAL = xs(3, 2), np.random.default_rng(4).normal(size=(4, 2, 3))


def score(kind: str, Q: int, M: int, A: int) -> Any:
    if kind == "additive":
        return AdditiveAttention(Q, M, A)
    return MultiplicativeAttention(Q, Q, "dot") if kind == "dot" else MultiplicativeAttention(Q, M, kind)


def attending(outer: Any, inner: Any, kind: str, D: int, H: int, M: int, A: int, *more: Any) -> Any:
    return outer(inner(D, H), score(kind, H, M, A), *more)


SCORES = ("additive", "general", "dot")
BAHDANAU = [(BahdanauCell, RNNCell, "additive"), (BahdanauCell, LSTMCell, "general"), (BahdanauCell, GRUCell, "dot")]
LUONG = [
    (*parts, feeding)
    for parts in ((LuongCell, RNNCell, "additive"), (LuongCell, LSTMCell, "general"), (LuongCell, RNNCell, "dot"))
    for feeding in (True, False)
]


def attention_points(*kinds: str) -> list[Point]:
    return [
        attention_point(lambda rng, kind=kind: score(kind, *sizes(rng, 3)), masked)  # type: ignore[misc]
        for kind in kinds for masked in MASKS
    ]


def attending_points(combined: list[Any]) -> list[Point]:
    def maker(outer: Any, inner: Any, kind: str, *more: Any) -> Maker:
        return lambda rng: Recurrent(attending(outer, inner, kind, *sizes(rng, 4), *more))

    return [layer_point(maker(*one), masked) for one in combined for masked in MASKS]


def layer_points(*makers: Maker, training: tuple[bool, ...] = (False,)) -> list[Point]:
    return [layer_point(make, masked, trained) for make in makers for trained in training for masked in MASKS]


ATTENTION_CHECKS = {kind: [seeded(check_attention, AttentionLayer(score(kind, 1, 2, 3)))] for kind in SCORES}
ATTENTION_CHECKS["additive"].append(seeded(check_attention, AttentionLayer(score("additive", 2, 3, 1))))
BAHDANAU_CHECKS, LUONG_CHECKS = (
    [
        *(seeded(check_cell, attending(*one[:3], 1, 2, 3, 1, *one[3:]), xs=TINY) for one in kinds),
        *(seeded(check_cell, attending(*one[:3], 2, 3, 4, 2, *one[3:])) for one in kinds[:2]),
    ]
    for kinds in (BAHDANAU, LUONG)
)
EVERY_ATTENTION = [check for kind in SCORES for check in ATTENTION_CHECKS[kind]]


def layer_norm_lstm(rng: np.random.Generator) -> Recurrent:
    D, H = sizes(rng, 2)
    return Recurrent(LayerNormLSTMCell(D, H + 1))


NORM_POINTS = [plain_point(lambda rng: LayerNorm(sizes(rng, 1)[0] + 1))]
NORM_LSTM_POINTS = layer_points(layer_norm_lstm)
NORM_CHECKS = [seeded(check_layer, LayerNorm(3), xs=SEVERAL), seeded(check_layer, LayerNorm(4))]
NORM_LSTM_CHECKS = [
    seeded(check_cell, LayerNormLSTMCell(1, 3), xs=TINY), seeded(check_cell, LayerNormLSTMCell(2, 3))
]


def dropping(rng: np.random.Generator) -> Recurrent:
    D, H, kind = sizes(rng, 3)
    return Recurrent((RNNCell, LSTMCell)[kind % 2](D, H), recurrent_dropout=0.4)


def stack(rng: np.random.Generator) -> Stacked:
    D, H, G, kind, depth = sizes(rng, 5)
    cell = (RNNCell, LSTMCell)[kind % 2]
    above = [Recurrent(cell(H, G)), Recurrent(cell(G, H)), Recurrent(cell(H, H))]
    return Stacked((Recurrent(cell(D, H)), *above[: depth - 1]), dropout=0.4)


def both_ways(rng: np.random.Generator) -> Bidirectional:
    D, H, G, kind = sizes(rng, 4)
    cell = (RNNCell, LSTMCell)[kind % 2]
    return Bidirectional(Recurrent(cell(D, H), recurrent_dropout=0.3), Recurrent(cell(D, G)))


DROPPING_CHECKS = [
    seeded(check_layer, Recurrent(RNNCell(1, 2), recurrent_dropout=0.5), xs=TINY, training=True),
    seeded(check_layer, Recurrent(RNNCell(2, 4), recurrent_dropout=0.5), training=True),
]
DROPOUT_CHECKS = [
    seeded(check_layer, Dropout(0.5, over_time), xs=SEVERAL, training=training)
    for over_time in (False, True) for training in (True, False)
]
TWO = Recurrent(RNNCell(1, 2)), Recurrent(RNNCell(2, 3))
STACKED_CHECKS = [
    seeded(check_layer, Stacked(TWO, dropout=0.5), xs=TINY, training=True),
    seeded(check_layer, Stacked(TWO), xs=TINY),
    seeded(
        check_layer, Stacked((*TWO, Recurrent(RNNCell(3, 4)), Recurrent(RNNCell(4, 2))), dropout=0.5), xs=TINY,
        training=True,
    ),
    seeded(check_layer, Stacked((Recurrent(LSTMCell(1, 2)), Recurrent(LSTMCell(2, 3))))),
]
BOTH_WAYS_CHECKS = [
    seeded(check_layer, Bidirectional(Recurrent(RNNCell(1, 2)), Recurrent(RNNCell(1, 3))), xs=TINY),
    seeded(check_layer, Bidirectional(Recurrent(LSTMCell(1, 2)), Recurrent(LSTMCell(1, 3)))),
]


def language(rng: np.random.Generator) -> LanguageModel:
    D, H, V, dropped = sizes(rng, 4)
    return LanguageModel(Recurrent(RNNCell(D, H)), V, dropout=0.4 * (dropped % 2))


def tied(rng: np.random.Generator) -> LanguageModel:
    H, V, dropped = sizes(rng, 3)
    return LanguageModel(Recurrent(LSTMCell(H, H)), V, tied=True, dropout=0.4 * (dropped % 2))


def classifier(rng: np.random.Generator) -> SequenceClassifier:
    D, H, V, K, kind = sizes(rng, 5)
    return SequenceClassifier(Recurrent((RNNCell, LSTMCell)[kind % 2](D, H)), V, K, dropout=0.4)


BOTH = (False, True)
LANGUAGE_CHECKS = [
    seeded(check_layer, LanguageModel(Recurrent(RNNCell(1, 2)), 3, dropout=0.5), training=True),
    seeded(check_layer, LanguageModel(Recurrent(RNNCell(2, 2)), 3, tied=True, dropout=0.5), training=True),
    seeded(check_layer, LanguageModel(Recurrent(RNNCell(1, 2)), 3)),
    seeded(check_layer, LanguageModel(Recurrent(RNNCell(2, 2)), 3, tied=True)),
]
CLASSIFIER_CHECKS = [
    seeded(check_layer, SequenceClassifier(Recurrent(RNNCell(1, 2)), 3, 4, dropout=0.5), training=True),
    seeded(check_layer, SequenceClassifier(Recurrent(RNNCell(1, 2)), 3, 4)),
    seeded(check_layer, SequenceClassifier(Recurrent(LSTMCell(1, 2)), 3, 4)),
]


def translator(rng: np.random.Generator, kind: str, cell: Any = RNNCell) -> EncoderDecoder:
    D, H, E, G, V, K, A = sizes(rng, 7)
    encoder = Recurrent(cell(D, H))
    decoder = cell(E, G) if kind == "none" else attending(BahdanauCell, cell, kind, E, H if kind == "dot" else G, H, A)
    return EncoderDecoder(encoder, Recurrent(decoder), V, K + 2, dropout=0.4)


def translators(training: bool) -> list[Point]:
    return [
        translation_point(
            lambda rng, kind=kind, cell=cell: translator(rng, kind, cell), masked, training)  # type: ignore[misc]
        for kind, cell in (("additive", RNNCell), ("none", LSTMCell), ("general", LSTMCell)) for masked in MASKS
    ]


ATTENDS = Recurrent(RNNCell(1, 2)), Recurrent(attending(BahdanauCell, RNNCell, "additive", 1, 3, 2, 1)), 3, 4
ATTENDS_NOT = Recurrent(LSTMCell(1, 2)), Recurrent(LSTMCell(1, 3)), 3, 4
TRANSLATION_CHECKS = [
    *(
        seeded(check_encoder_decoder, EncoderDecoder(*parts, dropout=0.5), fail_fast=True, training=True)
        for parts in (ATTENDS, ATTENDS_NOT)
    ),
    seeded(check_encoder_decoder, EncoderDecoder(*ATTENDS), fail_fast=True),
]
TRANSLATION_POINTS = [*translators(False), *translators(True)]

NEWER = [
    Subject(attention.attend_backward, [*attention_points(*SCORES), *attending_points(BAHDANAU)],
            [*EVERY_ATTENTION, *BAHDANAU_CHECKS], 80),
    Subject(attention.attend_grads, attention_points(*SCORES), EVERY_ATTENTION, 25),
    *(
        Subject(function, [*attention_points("additive"), *attending_points(BAHDANAU[:1])],
                [*ATTENTION_CHECKS["additive"], *BAHDANAU_CHECKS], at_least)
        for function, at_least in (
            (AdditiveAttention._hidden_grad, 20), (AdditiveAttention.query_grad, 30),
            (AdditiveAttention.param_grads, 155),
        )
    ),
    *(
        Subject(function, [*attention_points("general", "dot"), *attending_points(BAHDANAU[1:])],
                [*ATTENTION_CHECKS["general"], *ATTENTION_CHECKS["dot"], *BAHDANAU_CHECKS[1:]], at_least)
        for function, at_least in (
            (MultiplicativeAttention.query_grad, 18), (MultiplicativeAttention.param_grads, 70),
        )
    ),
    Subject(attention.stack_queries, attending_points(BAHDANAU), BAHDANAU_CHECKS, 40),
    Subject(AttentionLayer.backward, attention_points(*SCORES), EVERY_ATTENTION, 45),
    Subject(BahdanauCell.step_backward, attending_points(BAHDANAU), BAHDANAU_CHECKS, 80),
    Subject(BahdanauCell.param_grads, attending_points(BAHDANAU), BAHDANAU_CHECKS, 125),
    Subject(LuongCell.step_backward, attending_points(LUONG), LUONG_CHECKS, 165),
    Subject(LuongCell.param_grads, attending_points(LUONG), LUONG_CHECKS, 185),
    Subject(normalization.layer_norm_backward, NORM_POINTS + NORM_LSTM_POINTS, NORM_CHECKS + NORM_LSTM_CHECKS, 105),
    Subject(normalization.layer_norm_param_grads, NORM_POINTS + NORM_LSTM_POINTS, NORM_CHECKS + NORM_LSTM_CHECKS, 30),
    Subject(LayerNormLSTMCell.step_backward, NORM_LSTM_POINTS, NORM_LSTM_CHECKS, 480),
    Subject(LayerNormLSTMCell.param_grads, NORM_LSTM_POINTS, NORM_LSTM_CHECKS, 395),
    Subject(LayerNorm.backward, NORM_POINTS, NORM_CHECKS, 40),
    Subject(Dropout.backward, [plain_point(lambda rng: Dropout(0.4, bool(rng.integers(2))), t) for t in BOTH],
            DROPOUT_CHECKS, 8),
    Subject(Recurrent.backward, [*cell_points(*RNNS), *layer_points(dropping, training=BOTH)],
            [RECURRENT_CHECKS[0], *DROPPING_CHECKS, *RECURRENT_CHECKS[1:]], 50),
    Subject(Stacked.backward, layer_points(stack, training=BOTH), STACKED_CHECKS, 90),
    Subject(Bidirectional.backward, layer_points(both_ways, training=BOTH), BOTH_WAYS_CHECKS, 130),
    Subject(Embedding.backward, [plain_point(lambda rng: Embedding(*sizes(rng, 2)))],
            [*LANGUAGE_CHECKS, *CLASSIFIER_CHECKS], 60),
    Subject(TokenEncoder.backward, layer_points(language, classifier, training=BOTH),
            [*LANGUAGE_CHECKS, *CLASSIFIER_CHECKS], 65),
    Subject(LanguageModel.backward, layer_points(language, tied, training=BOTH), LANGUAGE_CHECKS, 110),
    Subject(SequenceClassifier.backward, layer_points(classifier, training=BOTH), CLASSIFIER_CHECKS, 100),
    Subject(Bridge.backward, translators(False), TRANSLATION_CHECKS[:2], 60),
    Subject(EncoderDecoder.backward, TRANSLATION_POINTS, TRANSLATION_CHECKS, 290),
]
