"""Weights and states to and from the layouts of PyTorch and Keras, as plain arrays: neither library is needed."""

from .keras import from_keras, to_keras
from .torch import from_torch, state_from_torch, state_to_torch, to_torch

__all__ = ["from_keras", "from_torch", "state_from_torch", "state_to_torch", "to_keras", "to_torch"]
