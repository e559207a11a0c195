"""Batches, padding, texts as numbers, and the course's running examples."""

from .batching import Batch, bucketed_batches, minibatches, one_hot, pad_sequences
from .corpus import TextSplits, bundled_text, text_splits
from .date_patterns import Collision, DateFormat, collisions, date_formats, render_date
from .dates import DateData, DateSplits, date_data, date_vocabularies, held_out_formats, split_dates
from .deletion import Deletion, Kept
from .filling import (
    FillStatistics,
    InterpolationFilling,
    LastValueFilling,
    MaskAndTime,
    MeanFilling,
    MedianFilling,
    ModeFilling,
)
from .holes import hide, make_holes
from .missing import MissingDescription, describe_missing, time_since_seen
from .sources import Fresh, Pairs, Sequences, Streams, text_streams
from .tasks import (
    LAUGH_LETTERS,
    Example,
    adding_data,
    article_data,
    fading_sum_data,
    lamp,
    laugh,
    laugh_letters,
    recall_data,
)
from .text import END, PAD, START, UNKNOWN, PairBatch, Vocabulary, pair_batches

__all__ = [
    "END",
    "LAUGH_LETTERS",
    "PAD",
    "START",
    "UNKNOWN",
    "Batch",
    "Collision",
    "DateData",
    "DateFormat",
    "DateSplits",
    "Deletion",
    "Example",
    "FillStatistics",
    "Fresh",
    "InterpolationFilling",
    "Kept",
    "LastValueFilling",
    "MaskAndTime",
    "MeanFilling",
    "MedianFilling",
    "MissingDescription",
    "ModeFilling",
    "PairBatch",
    "Pairs",
    "Sequences",
    "Streams",
    "TextSplits",
    "Vocabulary",
    "adding_data",
    "article_data",
    "bucketed_batches",
    "bundled_text",
    "collisions",
    "date_data",
    "date_formats",
    "date_vocabularies",
    "describe_missing",
    "fading_sum_data",
    "held_out_formats",
    "hide",
    "lamp",
    "laugh",
    "laugh_letters",
    "make_holes",
    "minibatches",
    "one_hot",
    "pad_sequences",
    "pair_batches",
    "recall_data",
    "render_date",
    "split_dates",
    "text_splits",
    "text_streams",
    "time_since_seen",
]
