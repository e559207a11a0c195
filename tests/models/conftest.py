"""PyTorch's values for models of tokens (tests/reference/make_models.py), and a loss's slope along a direction."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves, tree_map

FILE = Path(__file__).parents[1] / "reference" / "models.npz"


@pytest.fixture(scope="session")
def slope():
    """Return a function of a loss, a point and a gradient: the loss's slope along one random direction by the complex
    step, and as the gradient has it.
    """
    def along(loss, point, gradient):
        rng = np.random.default_rng(99)
        direction = tree_map(lambda array: rng.standard_normal(array.shape), point)
        claimed = sum((g * d).sum() for (_, g), (_, d) in zip(leaves(gradient), leaves(direction), strict=True))
        return loss(tree_map(lambda array, d: array + 1e-30j * d, point, direction)).imag / 1e-30, claimed

    return along


@pytest.fixture(scope="session")
def torch_models():
    """Return {model: {"params": nested, "grads": nested, and every other array by name}}."""
    with np.load(FILE) as saved:
        values, index = saved["values"], json.loads(saved["index"].tobytes())
        assert str(saved["version/torch"]).startswith("2.13.0")
    models = {}
    for model, arrays in index.items():
        models[model] = found = {"params": {}, "grads": {}}
        for name, (begin, shape) in arrays.items():
            array = values[begin : begin + math.prod(shape)].reshape(shape)
            if "." not in name:
                whole = name.endswith("mask") or name in ("xs", "sources", "targets")
                found[name] = array.astype(bool if name.endswith("mask") else int) if whole else array
                continue
            tree = found["grads" if name.startswith("grad ") else "params"]
            *path, last = name.removeprefix("grad ").split(".")
            for key in path:
                tree = tree.setdefault(key, {})
            tree[last] = array
    return models
