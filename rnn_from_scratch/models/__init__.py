"""Models: layers put together, with their loss and every gradient."""

from .bridge import Bridge
from .classifier import SequenceClassifier
from .decoding import Hypothesis, beam_search, greedy
from .encoder import TokenEncoder
from .encoder_decoder import EncoderDecoder, attention_map
from .imputation import ImputationModel, bidirectional_imputer
from .imputing import ModelFilling, impute
from .language import LanguageModel
from .ngram import NGramCounts, NGramModel
from .sequence import SequenceModel
from .truncated import Window, WindowGradient, truncated_bptt, window_loss_and_grads, windows

__all__ = [
    "Bridge", "EncoderDecoder", "Hypothesis", "ImputationModel", "LanguageModel", "ModelFilling", "NGramCounts",
    "NGramModel", "SequenceClassifier", "SequenceModel", "TokenEncoder", "Window", "WindowGradient", "attention_map",
    "beam_search", "bidirectional_imputer", "greedy", "impute", "truncated_bptt", "window_loss_and_grads", "windows",
]
