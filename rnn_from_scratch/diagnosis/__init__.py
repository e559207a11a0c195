"""Proofs for anyone's step, cell, layer or loss: the conformance suite, a name for what is wrong, a cell for each."""

from .attention import check_attention
from .conformance import check_cell, check_layer
from .functions import check_activation, check_loss
from .models import check_model, check_windows
from .naming import Diagnosis, Suspect, diagnose
from .own_cells import OwnCell, own_cell
from .own_parts import OwnForm
from .own_solution import own_cell_derivation, own_cell_solution
from .steps import check_step
from .translation import check_encoder_decoder

__all__ = [
    "Diagnosis", "OwnCell", "OwnForm", "Suspect", "check_activation", "check_attention", "check_cell",
    "check_encoder_decoder", "check_layer", "check_loss", "check_model", "check_step", "check_windows", "diagnose",
    "own_cell", "own_cell_derivation", "own_cell_solution",
]
