"""Optimisers, schedules, clipping, and what gradients tell: they know arrays, never layers."""

from .adaptive import AdaGrad, Adam, AdamW, RMSprop
from .clipping import clip_as_printed, clip_as_printed_by_norm, clip_by_global_norm, clip_by_norm, clip_by_value
from .descent import GradientDescent, Momentum, Nesterov
from .diagnostics import NoiseScale, gradient_noise_scale, update_ratios
from .schedules import Constant, Cosine, ExponentialDecay, OneCycle, ReduceOnPlateau, Schedule, StepDecay, WarmUp

__all__ = [
    "AdaGrad", "Adam", "AdamW", "Constant", "Cosine", "ExponentialDecay", "GradientDescent", "Momentum", "Nesterov",
    "NoiseScale", "OneCycle", "RMSprop", "ReduceOnPlateau", "Schedule", "StepDecay", "WarmUp",
    "clip_as_printed", "clip_as_printed_by_norm", "clip_by_global_norm", "clip_by_norm", "clip_by_value",
    "gradient_noise_scale", "update_ratios",
]
