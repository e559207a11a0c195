"""Layers: whole sequences, validated once, with their backward passes."""

from .attention import AttentionLayer
from .bidirectional import Bidirectional
from .dense import Dense
from .dropout import Dropout, dropout_mask
from .embedding import Embedding
from .layer_norm import LayerNorm
from .recurrent import Recurrent
from .stacked import Stacked

__all__ = [
    "AttentionLayer", "Bidirectional", "Dense", "Dropout", "Embedding", "LayerNorm", "Recurrent", "Stacked",
    "dropout_mask",
]
