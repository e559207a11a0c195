"""Batches, padding, texts as numbers, and the course's running examples."""

from .batching import Batch, bucketed_batches, minibatches, one_hot, pad_sequences
from .date_patterns import Collision, DateFormat, collisions, date_formats, render_date
from .dates import DateData, DateSplits, date_data, date_vocabularies, held_out_formats, split_dates
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
    "Example",
    "PairBatch",
    "Vocabulary",
    "adding_data",
    "article_data",
    "bucketed_batches",
    "collisions",
    "date_data",
    "date_formats",
    "date_vocabularies",
    "fading_sum_data",
    "held_out_formats",
    "lamp",
    "laugh",
    "laugh_letters",
    "minibatches",
    "one_hot",
    "pad_sequences",
    "pair_batches",
    "recall_data",
    "render_date",
    "split_dates",
]
