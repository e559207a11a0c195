"""PyTorch's values, final states and every gradient: its own networks, deep, both ways and padded, and cells written
in its operations (tests/reference/make_grid.py).
"""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves
from rnn_from_scratch.attention import AdditiveAttention, MultiplicativeAttention
from rnn_from_scratch.cells import BahdanauCell, GRUCell, LayerNormLSTMCell, LSTMCell, LuongCell, RNNCell
from rnn_from_scratch.layers import AttentionLayer, Bidirectional, Recurrent, Stacked

REFERENCE = Path(__file__).parents[1] / "reference"
CLOSE = 1e-12  # the largest difference measured is 3.1e-14


def read(file):
    """Return {case: {name: array}} and the version of PyTorch that made it."""
    with np.load(REFERENCE / file) as saved:
        values, index, version = saved["values"], json.loads(saved["index"].tobytes()), str(saved["version/torch"])
    cases = {
        case: {key: values[begin : begin + math.prod(shape)].reshape(shape) for key, (begin, shape) in arrays.items()}
        for case, arrays in index.items()
    }
    return cases, version


NETWORKS, NETWORKS_FROM = read("grid.npz")
CELLS, CELLS_FROM = read("cells.npz")


def test_the_references_hold_what_they_should():
    assert NETWORKS_FROM.startswith("2.13.0")
    assert CELLS_FROM.startswith("2.13.0")
    rows = [name.split(", ") for name in NETWORKS]
    assert len(rows) == 68
    every = {(kind, f"{layers} layers", way, padding) for kind in ("tanh", "relu", "lstm", "gru")
             for layers in (1, 2, 3) for way in ("one way", "both ways") for padding in ("whole", "padded")}
    assert {tuple(row[:4]) for row in rows} == every
    assert {tuple(row[3:]) for row in rows} >= {(padding, state, sizes) for padding in ("whole", "padded")
            for state in ("zero state", "random state") for sizes in ("5×3×2×3", "4×2×3×2", "3×4×4×2", "6×3×1×3")}
    for name, ref in NETWORKS.items():
        assert ("padded" in name) == bool((ref["lengths"] < len(ref["xs"])).any())
        assert ("zero state" in name) == (not ref["h0"].any())
        assert "padded" not in name or ref["lengths"].tolist() != sorted(ref["lengths"], reverse=True)
        assert all(array.any() for key, array in ref.items() if key not in ("h0", "c0")), name  # a zero proves nothing
    assert len(CELLS) == 27
    for name, ref in CELLS.items():
        assert "mask" not in ref or ("padded" in name) == (not ref["mask"].all())
        assert "memory_mask" not in ref or ("whole" in name) == bool(ref["memory_mask"].all())
        zeros = [key for key, array in ref.items() if not array.any()]
        assert zeros == (["grad state0"] if "luong, " in name else [])  # h̃_0 goes nowhere unless it is fed


# PyTorch's networks


def layer_of(kind, layers, ways, D, H):
    """Our layer: Recurrent, or Bidirectional, or Stacked of those."""
    def one(size):
        cell = {"lstm": LSTMCell, "gru": GRUCell}.get(kind, RNNCell)
        made = Recurrent(cell(size, H, kind) if cell is RNNCell else cell(size, H))
        return Bidirectional(made, made) if ways == 2 else made

    below = [D] + [ways * H] * (layers - 1)
    return one(D) if layers == 1 else Stacked(tuple(one(size) for size in below))


def nested(parts, layers, ways):
    """Put one thing a layer and direction, in PyTorch's order, where our params have it."""
    grouped = [dict(zip(("ahead", "back"), parts[i : i + 2], strict=True)) if ways == 2 else parts[i]
               for i in range(0, layers * ways, ways)]
    return grouped[0] if layers == 1 else {f"layer{i}": group for i, group in enumerate(grouped)}


def flat(params, layers, ways):
    """Take params apart again: one dictionary a layer and direction, in PyTorch's order."""
    grouped = [params] if layers == 1 else [params[f"layer{i}"] for i in range(layers)]
    return [one for group in grouped for one in ([group["ahead"], group["back"]] if ways == 2 else [group])]


def suffixes(layers, ways):
    return [f"l{i}{way}" for i in range(layers) for way in ("", "_reverse")[:ways]]


def params_of(kind, layers, ways, ref):
    """PyTorch's weights, transposed; of its two biases only the sum matters, but for the GRU's candidate."""
    made = []
    for end in suffixes(layers, ways):
        b_ih, b_hh = ref[f"bias_ih_{end}"], ref[f"bias_hh_{end}"]
        H = ref[f"weight_hh_{end}"].shape[1]
        one = {"W_xh": ref[f"weight_ih_{end}"].T, "W_hh": ref[f"weight_hh_{end}"].T, "b_h": b_ih + b_hh}
        if kind == "gru":
            one["b_h"][2 * H :] = b_ih[2 * H :]
            one["b_hn"] = b_hh[2 * H :]
        made.append(one)
    return nested(made, layers, ways)


def grads_of(kind, layers, ways, grads):
    """Our gradients under PyTorch's names: each of its two biases has the gradient of their sum."""
    theirs = {}
    for end, one in zip(suffixes(layers, ways), flat(grads, layers, ways), strict=True):
        b_hh = one["b_h"]
        if kind == "gru":
            b_hh = np.concatenate([b_hh[: -len(one["b_hn"])], one["b_hn"]])
        theirs |= {f"grad weight_ih_{end}": one["W_xh"].T, f"grad weight_hh_{end}": one["W_hh"].T,
                   f"grad bias_ih_{end}": one["b_h"], f"grad bias_hh_{end}": b_hh}
    return theirs


def state_of(ref, names, layers, ways):
    """PyTorch's (layers · ways, N, H) as our tuple: the top layer's parts first, two ways side by side."""
    by_layer = [[np.concatenate(ref[name][i * ways : (i + 1) * ways], axis=1) for name in names] for i in range(layers)]
    return tuple(part for parts in by_layer[::-1] for part in parts)


def their_states(state, names, layers, ways):
    """And back again."""
    by_layer = [state[i : i + len(names)] for i in range(0, len(state), len(names))][::-1]
    return {
        name: np.stack([half for parts in by_layer for half in np.split(parts[number], ways, axis=1)])
        for number, name in enumerate(names)
    }


@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name):
    ref = NETWORKS[name]
    kind, layers, ways, *_ = name.split(", ")
    layers, ways = int(layers[0]), 2 if ways == "both ways" else 1
    T, _, D = ref["xs"].shape
    layer = layer_of(kind, layers, ways, D, ref["h0"].shape[2])
    params, shape = params_of(kind, layers, ways, ref), (layers, ways)
    kept = ("h", "c") if kind == "lstm" else ("h",)
    state = state_of(ref, [f"{part}0" for part in kept], *shape)
    mask = np.arange(T)[:, None] < ref["lengths"] if "padded" in name else None
    hs, final, cache = layer.forward(params, ref["xs"], state, mask)
    dfinal = state_of(ref, [f"dfinal {part}" for part in kept], *shape)
    dxs, dstate, grads = layer.backward(params, ref["dhs"], cache, dfinal)
    ours = {
        "hs": hs, **their_states(final, [f"final {part}" for part in kept], *shape),
        "grad xs": dxs, **their_states(dstate, [f"grad {part}0" for part in kept], *shape),
        **grads_of(kind, *shape, grads),
    }
    assert {key for key in ref if key.split(" ")[0] in ("hs", "final", "grad")} == set(ours)
    for key, array in ours.items():
        np.testing.assert_allclose(array, ref[key], rtol=0, atol=CLOSE, err_msg=key)
    if "zero state" in name:  # which is what comes without one
        np.testing.assert_array_equal(layer.forward(params, ref["xs"], mask=mask)[0], hs)


# Cells in PyTorch's operations


def cell_of(words, D, H, M):
    inner = {
        "rnn": RNNCell(D, H), "lstm": LSTMCell(D, H), "peepholes": LSTMCell(D, H, peepholes=True),
        "gru before": GRUCell(D, H, reset_after=False), "layer norm": LayerNormLSTMCell(D, H),
    }[words[0]]
    if len(words) == 1:
        return inner
    attention = AdditiveAttention(H, M, 5) if words[1] == "additive" else MultiplicativeAttention(H, M, words[1])
    return BahdanauCell(inner, attention) if words[2] == "bahdanau" else LuongCell(inner, attention, "fed" in words[2])


def tree_of(ref, cell):
    """Our params of flat names: {"cell.W_xh": …} as {"cell": {"W_xh": …}}."""
    tree = {"cell": {}, "attention": {}} if hasattr(cell, "memory_shapes") else {}
    for name in (key.removeprefix("params.") for key in ref if key.startswith("params.")):
        place, _, key = name.rpartition(".")
        (tree[place] if place else tree)[key] = ref[f"params.{name}"]
    return tree


def numbered(ref, name):
    return tuple(ref[f"{name}{part}"] for part in range(3) if f"{name}{part}" in ref)


@pytest.mark.parametrize("name", [name for name in CELLS if "mask" in CELLS[name]])
def test_cells(name):
    ref = CELLS[name]
    memory = ref.get("params.memory")
    D, H = ref["xs"].shape[2], ref["hs"].shape[2]
    layer = Recurrent(cell_of(name.split(", ")[:-1], D, H, memory.shape[2] if memory is not None else 0))
    params = tree_of(ref, layer.cell)
    beside = {} if memory is None else {"memory_mask": ref["memory_mask"].astype(bool)}
    mask = ref["mask"].astype(bool)
    hs, final, cache = layer.forward({**params, **beside}, ref["xs"], numbered(ref, "state"), mask)
    dxs, dstate, grads = layer.backward({**params, **beside}, ref["dhs"], cache, numbered(ref, "dfinal"))
    ours = {
        "hs": hs, **{f"final{part}": array for part, array in enumerate(final)}, "grad xs": dxs,
        **{f"grad state{part}": array for part, array in enumerate(dstate)},
        **{f"grad params.{path}": array for path, array in leaves(grads)},
    }
    assert {key for key in ref if key.startswith(("hs", "final", "grad"))} == set(ours)
    for key, array in ours.items():
        np.testing.assert_allclose(array, ref[key], rtol=0, atol=CLOSE, err_msg=key)


def test_dot_products_of_all_queries_at_once():
    ref = CELLS["scaled_dot_product_attention"]
    M = ref["queries"].shape[2]
    layer = AttentionLayer(MultiplicativeAttention(M, M, "dot"))
    contexts, cache = layer.forward({}, ref["queries"], ref["memory"], memory_mask=ref["memory_mask"].astype(bool))
    dqueries, dmemory, _ = layer.backward({}, ref["dcontexts"], cache)
    for key, array in {"contexts": contexts, "grad queries": dqueries, "grad memory": dmemory}.items():
        np.testing.assert_allclose(array, ref[key], rtol=0, atol=CLOSE, err_msg=key)
