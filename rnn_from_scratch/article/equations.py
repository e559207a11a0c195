"""The article's equations, each tied to its code, its notebook and its proof.

`python -m rnn_from_scratch verify` runs every check here and prints a row each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from .. import validate
from ..cells import RNNCell
from ..gradcheck.numerical import METHODS
from . import gate_proofs, metric_proofs, proofs
from .points import Context, Outcome


@dataclass(frozen=True)
class Equation:
    """One equation of the article, or one that it implies.

    `id` is the article's; `code` names the implementation, "module:qualified.name"; `notebook` the one that walks
    through it; `check` proves it and can fail.
    """

    id: str
    text: str
    latex: str
    code: str
    notebook: str
    check: Callable[[Context], Outcome]

    @property
    def implementation(self) -> Any:
        """The function or class that `code` names."""
        module, _, name = self.code.partition(":")
        found: Any = import_module(f"rnn_from_scratch.{module}")
        for part in name.split("."):
            found = getattr(found, part)
        return found


@dataclass(frozen=True)
class Row:
    """What `verify` prints of one equation."""

    id: str
    equation: str
    code: str
    errors: dict[str, float]  # relative error by method; empty where no gradient is claimed
    measured: str
    ok: bool


_BPTT_CODE = {
    "W_hh": "cells.rnn:RNNCell.param_grads", "W_xh": "cells.rnn:RNNCell.param_grads",
    "b_h": "cells.rnn:RNNCell.param_grads", "W_hy": "layers.dense:Dense.backward",
    "b_y": "layers.dense:Dense.backward", "x_t": "cells.rnn:RNNCell.param_grads", "h_0": "bptt:unroll_backward",
}
_BPTT_TEXT = {
    "W_hh": ("Σ_t h_{t-1}ᵀ δ_t", r"\sum_t h_{t-1}^\top \delta_t"),
    "W_xh": ("Σ_t x_tᵀ δ_t", r"\sum_t x_t^\top \delta_t"),
    "b_h": ("Σ_t δ_t", r"\sum_t \delta_t"),
    "W_hy": ("Σ_t h_tᵀ dy_t", r"\sum_t h_t^\top dy_t"),
    "b_y": ("Σ_t dy_t", r"\sum_t dy_t"),
    "x_t": ("δ_t W_xhᵀ", r"\delta_t W_{xh}^\top"),
    "h_0": ("δ_1 W_hhᵀ", r"\delta_1 W_{hh}^\top"),
}

_CLIPS = {
    "as printed, entry by entry": ("clip_as_printed", "g if |g| ≤ C, else sign(g)", r"\operatorname{sign}(g)"),
    "as printed, by norm": ("clip_as_printed_by_norm", "g if ‖g‖ ≤ C, else sign(g)", r"\operatorname{sign}(g)"),
    "by value": ("clip_by_value", "g if |g| ≤ C, else C·sign(g)", r"C \operatorname{sign}(g)"),
    "by norm per array": ("clip_by_norm", "g if ‖g‖ ≤ C, else g·C/‖g‖, array by array", r"g\,C/\lVert g\rVert"),
    "by global norm": ("clip_by_global_norm", "g if ‖g‖ ≤ C, else g·C/‖g‖, all arrays", r"g\,C/\lVert g\rVert"),
}

EQUATIONS: list[Equation] = [
    Equation(
        "E2.1a", "h_t = f(W_hh h_{t-1} + W_xh x_t + b_h)", r"h_t = f(W_{hh} h_{t-1} + W_{xh} x_t + b_h)",
        "cells.rnn:RNNCell.step", "01_one_recurrent_step", proofs.recurrent_step,
    ),
    Equation(
        "E2.1b", "y_t = g(W_hy h_t + b_y)", r"y_t = g(W_{hy} h_t + b_y)",
        "layers.dense:Dense.forward", "01_one_recurrent_step", proofs.output_layer,
    ),
    Equation(
        "E2.2", "θ^(k+1) = θ^(k) - η ∇L(θ^(k))", r"\theta^{(k+1)} = \theta^{(k)} - \eta \nabla_\theta L(\theta^{(k)})",
        "optim.descent:GradientDescent.update", "05_gradient_descent", proofs.descent,
    ),
    Equation(
        "E2.3", "θ^(k+1) = θ^(k) - η (1/B) Σ_i ∇L_i(θ^(k))",
        r"\theta^{(k+1)} = \theta^{(k)} - \eta \frac{1}{B} \sum_{i=1}^{B} \nabla_\theta L_i(\theta^{(k)})",
        "data.batching:minibatches", "05_gradient_descent", proofs.batch_gradient,
    ),
    Equation(
        "E2.4a", "TRNN: h_t = f(W_hh h_{t-1} + W_xh x_t + b_h)", r"h_t = f(W_{hh} h_{t-1} + W_{xh} x_t + b_h)",
        "bptt:unroll", "08_truncate_backpropagation", proofs.trnn_hidden,
    ),
    Equation(
        "E2.4b", "TRNN: y_t = g(W_hy h_t + b_y)", r"y_t = g(W_{hy} h_t + b_y)",
        "models.sequence:SequenceModel.predict", "08_truncate_backpropagation", proofs.trnn_output,
    ),
    Equation(
        "E2.4", "truncated BPTT (k1, k2), state carried", r"\nabla L_{[jk_1,\,e_j)}\ \text{from}\ s_j = e_j - k_2",
        "models.truncated:window_loss_and_grads", "08_truncate_backpropagation", proofs.truncated,
    ),
    *(
        Equation(
            "E2.5", f"{reading}: {text}",
            rf"g \mapsto g \text{{ if }} |g| \le C \text{{ else }} {latex}",
            f"optim.clipping:{name}", "07_clip_the_gradient", proofs.clip(name),
        )
        for reading, (name, text, latex) in _CLIPS.items()
    ),
    Equation(
        "E-CE", "L = -(1/n) Σ log p_k;  ∂L/∂y_j = (p_j - [j = k])/n",
        r"L = -\frac1n \sum_i \log p_{i,k_i}, \quad \partial L/\partial y_{ij} = (p_{ij} - [j = k_i])/n",
        "losses:softmax_cross_entropy", "02_losses", proofs.cross_entropy,
    ),
    Equation(
        "E-MSE", "L = (1/nK) Σ (y - target)²;  ∂L/∂y = 2(y - target)/nK",
        r"L = \frac{1}{nK} \sum (y - y^*)^2, \quad \partial L/\partial y = 2 (y - y^*)/(nK)",
        "losses:mean_squared_error", "02_losses", proofs.squared_error,
    ),
    *(
        Equation(
            "E-BPTT", f"∂L/∂{name} = {text}", rf"\partial L/\partial {name[0]}_{{{name[2:]}}} = {latex}",
            _BPTT_CODE[name], "04_backpropagation_through_time", proofs.backpropagation(name),
        )
        for name, (text, latex) in _BPTT_TEXT.items()
    ),
    *(
        Equation(
            "E-LSTM", f"c_t = f c_{{t-1}} + i g,  h_t = o tanh(c_t), {which}",
            r"c_t = f_t \odot c_{t-1} + i_t \odot g_t, \quad h_t = o_t \odot \tanh(c_t)",
            "cells.lstm:LSTMCell.step_backward", "11_lstm_and_gru", gate_proofs.lstm(peepholes),
        )
        for which, peepholes in (("no peepholes", False), ("peepholes", True))
    ),
    *(
        Equation(
            "E-GRU", f"h_t = (1 - z) n + z h_{{t-1}},  {text}",
            rf"h_t = (1 - z_t) \odot n_t + z_t \odot h_{{t-1}}, \quad n_t = \tanh({latex})",
            "cells.gru:GRUCell.step_backward", "11_lstm_and_gru", gate_proofs.gru(reset_after),
        )
        for text, latex, reset_after in (
            ("n = tanh(… + r (W_hn h + b_hn))", r"\dots + r_t \odot (h_{t-1} W_{hn} + b_{hn})", True),
            ("n = tanh(… + W_hn (r h))", r"\dots + (r_t \odot h_{t-1}) W_{hn}", False),
        )
    ),
    *(
        Equation(
            "E-ATT", f"c = Σ α_s m_s,  α = softmax(e),  {text}",
            rf"c = \sum_s \alpha_s m_s, \quad \alpha = \operatorname{{softmax}}(e), \quad e_s = {latex}",
            f"cells.{code}", "13_attention_and_translation", gate_proofs.attention(scores),
        )
        for scores, text, latex, code in (
            ("additive", "e = v·tanh(q W_q + m W_m)", r"v^\top \tanh(q W_q + m_s W_m)",
             "bahdanau:BahdanauCell.step_backward"),
            ("general", "e = q·(m W_m)", r"q^\top W m_s", "luong:LuongCell.step_backward"),
            ("dot", "e = q·m", r"q^\top m_s", "luong:LuongCell.step_backward"),
        )
    ),
    *(
        Equation("Q5", text, latex, f"metrics.{code}", "14_measure_a_model", check)
        for text, latex, code, check in (
            ("accuracy = (1/n) Σ [prediction = target]", r"\frac1n \sum_i [\hat k_i = k_i]",
             "classification:accuracy", metric_proofs.classes("accuracy")),
            ("precision = TP / (TP + FP)", r"P = \frac{TP}{TP + FP}",
             "classification:precision", metric_proofs.classes("precision")),
            ("recall = TP / (TP + FN)", r"R = \frac{TP}{TP + FN}",
             "classification:recall", metric_proofs.classes("recall")),
            ("F1 = 2 P R / (P + R)", r"F_1 = \frac{2 P R}{P + R}",
             "classification:f1", metric_proofs.classes("f1")),
            ("MAE = (1/n) Σ |y - target|", r"\frac1n \sum |y - y^*|",
             "regression:mae", metric_proofs.absolute_error),
            ("BLEU = 100 BP (p_1 p_2 p_3 p_4)^(1/4)", r"100\,\mathrm{BP}\,(p_1 p_2 p_3 p_4)^{1/4}",
             "text:corpus_bleu", metric_proofs.bleu),
        )
    ),
]

#: The article's ids in its own order.
IDS = list(dict.fromkeys(equation.id for equation in EQUATIONS))

#: A gradient row passes below these relative errors.
LIMITS = {"forward": 1e-4, "central": 1e-7, "richardson": 1e-8, "complex": 1e-12}


def verify(
    ids: Sequence[str] = (),
    methods: Sequence[str] = ("central", "complex"),
    seed: int = 0,
    cell_type: type[RNNCell] = RNNCell,
) -> list[Row]:
    """Run the checks of the article's equations.

    Parameters
    ----------
    ids : list of article ids, optional
        Default all. "E2.4" also takes E2.4a and E2.4b.
    methods : list of "forward", "central", "richardson", "complex"
        How the gradients are compared.
    seed : int
        Draws the points.
    cell_type : RNNCell or a subclass
        A cell with a wrong backward, to see the checks fail.

    Returns
    -------
    list of Row
        In the article's order.

    Raises
    ------
    ArgumentError
        An unknown id or method, or a seed that is no whole number of at least 0.
    """
    for wanted in ids:
        validate.option("verify", "ID", wanted, IDS)
    for method in methods:
        validate.option("verify", "method", method, METHODS)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        validate.fail("verify", f"seed is {seed!r}", "a whole number of at least 0")
    rows = []
    for index, equation in enumerate(EQUATIONS):
        if ids and not any(equation.id == wanted or equation.id[:-1] == wanted for wanted in ids):
            continue
        rng = np.random.default_rng([seed, index])
        outcome = equation.check(Context(rng, tuple(methods), cell_type))
        within = all(error < LIMITS[method] for method, error in outcome.errors.items())
        rows.append(
            Row(equation.id, equation.text, equation.code, outcome.errors, outcome.measured, within and outcome.ok)
        )
    return rows
