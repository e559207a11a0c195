"""Metrics: how good a model is, in numbers that are reported; they know arrays and sequences, never models."""

from .bleu import BLEU
from .intervals import wilson_interval
from .sequences import tokenize_13a
from .text import bits_per_character, corpus_bleu, exact_match, perplexity, sentence_bleu

__all__ = [
    "BLEU", "bits_per_character", "corpus_bleu", "exact_match", "perplexity", "sentence_bleu", "tokenize_13a",
    "wilson_interval",
]
