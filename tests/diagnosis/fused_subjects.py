"""The engines that run a whole sequence: the kernels' backward passes, and recomputation in segments."""

from __future__ import annotations

from functools import partial
from typing import Any

from fused_points import cutting, fused_point
from points import Point
from rejecting import Check, seeded
from subjects import MASKS, Subject, xs

from rnn_from_scratch.activations import ACTIVATIONS
from rnn_from_scratch.cells import GRUCell, LSTMCell, MinGRUCell, MinLSTMCell, RNNCell
from rnn_from_scratch.diagnosis import check_layer
from rnn_from_scratch.fused import FusedKernel, min_gru, min_lstm, scanned
from rnn_from_scratch.fused.feature_major import FeatureMajorBackward
from rnn_from_scratch.fused.gru import GRUBackward
from rnn_from_scratch.fused.lstm import LSTMBackward
from rnn_from_scratch.fused.passes import BackwardPass
from rnn_from_scratch.fused.rnn import RNNBackward
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.layers.engines import Segments, Stepwise

RNNS = [partial(RNNCell, activation=name) for name in ACTIVATIONS]


def points(*kinds: Any, **choices: Any) -> list[Point]:
    return [fused_point(kind, masked, **choices) for kind in kinds for masked in MASKS]


def checks(*kinds: Any) -> list[Check]:
    """In chunks of two steps and groups of one; of five and three, also with all inputs projected; and in one chunk.

    The suite's own sequences have five steps, and twelve: so the last group and chunk are shorter, by more than to one
    step, which NumPy would broadcast. H is not D + 1, the place where h begins below [x; 1].
    """
    # Their numbers of sequences are 2, 4 and 3.
    tiny = [seeded(check_layer, Recurrent(kind(1, 3), "fused"), xs=xs(3, 2)) for kind in kinds]
    small = [seeded(check_layer, Recurrent(kind(3, 2), "fused")) for kind in kinds]
    wide = [seeded(check_layer, Recurrent(kind(16, 2), "fused")) for kind in kinds[:1]]
    return [
        *(cutting(2 * 2, 1 * 2 * 3, check) for check in tiny), *(cutting(5 * 4, 3 * 4 * 2, check) for check in small),
        *(cutting(5 * 3, 3 * 3 * 2, check) for check in wide), *(cutting(768, 8192, check) for check in small),
    ]


def segment_checks(engine: str, kind: Any) -> list[Check]:
    return [
        cutting(4, 8, seeded(check_layer, Recurrent(kind(D, H), engine, recompute_every=every), **more))
        for D, H, every, more in ((1, 2, 2, {"xs": xs(3, 2)}), (2, 3, 2, {}), (2, 3, 3, {}), (2, 3, 9, {}))
    ]


RNN_CHECKS, LSTM_CHECKS, GRU_CHECKS = checks(*RNNS), checks(LSTMCell), checks(GRUCell)
EVERY_POINT = points(RNNS[0], LSTMCell, GRUCell)
GATED_POINTS = points(LSTMCell, GRUCell)
GATED_CHECKS = [check for two in zip(LSTM_CHECKS, GRU_CHECKS, strict=True) for check in two]
EVERY_CHECK = [check for three in zip(RNN_CHECKS, LSTM_CHECKS, GRU_CHECKS, strict=False) for check in three]
SEGMENT_POINTS = [*points(RNNS[0], LSTMCell, segments=True), *points(GRUCell, engine="stepwise", segments=True)]
SEGMENT_CHECKS = [*segment_checks("fused", RNNCell), *segment_checks("stepwise", LSTMCell)]
MINS = {MinGRUCell: min_gru, MinLSTMCell: min_lstm}
MIN_CHECKS = {kind: checks(kind) for kind in MINS}

FUSED = [
    *(
        Subject(getattr(BackwardPass, name), EVERY_POINT, EVERY_CHECK, at_least)
        for name, at_least in (("add_product", 20), ("collect", 70), ("add_weights", 70))
    ),
    *(
        Subject(getattr(FeatureMajorBackward, name), GATED_POINTS, GATED_CHECKS, at_least)
        for name, at_least in (
            ("start", 40), ("go_back", 40), ("take_in", 30), ("lay_rows", 75), ("add_weights", 32), ("h_before", 15),
        )
    ),
    *(
        Subject(getattr(RNNBackward, name), points(*RNNS), RNN_CHECKS, at_least)
        for name, at_least in (
            ("pack", 24), ("start", 9), ("go_back", 36), ("derive", 130), ("run", 190), ("h_before", 18),
        )
    ),
    *(
        Subject(getattr(LSTMBackward, name), points(LSTMCell), LSTM_CHECKS, at_least)
        for name, at_least in (("pack", 80), ("derive", 950), ("run", 510), ("finish", 100))
    ),
    *(
        Subject(getattr(GRUBackward, name), points(GRUCell), GRU_CHECKS, at_least)
        for name, at_least in (("pack", 42), ("derive", 610), ("run", 100), ("finish", 80))
    ),
    Subject(FusedKernel.backward, EVERY_POINT, EVERY_CHECK, 230),
    Subject(scanned.scan_chunks_backward, points(*MINS), [*MIN_CHECKS[MinGRUCell], *MIN_CHECKS[MinLSTMCell]], 590),
    *(Subject(kernel._deltas, points(kind), MIN_CHECKS[kind], 95) for kind, kernel in MINS.items()),
    Subject(Segments.backward, SEGMENT_POINTS, SEGMENT_CHECKS, 140),
    Subject(Stepwise.backward, points(RNNS[0], GRUCell, engine="stepwise"),
            [seeded(check_layer, Recurrent(RNNCell(1, 2), "stepwise"), xs=xs(3, 2)),
             seeded(check_layer, Recurrent(RNNCell(2, 3), "stepwise"))], 50),
]
