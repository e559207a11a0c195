"""Batches, padding, texts as numbers, and the course's running examples."""

from .batching import Batch, bucketed_batches, minibatches, one_hot, pad_sequences
from .benchmark_tasks import (
    ORDER_6A_SYMBOLS,
    ORDER_SYMBOLS,
    adding_data,
    copying_data,
    temporal_order_6a_data,
    temporal_order_data,
)
from .colors import ColorData, ColorSplits, color_data, named_colors, similar_names
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
from .loading import load_series, load_text
from .missing import MissingDescription, describe_missing, time_since_seen
from .prices import sample_prices
from .running_tasks import echo_data, parity_data, sine_data
from .scaling import Scaling, fit_scaling, standardize
from .series import (
    Series,
    SeriesSplits,
    chronological_split,
    log_returns,
    make_series,
    reversed_series,
    select_series,
    time_order,
)
from .sources import Fresh, Pairs, Sequences, Streams, text_streams
from .tasks import (
    LAUGH_LETTERS,
    Example,
    article_data,
    fading_sum_data,
    lamp,
    laugh,
    laugh_letters,
    recall_data,
)
from .text import END, PAD, START, UNKNOWN, PairBatch, Vocabulary, pair_batches
from .windows import Windows, series_windows

__all__ = [
    "END",
    "LAUGH_LETTERS",
    "ORDER_6A_SYMBOLS",
    "ORDER_SYMBOLS",
    "PAD",
    "START",
    "UNKNOWN",
    "Batch",
    "Collision",
    "ColorData",
    "ColorSplits",
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
    "Scaling",
    "Sequences",
    "Series",
    "SeriesSplits",
    "Streams",
    "TextSplits",
    "Vocabulary",
    "Windows",
    "adding_data",
    "article_data",
    "bucketed_batches",
    "bundled_text",
    "chronological_split",
    "collisions",
    "color_data",
    "copying_data",
    "date_data",
    "date_formats",
    "date_vocabularies",
    "describe_missing",
    "echo_data",
    "fading_sum_data",
    "fit_scaling",
    "held_out_formats",
    "hide",
    "lamp",
    "laugh",
    "laugh_letters",
    "load_series",
    "load_text",
    "log_returns",
    "make_holes",
    "make_series",
    "minibatches",
    "named_colors",
    "one_hot",
    "pad_sequences",
    "pair_batches",
    "parity_data",
    "recall_data",
    "render_date",
    "reversed_series",
    "sample_prices",
    "select_series",
    "series_windows",
    "similar_names",
    "sine_data",
    "split_dates",
    "standardize",
    "temporal_order_6a_data",
    "temporal_order_data",
    "text_splits",
    "text_streams",
    "time_order",
    "time_since_seen",
]
