"""Cells: one time step each, as the article and the papers print it."""

from .base import Cell
from .gru import GRUCell
from .indrnn import IndRNNCell
from .lstm import LSTMCell
from .rnn import RNNCell, irnn_params

__all__ = ["Cell", "GRUCell", "IndRNNCell", "LSTMCell", "RNNCell", "irnn_params"]
