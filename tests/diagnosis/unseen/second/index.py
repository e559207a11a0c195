"""What the students in this folder wrote; student_case.Case explains the fields."""

from student_case import EVERY, RECURRENT, RECURRENT_AFTER, Case, neighbours, wrong

at = neighbours(__file__)
# A wrong one: function, kind, (parameter, gate), what is wrong, the arrays that come out wrong, other kinds that fit.
# Five have two mistakes at once: says names both, kind the main one, also the other.

CASES: list[Case] = [
    *wrong(at.wrong_rnn_lists, "rnn", [
        ("deltas_appended_backwards", "wrong-time-index", (None, None),
         "deltas are appended on the way back and the list is never reversed: x_t and h_{t-1} meet delta_{T-1-t}",
         "W_xh W_hh"),
        ("targets_of_step_before", "wrong-time-index", (None, None),
         "p_t - y_{t-1} in place of p_t - y_t (at step 0 the last y, so b_y's sum is right); the losses take y_t",
         RECURRENT + " W_hy", "output-layer"),
        ("whh_delta_first", "transposed", ("W_hh", None), "delta^T h in place of h^T delta", "W_hh"),
    ]),
    *wrong(at.wrong_rnn_per_sequence, "rnn", [
        ("dhnext_leaks_into_next_sequence", "not-reset", (None, None),
         "dhnext is zeroed before the loop over sequences, not inside: a sequence's last step takes the carry that the "
         "sequence before ended with", RECURRENT),
        ("scores_minus_one_hot", "output-layer", (None, None),
         "scores - y in place of p - y: the softmax is missing on the way back", EVERY),
        ("carry_clipped_in_the_loop", "clipped", (None, None),
         "the carry is clipped to [-0.1, 0.1] at every step", RECURRENT),
    ]),
    *wrong(at.wrong_rnn_functions, "rnn", [
        ("dh_not_started_anew", "recurrent-matrix", (None, None),
         "dh += delta W_hh^T in place of =: dh itself goes on to the step before too", RECURRENT, "not-reset"),
        ("bracket_squared", "activation-derivative", (None, None),
         "(1 - h)^2 in place of 1 - h^2", RECURRENT + " xs h0"),
        ("output_matrix_reshaped", "output-layer", (None, None),
         "dh comes from dy through W_hy.reshape(K, H), not W_hy^T; W_hy and b_y are right", RECURRENT, "transposed"),
        ("gradient_noise", "nondeterministic", (None, None), "normal noise is added to every gradient"),
        ("carry_subtracted_and_why_empty", "sign", (None, None),
         "two: dh - carry in place of dh + carry (sign), and W_hy's gradient is stored under another name, the zeros "
         "are returned (zero)", RECURRENT + " W_hy", "zero", "output-layer"),
    ]),
    *wrong(at.wrong_lstm_tuples, "lstm", [
        ("dc_from_own_output_only", "carry-dropped", (None, "c"),
         "dc is made before the carry is added to dh: what comes back through h reaches the output gate only",
         RECURRENT),
        ("one_minus_h_squared", "activation-derivative", (None, "c"),
         "1 - h^2, as in a plain RNN, in place of 1 - tanh(c)^2", RECURRENT),
        ("dc_without_output_gate", "wrong-gate", (None, "o"),
         "dc += dh (1 - tanh(c)^2): the factor o is missing", RECURRENT),
        ("recurrent_matrix_reshaped", "recurrent-matrix", (None, None),
         "the carry goes through W_hh.reshape(4H, H), not W_hh^T", RECURRENT, "transposed"),
        ("f_stacked_before_i", "swapped", (None, "if"),
         "the deltas are stacked f, i, g, o, for the parameters and for the carry", RECURRENT, "wrong-gate"),
        ("cell_carry_from_own_share_only", "cell-carry-dropped", (None, "c"),
         "dc_next is f times what came through h alone, not times all of dc: the cell's carry stops after one step",
         RECURRENT, "truncated"),
        ("forget_bias_of_one", "forward-wrong", (None, "f"),
         "one is added to the forget gate's pre-activation, forward and backward"),
        ("activity_term_in_dh", "regulariser", (None, None),
         "2 * 0.05 h is added to dh at every step, the loss has no such term", RECURRENT),
        ("f_derivative_of_preactivation_and_by_twice", "activation-derivative", (None, "f"),
         "two: a (1 - a) of the pre-activation in place of f (1 - f) (activation-derivative), and b_y is added "
         "to twice at every step (scale)", RECURRENT + " b_y", "scale", "output-layer"),
    ]),
    *wrong(at.wrong_lstm_named_weights, "lstm", [
        ("output_gate_not_in_dh_prev", "carry-dropped", (None, "o"),
         "delta of o does not go back to h_{t-1}: its term is missing in the sum", RECURRENT, "recurrent-matrix"),
        ("output_gate_takes_old_cell", "wrong-time-index", (None, "o"),
         "delta of o is multiplied by tanh(c_{t-1}), not by tanh(c_t)", RECURRENT),
        ("no_whh_at_first_step", "not-summed-over-time", ("W_hh", None),
         "W_hh is added to for t > 0 only, as if h0 were zero", "W_hh", "wrong-time-index"),
        ("c0_before_the_forget_gate", "wrong-time-index", ("c0", "f"),
         "dc of the first step is returned for c0: it is not yet multiplied by f", "c0", "wrong-gate"),
        ("cell_carry_missing_and_wxh_reshaped", "cell-carry-dropped", (None, "c"),
         "two: dc has no share from t + 1 (cell-carry-dropped), and W_xh's gradient is turned from (4H, D) to (D, 4H) "
         "by reshape (transposed)", RECURRENT, "transposed"),
    ]),
    *wrong(at.wrong_lstm_optimizer, "lstm", [
        ("velocity_returned", "not-reset", (None, None),
         "momentum's velocity is returned: 0.9 times that of the call before, plus the gradient"),
    ]),
    *wrong(at.wrong_gru_rows, "gru", [
        ("reset_delta_skips_the_tanh", "activation-derivative", (None, "r"),
         "delta of r starts from dh (1 - z), without the 1 - n^2 of the candidate it stands in", RECURRENT_AFTER),
        ("one_delta_for_x_and_h", "wrong-gate", (None, "n"),
         "W_xn and b_n take delta of n times r, which belongs to W_hn and b_hn only", "W_xh:n b_h:n"),
        ("matrices_of_r_and_z_crossed", "recurrent-matrix", (None, "rz"),
         "delta of z goes back through W_hr and delta of r through W_hz", RECURRENT_AFTER, "swapped", "wrong-gate"),
        ("two_biases_of_n_exchanged", "swapped", (None, "n"),
         "b_n and b_hn have each other's gradient", "b_h:n b_hn", "wrong-gate"),
        ("bhn_outside_the_reset", "forward-wrong", (None, "n"),
         "r multiplies h W_hn alone, b_hn stands outside, forward and backward"),
        ("sums_stand_left_of_the_loop", "not-summed-over-time", (None, None),
         "the lines with += stand behind the loop over time: step 0's share alone is added", RECURRENT_AFTER),
        ("straight_path_without_carry", "carry-dropped", (None, "z"),
         "z multiplies only what comes from the step's own output: the carry stops there after one step",
         RECURRENT_AFTER),
        ("biases_keep_a_row", "shape", (None, None),
         "keepdims: the biases' gradients are (1, 3H), (1, H) and (1, K), right numbers", "b_h b_hn b_y"),
        ("last_state_written_into_h0", "mutates-input", ("h0", None),
         "the last state is written into the caller's h0"),
        ("detached_in_the_middle_and_why_from_p", "truncated", (None, None),
         "two: no gradient crosses the middle of the sequence (truncated), and W_hy is added to before the target's "
         "one is taken from p (output-layer)", RECURRENT_AFTER + " W_hy", "output-layer", "carry-dropped"),
    ]),
    *wrong(at.wrong_gru_before_arrays, "gru-before", [
        ("candidate_matrix_without_r", "wrong-gate", ("W_hh", "n"),
         "h^T delta in place of (r h)^T delta", "W_hh:n"),
        ("reset_delta_with_new_h", "wrong-time-index", (None, "r"),
         "delta of r is multiplied by h_t, not by h_{t-1}", RECURRENT),
        ("divided_by_batch_size", "scale", (None, None),
         "p - y is divided by N, the losses are summed", EVERY),
        ("z_matrix_not_turned_and_first_x_only", "recurrent-matrix", (None, "z"),
         "two: delta of z goes back through W_hz, not its transpose (recurrent-matrix), and W_xh takes the first "
         "sequence alone (not-summed-over-batch)", RECURRENT, "not-summed-over-batch", "transposed"),
    ]),
]
