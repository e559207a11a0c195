r"""Weight decay as an L2 penalty: the gradient of L + λ/2 ‖θ‖², and which parameters are spared.

.. math:: g \leftarrow g + \lambda \theta

For gradient descent that is the same as to shrink θ by the factor 1 − ηλ before the step. For a rule that divides by
the gradient's size it is not, since λθ is divided too: that is what `AdamW` mends.

One usually spares the biases and the gains of a layer norm: they are few, cannot overfit, and shrinking them only
moves the activations. In this package their names begin with b_ ("b_h", "b_y"), or are "gain" and "bias".

Source: Krogh & Hertz (1992); notebook 06; tests/optim/test_decay.py.
"""

from __future__ import annotations

from typing import Any

from .. import validate
from ..arrays import Params, Tree, tree_map


def check_decay(optimizer: Any) -> None:
    """Check an optimiser's `weight_decay` and `spare`, and keep them as a Python float and a tuple of texts."""
    where = type(optimizer).__name__
    because = "a negative one would make the weights grow"
    value = validate.number(where, "weight_decay", optimizer.weight_decay, at_least=0.0, because=because)
    object.__setattr__(optimizer, "weight_decay", value)
    spare = optimizer.spare
    texts = isinstance(spare, list | tuple) and all(isinstance(start, str) and start for start in spare)
    if not texts:
        validate.fail(
            where, f"spare is {spare!r}", "a tuple of beginnings of names", "it says which parameters do not decay",
            'Try spare=("b_", "gain", "bias"); with one name ("b_",).', validate.DtypeError,
        )
    object.__setattr__(optimizer, "spare", tuple(spare))


def decay_rates(params: Tree, weight_decay: float, spare: tuple[str, ...], name: str = "") -> Tree:
    """Return λ for every array of a tree, 0 where its own name (the last of its path) begins as `spare` says."""
    if isinstance(params, dict):
        return {key: decay_rates(child, weight_decay, spare, str(key)) for key, child in params.items()}
    if isinstance(params, list | tuple):
        return [decay_rates(child, weight_decay, spare, name) for child in params]
    return 0.0 if name.startswith(spare) else weight_decay


def decayed(params: Params, grads: Params, weight_decay: float, spare: tuple[str, ...]) -> Params:
    """Return g + λθ for every array that is not spared; the gradients themselves where λ is 0."""
    if weight_decay == 0.0:
        return grads
    rates = decay_rates(params, weight_decay, spare)
    summed: Params = tree_map(lambda g, theta, rate: g + rate * theta, grads, params, rates)
    return summed
