"""What the students in this folder wrote; student_case.Case explains the fields."""

from student_case import EVERY, RECURRENT, RECURRENT_AFTER, Case, neighbours, wrong

at = neighbours(__file__)
# A wrong one: function, kind, (parameter, gate), what is wrong, the arrays that come out wrong, other kinds that fit.
# Six have two mistakes at once: says names both, kind the main one, also the other.

CASES: list[Case] = [
    *wrong(at.wrong_rnn_prealloc, "rnn", [
        ("minus_one_is_the_last", "wrong-time-index", ("W_hh", None),
         "hs[-1] = h0 in an array of T: the last step overwrites it, step 0's share of W_hh takes h_T for h_0", "W_hh"),
        ("loop_stops_before_zero", "not-summed-over-time", (None, None),
         "range(T - 1, 0, -1): the loop back never comes to step 0, the sums lack its share", RECURRENT, "truncated"),
        ("why_with_h_before", "wrong-time-index", ("W_hy", None),
         "hs starts with h0, so hs[t] in W_hy's gradient is h_{t-1}, not h_t", "W_hy", "output-layer"),
    ]),
    *wrong(at.wrong_rnn_rows, "rnn", [
        ("input_rows_reshaped", "wrong-time-index", ("W_xh", None),
         "xs is reshaped to (N, T, D), not transposed: each delta meets another step's and sequence's x",
         "W_xh", "transposed"),
        ("bias_mean_over_batch", "scale", ("b_h", None),
         "b_h takes the mean over the batch, the rest the sum", "b_h", "not-summed-over-batch"),
        ("minus_one_in_whole_columns", "output-layer", (None, None),
         "p[:, y] -= 1 in place of p[arange, y] -= 1: every sequence loses one in every target's column", EVERY),
    ]),
    *wrong(at.wrong_rnn_trainer, "rnn", [
        ("clipped_by_norm", "clipped", (None, None),
         "all gradients are scaled down together to a norm of 0.25", EVERY, "scale"),
        ("decay_on_recurrent_only", "regulariser", ("W_hh", None),
         "0.01 W_hh is added to W_hh's gradient, the loss has no such term", "W_hh"),
        ("windows_of_two", "truncated", (None, None),
         "h goes on from window to window of two steps, the gradient stays within its window", RECURRENT),
    ]),
    *wrong(at.wrong_rnn_one_sequence, "rnn", [
        ("carry_added_after_tanh", "activation-derivative", (None, None),
         "the carry is added after the step's tanh', so it is never multiplied by it", RECURRENT),
        ("tanh_derivative_at_h_before", "wrong-time-index", (None, None),
         "tanh' is 1 - h_{t-1}^2 in place of 1 - h_t^2", RECURRENT, "activation-derivative"),
    ]),
    *wrong(at.wrong_rnn_buffers, "rnn", [
        ("one_buffer_for_all_steps", "wrong-time-index", (None, None),
         "one buffer is appended T times: every step's delta is that of step 0 in the end; the carry was right",
         RECURRENT + " xs"),
        ("relu_derivative_and_h_of_same_step", "activation-derivative", (None, None),
         "two: h > 0, relu's derivative, for tanh (activation-derivative), and h_t in place of h_{t-1} in W_hh "
         "(wrong-time-index)", RECURRENT, "wrong-time-index"),
    ]),
    *wrong(at.wrong_lstm_by_gate, "lstm", [
        ("forget_matrix_assigned", "not-summed-over-time", ("W_hh", "f"),
         "= in place of += for one gate's matrix: step 0's share alone is left", "W_hh:f"),
        ("carry_overwritten_by_each_gate", "carry-dropped", (None, None),
         "dh_next = in place of += in the loop over gates: the output gate's share alone goes back",
         RECURRENT, "recurrent-matrix", "wrong-gate"),
        ("i_times_one_minus_g", "wrong-gate", (None, "i"),
         "i (1 - g) in place of i (1 - i)", RECURRENT, "activation-derivative"),
        ("c0_taken_as_zero", "wrong-time-index", (None, "f"),
         "the forward starts from c0, the backward takes zeros for c before the first step",
         "W_xh:f W_hh:f b_h:f", "not-summed-over-time"),
        ("candidate_matrix_not_turned_and_by_last_step", "recurrent-matrix", (None, "g"),
         "two: delta of g goes back through its matrix, not the transpose (recurrent-matrix), and b_y has the last "
         "step alone (last-step-only)", RECURRENT + " b_y", "last-step-only", "transposed", "output-layer"),
    ]),
    *wrong(at.wrong_lstm_hx, "lstm", [
        ("carry_from_wrong_columns", "recurrent-matrix", (None, None),
         "of d[h, x] the columns from D on are taken for dh, as if the rows were [x, h]", RECURRENT),
        ("g_and_o_stacked_the_other_way", "swapped", (None, "go"),
         "the parameters' gradients are stacked i, f, o, g; the carry is right",
         "W_xh:g W_xh:o W_hh:g W_hh:o b_h:g b_h:o", "wrong-gate"),
    ]),
    *wrong(at.wrong_lstm_layers, "lstm", [
        ("dc_not_through_tanh", "activation-derivative", (None, "c"),
         "dc += dh o: the derivative of tanh(c) is missing", RECURRENT + " xs h0 c0"),
        ("o_takes_dc", "wrong-gate", (None, "o"),
         "delta of o is dc tanh(c), not dh tanh(c)", RECURRENT + " xs h0 c0"),
        ("carry_left_from_last_call", "not-reset", (None, None),
         "dh and dc are made once: a call starts its way back with those that the call before ended with"),
    ]),
    *wrong(at.wrong_lstm_recursion, "lstm", [
        ("dc_goes_back_unchanged", "wrong-gate", (None, "f"),
         "dc goes to the step before as it is, without f, as if there were no forget gate",
         RECURRENT, "cell-carry-dropped"),
        ("g_as_sigmoid_and_bias_mean", "activation-derivative", (None, "g"),
         "two: g (1 - g), a sigmoid's derivative, for the candidate's tanh (activation-derivative), and b_h takes the "
         "mean over the batch (scale)", RECURRENT, "scale", "not-summed-over-batch"),
    ]),
    *wrong(at.wrong_lstm_recompute, "lstm", [
        ("gates_computed_again_from_new_h", "wrong-time-index", (None, None),
         "the backward computes the gates again, from h_t in place of h_{t-1}", RECURRENT),
        ("cell_cut_at_checkpoints", "cell-carry-dropped", (None, "c"),
         "dc starts from zero at each checkpoint, every two steps; dh goes on", RECURRENT, "truncated"),
    ]),
    *wrong(at.wrong_lstm_einsum, "lstm", [
        ("gate_axis_first_when_reshaped", "transposed", ("W_hh", None),
         "(4, H, H) is reshaped to (H, 4H) without moving the gates' axis: rows of blocks lie where they do not belong",
         "W_hh", "swapped"),
        ("last_gate_not_filled", "zero", (None, "o"),
         "the loop over blocks is range(3): the fourth stays zero", "W_xh:o W_hh:o b_h:o"),
        ("last_loss_does_not_reach_h", "output-layer", (None, None),
         "dh from the outputs is filled for range(T - 1): the last step's loss reaches W_hy and b_y only",
         RECURRENT, "truncated", "not-summed-over-time"),
        ("tanh_of_old_c_and_decay_on_why", "wrong-time-index", (None, "c"),
         "two: 1 - tanh(c_{t-1})^2 in place of 1 - tanh(c_t)^2 (wrong-time-index), and 0.02 W_hy is added to W_hy's "
         "gradient (regulariser)", RECURRENT + " W_hy", "regulariser", "activation-derivative"),
    ]),
    *wrong(at.wrong_gru_rows, "gru", [
        ("reset_delta_of_the_other_gru", "wrong-gate", (None, "r"),
         "delta of r as if the reset came before the product: (dn W_hn^T) h in place of dn (h W_hn + b_hn)",
         RECURRENT_AFTER, "recurrent-matrix"),
        ("reset_delta_forgets_bhn", "wrong-gate", (None, "r"),
         "delta of r is multiplied by h W_hn, without the b_hn that stands inside the gate too", RECURRENT_AFTER),
        ("parentheses_forgotten", "wrong-gate", (None, "n"),
         "dh * 1 - z in place of dh * (1 - z) in delta of n", RECURRENT_AFTER),
        ("z_derivative_of_tanh", "activation-derivative", (None, "z"),
         "1 - z^2, tanh's derivative, for the update gate's sigmoid", RECURRENT_AFTER),
        ("sign_of_r_and_no_bhn", "sign", (None, "r"),
         "two: r (r - 1) in place of r (1 - r) (sign), and b_hn is never added to (zero)", RECURRENT_AFTER, "zero"),
    ]),
    *wrong(at.wrong_gru_columns, "gru", [
        ("z_of_earlier_step_on_the_way_back", "wrong-time-index", (None, "z"),
         "dh_{t+1} is multiplied by z_t on its straight path, not by z_{t+1}", RECURRENT_AFTER),
        ("blocks_read_z_r_n", "forward-wrong", (None, "rz"),
         "the blocks are read in the order z, r, n, forward and backward"),
        ("outer_product_left_of_the_loop", "not-summed-over-batch", ("W_xh", None),
         "+= stands outside the loop over sequences: W_xh has the last sequence alone", "W_xh"),
    ]),
    *wrong(at.wrong_gru_before_closures, "gru-before", [
        ("candidate_matrix_of_the_other_gru", "wrong-gate", ("W_hh", "n"),
         "W_hn's gradient as if the reset came after the product: h^T (dn r) in place of (r h)^T dn", "W_hh:n"),
        ("way_back_of_the_other_gru", "wrong-gate", (None, "n"),
         "the way back through the candidate as if the reset came after: (dn r) W_hn^T in place of (dn W_hn^T) r",
         RECURRENT, "recurrent-matrix"),
    ]),
    *wrong(at.wrong_gru_before_batch_first, "gru-before", [
        ("dh_times_z_in_place", "wrong-gate", (None, "n"),
         "dh and dh_next are one array: *= z for the straight path comes before delta of n takes dh", RECURRENT),
        ("dropout_on_the_carry", "nondeterministic", (None, None),
         "a new dropout mask on the carry at every call; the forward has none"),
        ("three_matrices_stacked", "shape", ("W_hh", None),
         "(3, H, H), a matrix for each gate, in place of (H, 3H)", "W_hh"),
        ("z_matrix_skipped_and_output_mean", "carry-dropped", (None, "z"),
         "two: delta of z does not go back through W_hz (carry-dropped), and W_hy and b_y are divided by the batch's "
         "size (scale)", RECURRENT + " W_hy b_y", "scale", "output-layer", "wrong-gate"),
    ]),
]
