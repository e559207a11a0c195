"""Optimisers and clipping: they know arrays, never layers."""

from .adaptive import AdaGrad, Adam, AdamW, RMSprop
from .clipping import clip_as_printed, clip_as_printed_by_norm, clip_by_global_norm, clip_by_norm, clip_by_value
from .descent import GradientDescent, Momentum, Nesterov

__all__ = [
    "AdaGrad", "Adam", "AdamW", "GradientDescent", "Momentum", "Nesterov", "RMSprop",
    "clip_as_printed", "clip_as_printed_by_norm", "clip_by_global_norm", "clip_by_norm", "clip_by_value",
]
