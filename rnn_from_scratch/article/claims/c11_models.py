"""What claim C11 races: networks with about as many parameters, one answer a sequence.

`AttentionReader` is an RNN whose last state looks back over all its states; `Truncated` takes a network's gradient
through its last steps alone. Both have the `loss_and_grads` and `predict` of the package's models.

Source: article §5 Q4 (E-ATT), §2.4 (E2.4); tests/article/test_claims_c11.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...activations import softmax
from ...arrays import Array, Params, State
from ...layers import AttentionLayer, Dense, Recurrent
from ...layers.over_time import infer
from ...losses import softmax_cross_entropy
from ...models import SequenceModel


@dataclass(frozen=True)
class AttentionReader:
    r"""A recurrent layer, attention from its last state over all its states, and an output layer on both.

    .. math:: c = \sum_s \alpha_s h_s, \qquad y = [c \;\; h_T]\, W_{hy} + b_y

    Its parameters are {"recurrent": {…}, "attention": {…}, "output": {"W_hy": (2H, K), "b_y": (K,)}}.
    """

    recurrent: Recurrent
    attention: AttentionLayer
    output_size: int

    @property
    def output(self) -> Dense:
        """The output layer, on the context and the last state."""
        return Dense(2 * self.recurrent.hidden_size, self.output_size)

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return every part's own start."""
        return {
            name: part.init_params(rng=rng, dtype=dtype)
            for name, part in (
                ("recurrent", self.recurrent), ("attention", self.attention), ("output", self.output),
            )
        }

    def loss_and_grads(self, params: Params, xs: Array, targets: Array) -> tuple[Any, Params, State]:
        """Compute the mean cross-entropy of inputs (T, N, D) with classes (N,), every gradient, and the final state."""
        hs, final_state, recurrent_cache = self.recurrent.forward(params["recurrent"], xs)
        last = final_state[0].copy()
        contexts, attention_cache = self.attention.forward(params["attention"], last[None], hs)
        read = np.concatenate([contexts[0], last], axis=-1)  # (N, 2H)
        logits, output_cache = self.output.forward(params["output"], read)
        loss, dlogits = softmax_cross_entropy(logits, targets)
        dread, output_grads = self.output.backward(params["output"], dlogits, output_cache)
        dcontext, dlast = np.split(dread, 2, axis=-1)
        dqueries, dhs, attention_grads = self.attention.backward(params["attention"], dcontext[None], attention_cache)
        dfinal_state = (dlast + dqueries[0], *(np.zeros_like(part) for part in final_state[1:]))
        _, _, grads = self.recurrent.backward(
            params["recurrent"], dhs, recurrent_cache, dfinal_state, input_grad=False
        )
        return loss, {"recurrent": grads, "attention": attention_grads, "output": output_grads}, final_state

    def predict(self, params: Params, xs: Array) -> Array:
        """Return the classes' probabilities (N, K)."""
        hs, final_state = infer(self.recurrent, params["recurrent"], xs, None, None)
        last = final_state[0]
        contexts, _ = self.attention.forward(params["attention"], last[None], hs)
        return softmax(self.output.forward(params["output"], np.concatenate([contexts[0], last], axis=-1))[0])


@dataclass(frozen=True)
class Truncated:
    """A many-to-one model, its gradient taken through the last `steps` steps alone (article E2.4's fair reading).

    The state before them is computed with the current weights and held constant: the last window of `truncated_bptt`,
    which for a loss at the end is the only one with a gradient.
    """

    model: SequenceModel
    steps: int

    def init_params(self, *, rng: np.random.Generator, dtype: npt.DTypeLike = np.float64) -> Params:
        """Return the model's own start."""
        return self.model.init_params(rng=rng, dtype=dtype)

    def loss_and_grads(self, params: Params, xs: Array, targets: Array) -> tuple[Any, Params, State]:
        """Compute the loss, the truncated gradient, and the final state."""
        before, window = xs[: -self.steps], xs[-self.steps :]
        state = infer(self.model.recurrent, params["recurrent"], before, None, None)[1] if len(before) else None
        return self.model.loss_and_grads(params, window, targets, state)

    def predict(self, params: Params, xs: Array) -> Array:
        """Return the model's answer: truncation is about the gradient alone."""
        return self.model.predict(params, xs)
