"""All exhibits by name, from the output back in time, the simplest cell first."""

from __future__ import annotations

from . import (
    bias_of_another_gate,
    biases_of_the_forget_gate,
    brackets_left_out,
    carry_never_updated,
    cell_carry_left_out,
    clipped_inside,
    flag_forgotten,
    gate_blocks_exchanged,
    gradients_never_reset,
    index_one_off,
    inputs_of_the_last_step,
    inputs_of_their_own_step,
    loop_runs_forwards,
    mean_over_classes,
    negative_index,
    output_of_the_state_before,
    output_weights_of_one_step,
    overwritten_too_early,
    slopes_left_out,
    softmax_cache_spoilt,
    state_for_derivative,
    tanh_of_tanh,
    truncation_option_ignored,
    upstream_changed_in_place,
    whh_not_transposed,
    window_of_k_plus_one,
    zeros_never_filled,
)
from .exhibit import Exhibit

_ROOMS = (
    output_of_the_state_before, mean_over_classes, tanh_of_tanh, whh_not_transposed, negative_index,
    state_for_derivative, inputs_of_their_own_step, window_of_k_plus_one, truncation_option_ignored, clipped_inside,
    upstream_changed_in_place, softmax_cache_spoilt,
    output_weights_of_one_step, index_one_off, flag_forgotten, brackets_left_out, slopes_left_out,
    biases_of_the_forget_gate, bias_of_another_gate, inputs_of_the_last_step, overwritten_too_early,
    carry_never_updated, cell_carry_left_out, zeros_never_filled, gradients_never_reset,
    gate_blocks_exchanged, loop_runs_forwards,
)  # fmt: skip
EXHIBITS: dict[str, Exhibit] = {room.EXHIBIT.name: room.EXHIBIT for room in _ROOMS}
