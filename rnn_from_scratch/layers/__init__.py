"""Layers: whole sequences, validated once, with their backward passes."""

from .dense import Dense
from .dropout import Dropout, dropout_mask
from .embedding import Embedding
from .layer_norm import LayerNorm
from .recurrent import Recurrent

__all__ = ["Dense", "Dropout", "Embedding", "LayerNorm", "Recurrent", "dropout_mask"]
