"""Proofs for anyone's step, cell, layer or loss: the conformance suite, and wrong cells to try it on."""

from .attention import check_attention
from .conformance import check_cell, check_layer
from .functions import check_activation, check_loss
from .models import check_model, check_windows
from .steps import check_step
from .translation import check_encoder_decoder

__all__ = [
    "check_activation", "check_attention", "check_cell", "check_encoder_decoder", "check_layer", "check_loss",
    "check_model", "check_step", "check_windows",
]
