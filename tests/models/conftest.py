"""PyTorch's values for models of tokens (tests/reference/make_models.py)."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

FILE = Path(__file__).parents[1] / "reference" / "models.npz"


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
