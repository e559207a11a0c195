"""Metrics: how good a model is, in numbers that are reported; they know arrays and sequences, never models."""

from .bleu import BLEU
from .classification import accuracy, confusion_matrix, f1, precision, recall
from .intervals import mean_interval, wilson_interval
from .regression import mae, mse, r2, rmse
from .report import ClassificationReport, classification_report, report_of_confusion
from .sequences import tokenize_13a
from .text import bits_per_character, corpus_bleu, exact_match, perplexity, sentence_bleu

__all__ = [
    "BLEU", "ClassificationReport", "accuracy", "bits_per_character", "classification_report", "confusion_matrix",
    "corpus_bleu", "exact_match", "f1", "mae", "mean_interval", "mse", "perplexity", "precision", "r2", "recall",
    "report_of_confusion", "rmse", "sentence_bleu", "tokenize_13a", "wilson_interval",
]
