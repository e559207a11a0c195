"""Every rule with each of its options against PyTorch's path over 50 updates (tests/reference/make_optim.py)."""

from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.optim import AdaGrad, Adam, AdamW, GradientDescent, Momentum, Nesterov, RMSprop

RULES = {
    "sgd decay": GradientDescent(0.05, weight_decay=0.1),
    "momentum decay": Momentum(0.05, 0.8, weight_decay=0.1),
    "nesterov": Nesterov(0.05),
    "nesterov decay": Nesterov(0.05, 0.8, weight_decay=0.1),
    "adagrad": AdaGrad(0.1),
    "adagrad options": AdaGrad(0.1, epsilon=1e-3, weight_decay=0.1),
    "rmsprop": RMSprop(0.02),
    "rmsprop options": RMSprop(0.02, decay=0.9, epsilon=1e-3, weight_decay=0.1),
    "rmsprop momentum": RMSprop(0.01, decay=0.9, momentum=0.7),
    "rmsprop centered": RMSprop(0.01, decay=0.9, centered=True),
    "rmsprop everything": RMSprop(0.01, 0.8, 1e-2, 0.6, True, 0.05),
    "adam decay": Adam(0.05, 0.8, 0.95, 1e-4, 0.1),
    "adamw": AdamW(0.05),
    "adamw options": AdamW(0.05, 0.8, 0.95, 1e-4, 0.3),
    "spared sgd": GradientDescent(0.05, weight_decay=0.2, spare=("b",)),
    "spared adamw": AdamW(0.05, weight_decay=0.2, spare=("b",)),
}


@pytest.fixture(scope="module")
def reference():
    with np.load(Path(__file__).parents[1] / "reference" / "optimisers.npz") as saved:
        return dict(saved)


def test_every_rule_of_the_reference_is_compared(reference):
    assert {name.split("/")[1] for name in reference if name.startswith("rule/")} == set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_path_is_pytorchs(rule, reference):
    optimizer = RULES[rule]
    params = {name: reference[f"start/{name}"] for name in "Wb"}
    state = optimizer.init(params)
    for k in range(50):
        params, state = optimizer.update(params, {name: reference[f"grads/{name}"][k] for name in "Wb"}, state)
        for name, array in params.items():
            theirs = reference[f"rule/{rule}/{name}"][k]
            np.testing.assert_allclose(array, theirs, rtol=0, atol=1e-12, err_msg=f"update {k + 1}, {name}")
    assert state.updates == 50
