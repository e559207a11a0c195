"""Cells: one time step each, as the article and the papers print it."""

from .bahdanau import BahdanauCell
from .base import Cell
from .chrono import chrono_params
from .coupled_lstm import CoupledLSTMCell
from .gru import GRUCell
from .gru_d import GRUDCell
from .indrnn import IndRNNCell
from .layer_norm_lstm import LayerNormLSTMCell
from .low_rank import LowRankLSTMCell, LowRankRNNCell
from .lstm import LSTMCell
from .luong import LuongCell
from .min_gru import MinGRUCell
from .min_lstm import MinLSTMCell
from .rnn import RNNCell, irnn_params

__all__ = [
    "BahdanauCell", "Cell", "CoupledLSTMCell", "GRUCell", "GRUDCell", "IndRNNCell", "LSTMCell", "LayerNormLSTMCell",
    "LowRankLSTMCell", "LowRankRNNCell", "LuongCell", "MinGRUCell", "MinLSTMCell", "RNNCell",
    "chrono_params", "irnn_params",
]
