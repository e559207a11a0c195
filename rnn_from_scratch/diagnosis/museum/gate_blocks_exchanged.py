"""The update gate and the candidate get each other's gradients: a numbering remembered the wrong way round."""

from __future__ import annotations

import numpy as np

from ...arrays import Array, Params, State
from .exhibit import Exhibit
from .styles import cross_entropy_rows, gru_forward_rows


def wrong(params: Params, xs: Array, targets: Array, state: State) -> tuple[Array, Params]:
    """Losses and gradients of a GRU, its reset gate before the product; a row a sequence."""
    steps, hs, ps = gru_forward_rows(params, xs, state[0])
    W_hr, W_hz, W_hn = np.split(params["W_hh"], 3, axis=1)
    dLdo, dLds = ps - np.eye(ps.shape[2])[targets], np.zeros_like(state[0])
    grads: Params = {name: np.zeros_like(array) for name, array in params.items()}
    for t in reversed(range(len(xs))):
        h_prev, r, z, n = steps[t]
        grads["W_hy"] += hs[t].T @ dLdo[t]
        grads["b_y"] += dLdo[t].sum(axis=0)
        dLds = dLds + dLdo[t] @ params["W_hy"].T
        delta_n = dLds * (1 - z) * (1 - n**2)
        delta_z = dLds * (h_prev - n) * z * (1 - z)
        dproduct = delta_n @ W_hn.T
        delta_r = dproduct * h_prev * r * (1 - r)
        # Blocks in the order r, z, n, in the weights as in the bias.
        grads["W_xh"] += xs[t].T @ np.hstack([delta_r, delta_n, delta_z])
        grads["W_hh"] += np.hstack([h_prev.T @ delta_r, (r * h_prev).T @ delta_n, h_prev.T @ delta_z])
        grads["b_h"] += np.hstack([delta_r, delta_z, delta_n]).sum(axis=0)
        dLds = dLds * z + delta_r @ W_hr.T + delta_z @ W_hz.T + dproduct * r
    return cross_entropy_rows(ps, targets), grads


def right(params: Params, xs: Array, targets: Array, state: State) -> tuple[Array, Params]:
    """Losses and gradients of a GRU, its reset gate before the product; a row a sequence."""
    steps, hs, ps = gru_forward_rows(params, xs, state[0])
    W_hr, W_hz, W_hn = np.split(params["W_hh"], 3, axis=1)
    dLdo, dLds = ps - np.eye(ps.shape[2])[targets], np.zeros_like(state[0])
    grads: Params = {name: np.zeros_like(array) for name, array in params.items()}
    for t in reversed(range(len(xs))):
        h_prev, r, z, n = steps[t]
        grads["W_hy"] += hs[t].T @ dLdo[t]
        grads["b_y"] += dLdo[t].sum(axis=0)
        dLds = dLds + dLdo[t] @ params["W_hy"].T
        delta_n = dLds * (1 - z) * (1 - n**2)
        delta_z = dLds * (h_prev - n) * z * (1 - z)
        dproduct = delta_n @ W_hn.T
        delta_r = dproduct * h_prev * r * (1 - r)
        # Blocks in the order r, z, n, in the weights as in the bias.
        grads["W_xh"] += xs[t].T @ np.hstack([delta_r, delta_z, delta_n])
        grads["W_hh"] += np.hstack([h_prev.T @ delta_r, h_prev.T @ delta_z, (r * h_prev).T @ delta_n])
        grads["b_h"] += np.hstack([delta_r, delta_z, delta_n]).sum(axis=0)
        dLds = dLds * z + delta_r @ W_hr.T + delta_z @ W_hz.T + dproduct * r
    return cross_entropy_rows(ps, targets), grads


EXHIBIT = Exhibit(
    name="gate_blocks_exchanged",
    title="Two gates with each other's gradients",
    provenance="tianyic's LSTM and GRU on a language model, published with a DOI in 2016",
    source="tianyic/LSTM-GRU, lm_GRU",
    confirmed="Read at commit ea8ce4f: the forward makes z from U[0], W[0], b[2] and the candidate from U[2], W[2], "
    "b[0]; bptt adds the candidate's share to dLdU[0], dLdW[0], dLdb[0] and z's to the blocks 2. So the weights "
    "are exchanged and the bias is not. The original's bptt has several other mistakes, left out here.",
    wrong_for="unknown; so in the only version stored",
    what="Two blocks of the stacked matrices have one shape, so either takes the other's gradient. Each moves in a "
    "direction that has nothing to do with its own loss.",
    missed_by="There was no gradient check, and the numbering of the weights and that of the bias do not agree, which "
    "nothing in the file tells.",
    kind="swapped",
    reference="gru-before",
    where="W_xh, W_hh: the blocks z and n",
    wrong=wrong,
    right=right,
    line_wrong='grads["W_xh"] += xs[t].T @ np.hstack([delta_r, delta_n, delta_z])\n'
    'grads["W_hh"] += np.hstack([h_prev.T @ delta_r, (r * h_prev).T @ delta_n, h_prev.T @ delta_z])',
    line_right='grads["W_xh"] += xs[t].T @ np.hstack([delta_r, delta_z, delta_n])\n'
    'grads["W_hh"] += np.hstack([h_prev.T @ delta_r, h_prev.T @ delta_z, (r * h_prev).T @ delta_n])',
)
