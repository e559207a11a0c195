"""The third that was drawn and set aside, right and wrong: no rule may be fitted to it."""

from student_case import EVERY, RECURRENT, RECURRENT_AFTER, Case, broken, neighbours, right, wrong

at = neighbours(__file__)
# A wrong one: function, kind, (parameter, gate), what is wrong, the arrays that come out wrong, other kinds that fit.

CASES: list[Case] = [
    right(at.right_rnn_unit_loops, "rnn", "a for loop over every unit, the scalar total as the loss"),
    right(at.right_rnn_flat_vector, "rnn", "one flat vector of parameters, tanh' from the pre-activation"),
    right(at.right_lstm_per_gate, "lstm", "a matrix for every gate, lists by time"),
    right(at.right_lstm_reversed_lists, "lstm", "deltas appended from the end, the list turned round"),
    right(at.right_gru_two_projections, "gru", "the libraries' gi and gh, a tape of tuples"),
    right(at.right_gru_einsum, "gru", "the gates on an axis of their own, einsum"),
    right(at.right_gru_columns, "gru", "columns, one sequence at a time, a list of gradients by position"),
    right(at.right_gru_before_class, "gru-before", "layer objects that push and pop"),
    right(at.right_gru_before_recursion, "gru-before", "recursion over time inside one function"),
    *wrong(at.wrong_rnn_dicts, "rnn", [
        ("carry_never_added", "carry-dropped", (None, None),
         "dh is the output's share alone, nothing comes from t + 1", RECURRENT),
        ("gradients_overwritten", "not-summed-over-time", (None, None),
         "= in place of += in the loop over time: the first step's share is left", EVERY),
        ("only_last_sequence", "not-summed-over-batch", (None, None),
         "gradients start from zero for every sequence, the last one's are returned", EVERY),
        ("wraps_to_last_h", "wrong-time-index", ("W_hh", None),
         "the list has no h0, so at t = 0 the index -1 takes the last h", "W_hh"),
    ]),
    *wrong(at.wrong_rnn_steps, "rnn", [
        ("derivative_of_h_prev", "activation-derivative", (None, None),
         "tanh' is taken from h_prev, not from h", RECURRENT + " xs h0"),
    ]),
    *wrong(at.wrong_rnn_stacked, "rnn", [
        ("whh_transposed", "transposed", ("W_hh", None), "delta^T h in place of h^T delta", "W_hh"),
        ("wxh_reshaped", "transposed", ("W_xh", None), "(H, D) is reshaped to (D, H), not transposed", "W_xh"),
        ("mean_over_batch", "scale", (None, None),
         "gradients of the mean over the batch beside losses that are summed", EVERY, "not-summed-over-batch"),
        ("bias_keeps_row", "shape", ("b_h", None), "keepdims=True leaves (1, H)", "b_h"),
    ]),
    *wrong(at.wrong_rnn_loops, "rnn", [
        ("whh_counted_twice", "scale", ("W_hh", None),
         "W_hh is added once more in the loop that computes the carry", "W_hh"),
    ]),
    *wrong(at.wrong_rnn_textbook, "rnn", [
        ("target_not_subtracted", "output-layer", (None, None),
         "the logits' gradient is p, the target was not subtracted", EVERY),
        ("tanh_of_tanh", "activation-derivative", (None, None),
         "1 - tanh(h)^2: tanh' of the output, which is tanh already", RECURRENT),
    ]),
    *wrong(at.wrong_rnn_habits, "rnn", [
        ("dh_next_remembered", "not-reset", (None, None), "dh_next of the call before is where the backward starts"),
        ("h0_in_place", "mutates-input", ("h0", None), "the states are written into the caller's h0"),
    ]),
    *wrong(at.wrong_lstm_gates, "lstm", [
        ("cell_carry_without_f", "wrong-gate", (None, "f"),
         "dc goes to the step before as it is, without f", RECURRENT),
        ("dh_prev_overwritten", "carry-dropped", (None, None),
         "dh_prev is assigned four times, only the output gate's share is left", RECURRENT),
    ]),
    *wrong(at.wrong_lstm_columns, "lstm", [
        ("blocks_in_other_order", "swapped", (None, "go"),
         "blocks in the order i, f, o, g, parameters in the order i, f, g, o",
         "W_xh:g W_xh:o W_hh:g W_hh:o b_h:g b_h:o"),
        ("sign_of_candidate", "sign", (None, "g"), "g^2 - 1 in place of 1 - g^2", RECURRENT),
    ]),
    *wrong(at.wrong_lstm_wide, "lstm", [
        ("cell_carry_from_dc_next", "cell-carry-dropped", (None, "c"),
         "dc_prev = f * dc_next, which leaves h's share of dc out, so that it stays zero", RECURRENT),
        ("dh_overwritten_before_dc", "wrong-time-index", (None, "c"),
         "dh already holds the step before when dc_prev is computed from it", RECURRENT),
        ("windows_of_three", "truncated", (None, None),
         "dh and dc are cut at the end of every window of three steps", RECURRENT),
        ("global_norm_clipped", "clipped", (None, None),
         "all gradients are divided by their common norm where it is above 1", EVERY, "scale"),
        ("why_with_h_before", "output-layer", ("W_hy", None), "h_{t-1} in place of h_t", "W_hy", "wrong-time-index"),
        ("h0_c0_swapped", "swapped", ("h0", None),
         "the gradients of h0 and c0 are returned under each other's name", "h0 c0"),
        ("two_biases_added", "scale", ("b_h", None), "the gradients of two biases that are one are added up", "b_h"),
    ]),
    *wrong(at.wrong_lstm_nodes, "lstm", [
        ("bias_overwritten", "not-summed-over-time", ("b_h", None),
         "= in place of +=: b_h has the first step alone", "b_h"),
        ("first_step_left_out", "not-summed-over-time", (None, None), "the loop back ends before step 0", RECURRENT),
        ("last_loss_only", "last-step-only", (None, None),
         "the loss of the last step alone goes back, W_hy and b_y included", EVERY),
    ]),
    *wrong(at.wrong_lstm_habits, "lstm", [
        ("default_argument_accumulates", "not-reset", (None, None),
         "the dictionary of gradients is a default argument: every call adds to it, and to what was returned before"),
        ("gradient_noise", "nondeterministic", (None, None), "noise is added to the gradients"),
    ]),
    *wrong(at.wrong_gru_two_projections, "gru", [
        ("whn_untransposed_back", "recurrent-matrix", (None, "n"),
         "delta of n goes back through W_hn, not through its transpose", RECURRENT_AFTER, "transposed"),
        ("bn_and_bhn_swapped", "swapped", ("b_hn", "n"),
         "b_hn and the candidate's part of b_h have each other's gradient", "b_h:n b_hn"),
    ]),
    *wrong(at.wrong_gru_batch_first, "gru", [
        ("mean_bias", "not-summed-over-batch", ("b_h", None),
         "every bias is averaged over the batch, the matrices are summed", "b_h b_hn b_y", "scale"),
        ("dh_clipped_each_step", "clipped", (None, None),
         "dh is clipped to [-0.5, 0.5] at every step", RECURRENT_AFTER),
    ]),
    *wrong(at.wrong_gru_before_gates, "gru-before", [
        ("r_without_whn", "recurrent-matrix", (None, "r"),
         "delta of n reaches r without going back through W_hn", RECURRENT),
        ("whn_without_r", "wrong-gate", ("W_hh", "n"), "W_hn takes h_prev, not r h_prev; the way back has r", "W_hh:n"),
    ]),
    *broken(at.broken, [
        ("rnn_nan", "rnn", "the first carry is zero, and is divided by its norm"),
        ("gru_before_gradients_by_step", "gru-before", "every gradient has an axis of steps that is not summed"),
        ("gru_before_noise", "gru-before", "random numbers of the right shapes"),
    ]),
]
