"""The chrono start: gate biases that give the units of an LSTM or a GRU memories of every length up to a chosen one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .. import validate
from ..arrays import Params
from .gru import GRUCell
from .lstm import LSTMCell


def chrono_params(
    cell: LSTMCell | GRUCell, *, rng: np.random.Generator, longest: float, dtype: npt.DTypeLike = np.float64
) -> Params:
    r"""Start a gated cell so that its units forget after 2 to `longest` steps.

    .. math:: b_f = \ln u, \quad b_i = -b_f \quad \text{(LSTM)}, \qquad b_z = \ln u \quad \text{(GRU)},
              \qquad u \sim U(1, \text{longest} - 1)

    With no input f = σ(ln u) = 1 − 1/(u + 1): a memory of u + 1 steps. The LSTM's input gate is 1 − f then, as it is in
    the GRU by construction. All else is as in `init_params`. `longest` is knowledge about the task, put into the start.

    Parameters
    ----------
    cell : LSTMCell or GRUCell
        The GRU's z is what keeps h_{t−1} here and in PyTorch; in the paper its complement has the name.
    rng : Generator
        Draws the weights, then u for each unit.
    longest : float
        The longest memory in steps, at least 2.
    dtype : dtype
        float64 or float32.

    Raises
    ------
    ArgumentError
        For another cell, or `longest` below 2.

    Source: Tallec & Ollivier (2018); benchmarks/adding_problem.py; tests/cells/test_chrono.py.
    """
    where = "chrono_params"
    if not isinstance(cell, LSTMCell | GRUCell):
        validate.fail(
            where, f"cell is {cell!r:.60}", "an LSTMCell or a GRUCell", "the biases are those of its gates",
            "An RNNCell with ReLU starts as an IRNN: irnn_params.",
        )
    longest = validate.number(where, "longest", longest, at_least=2.0, because="u is drawn from U(1, longest − 1)")
    H = cell.hidden_size
    params = cell.init_params(rng=rng, dtype=dtype)
    bias = np.log(rng.uniform(1.0, longest - 1.0, H))
    params["b_h"][H : 2 * H] = bias  # the forget gate's, or z's
    if isinstance(cell, LSTMCell):
        params["b_h"][:H] = -bias  # the input gate's
    return params
