"""Cells: one time step each, as the article and the papers print it."""

from .bahdanau import BahdanauCell
from .base import Cell
from .chrono import chrono_params
from .gru import GRUCell
from .indrnn import IndRNNCell
from .layer_norm_lstm import LayerNormLSTMCell
from .lstm import LSTMCell
from .luong import LuongCell
from .rnn import RNNCell, irnn_params

__all__ = [
    "BahdanauCell", "Cell", "GRUCell", "IndRNNCell", "LSTMCell", "LayerNormLSTMCell", "LuongCell", "RNNCell",
    "chrono_params", "irnn_params",
]
