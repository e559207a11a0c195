"""Make the reference values of other libraries' layers: `python tests/reference/make_interop.py` writes them.

With `--check` it recomputes and compares. PyTorch and Keras need not be in one environment: what cannot be imported is
left as it is, and said so. The tests read the files and need neither. The versions that made a file are saved in it.

- interop_torch.npz (torch==2.13.0): nn.RNN, nn.LSTM, nn.GRU of one to three layers, one or both directions, with and
  without biases, in float64 and float32: state dict, inputs, initial state, outputs, final state. nn.Linear,
  nn.Embedding and nn.LayerNorm.
- interop_keras.npz (keras==3.15.1 on tensorflow-cpu==2.21.0): SimpleRNN, LSTM, GRU with reset_after True and False,
  both directions, two layers, with and without biases, in float64 and float32: weights, inputs, initial states,
  sequences, final states. Dense, Embedding and LayerNormalization.

All weights are drawn by NumPy, none is zero, and arrays stand in the order that the library itself gives.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent
T, N, D, H, K, V = 5, 2, 3, 4, 2, 6

# name: module, layers, both directions, biases, dtype
TORCH = {
    f"{kind} {extent}": (kind, *choices)
    for kind in ("RNN tanh", "RNN relu", "LSTM", "GRU")
    for extent, choices in {
        "1 layer": (1, False, True, "float64"),
        "1 layer, both ways": (1, True, True, "float64"),
        "2 layers": (2, False, True, "float64"),
        "3 layers, both ways": (3, True, True, "float64"),
        "1 layer, both ways, no bias": (1, True, False, "float64"),
        "2 layers, float32": (2, False, True, "float32"),
    }.items()
}

# name: the layers' class and choices, from the bottom up, whether each is Bidirectional, dtype
KERAS: dict[str, tuple[list[tuple[str, dict[str, Any]]], bool, str]] = {
    "SimpleRNN tanh": ([("SimpleRNN", {})], False, "float64"),
    "SimpleRNN relu": ([("SimpleRNN", {"activation": "relu"})], False, "float64"),
    "SimpleRNN sigmoid": ([("SimpleRNN", {"activation": "sigmoid"})], False, "float64"),
    "LSTM": ([("LSTM", {})], False, "float64"),
    "GRU after": ([("GRU", {})], False, "float64"),  # reset_after=True is the default
    "GRU before": ([("GRU", {"reset_after": False})], False, "float64"),
    "SimpleRNN tanh, no bias": ([("SimpleRNN", {"use_bias": False})], False, "float64"),
    "LSTM, no bias": ([("LSTM", {"use_bias": False})], False, "float64"),
    "GRU after, no bias": ([("GRU", {"use_bias": False})], False, "float64"),
    "GRU before, no bias": ([("GRU", {"reset_after": False, "use_bias": False})], False, "float64"),
    "SimpleRNN tanh, both ways": ([("SimpleRNN", {})], True, "float64"),
    "LSTM, both ways": ([("LSTM", {})], True, "float64"),
    "GRU before, both ways": ([("GRU", {"reset_after": False})], True, "float64"),
    "GRU after, 2 layers, both ways": ([("GRU", {}), ("GRU", {})], True, "float64"),
    "LSTM, 2 layers": ([("LSTM", {}), ("LSTM", {})], False, "float64"),
    "SimpleRNN tanh, float32": ([("SimpleRNN", {})], False, "float32"),
    "LSTM, float32": ([("LSTM", {})], False, "float32"),
    "GRU after, float32": ([("GRU", {})], False, "float32"),
    "GRU before, float32": ([("GRU", {"reset_after": False})], False, "float32"),
}


def torch_values() -> dict[str, np.ndarray]:
    import torch

    made = {}

    def put(name: str, module: Any, rng: np.random.Generator) -> None:
        for key, tensor in module.state_dict().items():
            array = (0.5 * rng.standard_normal(tuple(tensor.shape))).astype(tensor.numpy().dtype)
            tensor.copy_(torch.from_numpy(array))
            made[f"{name}/weights/{key}"] = array

    for number, (name, (kind, layers, both, bias, dtype)) in enumerate(TORCH.items()):
        rng = np.random.default_rng([21, number])
        kind, _, nonlinearity = kind.partition(" ")
        module = getattr(torch.nn, kind)(
            D, H, layers, bias=bias, bidirectional=both, dtype=getattr(torch, dtype),
            **({"nonlinearity": nonlinearity} if nonlinearity else {}),
        )
        put(name, module, rng)
        xs = rng.standard_normal((T, N, D)).astype(dtype)
        state = [rng.standard_normal((layers * (1 + both), N, H)).astype(dtype) for _ in range(1 + (kind == "LSTM"))]
        tensors = [torch.from_numpy(part) for part in state]
        output, final = module(torch.from_numpy(xs), tuple(tensors) if kind == "LSTM" else tensors[0])
        final = final if kind == "LSTM" else (final,)
        made |= {f"{name}/xs": xs, f"{name}/output": output.detach().numpy()}
        made |= {f"{name}/{part}_0": array for part, array in zip("hc", state, strict=False)}
        made |= {f"{name}/{part}_n": tensor.detach().numpy() for part, tensor in zip("hc", final, strict=False)}

    rng = np.random.default_rng(22)
    for name, module in {
        "Linear": torch.nn.Linear(H, K, dtype=torch.float64),
        "Linear, no bias": torch.nn.Linear(H, K, bias=False, dtype=torch.float64),
        "Embedding": torch.nn.Embedding(V, H, dtype=torch.float64),
        "LayerNorm": torch.nn.LayerNorm(H, dtype=torch.float64),
        "LayerNorm, no bias": torch.nn.LayerNorm(H, bias=False, dtype=torch.float64),
    }.items():
        put(name, module, rng)
        xs = rng.integers(0, V, (T, N)) if name == "Embedding" else rng.standard_normal((T, N, H))
        made |= {f"{name}/xs": xs, f"{name}/output": module(torch.from_numpy(xs)).detach().numpy()}
    return made


def keras_values() -> dict[str, np.ndarray]:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    made = {}

    def put(name: str, layer: Any, rng: np.random.Generator) -> None:
        arrays = [
            (0.5 * rng.standard_normal(tuple(variable.shape))).astype(variable.dtype) for variable in layer.weights
        ]
        layer.set_weights(arrays)
        for variable, array in zip(layer.weights, arrays, strict=True):
            made[f"{name}/{variable.name}"] = array

    for number, (name, (kinds, both, dtype)) in enumerate(KERAS.items()):
        keras.config.set_dtype_policy(dtype)  # set_floatx alone does not reach layers once a first one was made
        rng = np.random.default_rng([23, number])
        xs = rng.standard_normal((N, T, D)).astype(dtype)
        made[f"{name}/xs"] = xs
        output = xs
        for index, (kind, choices) in enumerate(kinds):
            layer = getattr(keras.layers, kind)(H, return_sequences=True, return_state=True, **choices)
            layer = keras.layers.Bidirectional(layer) if both else layer
            layer.build(output.shape)
            under = f"layer{index}/" if len(kinds) > 1 else ""
            if both:
                for side in ("forward_layer", "backward_layer"):
                    put(f"{name}/weights/{under}{side}", getattr(layer, side), rng)
            else:
                put(f"{name}/weights/{under}".removesuffix("/"), layer, rng)
            parts = (1 + (kind == "LSTM")) * (1 + both)
            state = [rng.standard_normal((N, H)).astype(dtype) for _ in range(parts)]
            output, *final = layer(output, initial_state=state)
            made |= {f"{name}/initial/{under}{part}": array for part, array in enumerate(state)}
            made |= {f"{name}/final/{under}{part}": np.asarray(tensor) for part, tensor in enumerate(final)}
        made[f"{name}/output"] = np.asarray(output)

    keras.config.set_dtype_policy("float64")
    rng = np.random.default_rng(24)
    for name, layer in {
        "Dense": keras.layers.Dense(K), "Dense, no bias": keras.layers.Dense(K, use_bias=False),
        "Embedding": keras.layers.Embedding(V, H), "LayerNormalization": keras.layers.LayerNormalization(),
        "LayerNormalization, no center": keras.layers.LayerNormalization(center=False),
    }.items():
        xs = rng.integers(0, V, (N, T)) if name == "Embedding" else rng.standard_normal((N, T, H))
        layer.build(xs.shape)
        put(f"{name}/weights", layer, rng)
        made |= {f"{name}/xs": xs, f"{name}/output": np.asarray(layer(xs))}
    return made


def main() -> int:
    code = 0
    for library, make in {"torch": torch_values, "keras": keras_values}.items():
        file = FOLDER / f"interop_{library}.npz"
        if importlib.util.find_spec(library) is None:
            print(f"{file.name}: {library} is not installed, left as it is")
            continue
        made = make()
        if "--check" not in sys.argv:
            names = ("torch",) if library == "torch" else ("keras", "tensorflow")
            versions = {"numpy": np.__version__, "python": platform.python_version()}
            versions |= {name: str(sys.modules[name].__version__) for name in names}
            np.savez_compressed(file, **made, **{f"version/{name}": np.array(text) for name, text in versions.items()})
            print(f"{file.name}: {len(made)} arrays from {versions}")
            continue
        with np.load(file) as saved:
            kept = {name: saved[name] for name in saved.files if not name.startswith("version/")}
        wrong = [] if list(made) == list(kept) else ["the names or their order"]
        worst = {"float32": 0.0, "float64": 0.0, "int64": 0.0}
        for name in sorted(set(made) & set(kept)):
            dtype = str(made[name].dtype)
            difference = float(np.abs(made[name] - kept[name]).max())
            worst[dtype] = max(worst[dtype], difference)
            if kept[name].dtype != dtype or difference > {"float32": 1e-5, "float64": 1e-12, "int64": 0.0}[dtype]:
                wrong.append(name)
        largest = f"float64 within {worst['float64']:.1e}, float32 within {worst['float32']:.1e}"
        print(f"{file.name}: " + (f"differs: {', '.join(wrong)}" if wrong else f"the same, {largest}"))
        code |= bool(wrong)
    return code


if __name__ == "__main__":
    sys.exit(main())
