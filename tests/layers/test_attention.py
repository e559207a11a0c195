"""The attention layer: T queries at once, by loops; padding on both sides; gradients; and every refusal."""

import math

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves, tree_map
from rnn_from_scratch.attention import AdditiveAttention, MultiplicativeAttention
from rnn_from_scratch.gradcheck import check_gradients
from rnn_from_scratch.layers import AttentionLayer
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError

T, S, N, Q, M = 4, 5, 3, 3, 2
LAYERS = {
    "additive": AttentionLayer(AdditiveAttention(Q, M, 6)), "general": AttentionLayer(MultiplicativeAttention(Q, M)),
    "dot": AttentionLayer(MultiplicativeAttention(Q, Q, "dot")),
}
every_layer = pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
ASKED = np.array([[1, 1, 0], [1, 0, 1], [1, 1, 0], [0, 1, 0]], bool)
MEMORY = np.array([[1, 1, 0], [1, 0, 1], [1, 1, 0], [0, 1, 0], [1, 0, 0]], bool)


def draw(layer, seed=0):
    """Return params, queries, memory and the contexts' upstream gradient."""
    rng, M = np.random.default_rng(seed), layer.attention.memory_size
    params = {name: rng.standard_normal(shape) for name, shape in layer.param_shapes().items()}
    return params, rng.standard_normal((T, N, Q)), rng.standard_normal((S, N, M)), rng.standard_normal((T, N, M))


def run(layer, params, queries, memory, dcontexts, mask=None, memory_mask=None):
    contexts, cache = layer.forward(params, queries, memory, mask, memory_mask)
    dqueries, dmemory, grads = layer.backward(params, dcontexts, cache)
    return {"contexts": contexts, "dqueries": dqueries, "dmemory": dmemory}, grads


@every_layer
@pytest.mark.parametrize("padded", [False, True])
def test_every_context_by_a_loop(layer, padded):
    params, queries, memory, _ = draw(layer)
    masks = (ASKED, MEMORY) if padded else (None, None)
    contexts, cache = layer.forward(params, queries, memory, *masks)
    keys = layer.attention.project_memory(params, memory)
    for t, n in np.ndindex(T, N):
        if padded and not ASKED[t, n]:
            assert not contexts[t, n].any()
            continue
        scores, _ = layer.attention.score(params, queries[t], keys)
        here = [s for s in range(S) if not padded or MEMORY[s, n]]
        powers = {s: math.exp(scores[s, n]) for s in here}
        expected = sum(powers[s] / sum(powers.values()) * memory[s, n] for s in here)
        np.testing.assert_allclose(contexts[t, n], expected, rtol=0, atol=1e-14)
        assert cache.attention.weights[t, :, n].sum() == pytest.approx(1.0, abs=1e-15)


@every_layer
@pytest.mark.parametrize("padded", [False, True])
def test_every_gradient(layer, padded):
    params, queries, memory, dcontexts = draw(layer, 1)
    masks = (ASKED, MEMORY) if padded else (None, None)
    found, grads = run(layer, params, queries, memory, dcontexts, *masks)

    def loss(at):
        return (dcontexts * layer.forward(at["params"], at["queries"], at["memory"], *masks)[0]).sum()

    at = {"params": params, "queries": queries, "memory": memory}
    gradients = {"params": grads, "queries": found["dqueries"], "memory": found["dmemory"]}
    report = check_gradients(loss, at, gradients, "complex")
    report.raise_if_wrong()
    assert report.worst < 1e-12


@every_layer
def test_a_padded_batch_is_each_of_its_sequences_alone(layer):
    params, queries, memory, dcontexts = draw(layer, 2)
    batch, grads = run(layer, params, queries, memory, dcontexts, ASKED, MEMORY)
    sums = tree_map(np.zeros_like, grads)
    for n in range(N):
        asked, there, one = ASKED[:, n], MEMORY[:, n], slice(n, n + 1)
        alone, own = run(layer, params, queries[asked, one], memory[there, one], dcontexts[asked, one])
        for name, here in (("contexts", asked), ("dqueries", asked), ("dmemory", there)):
            np.testing.assert_allclose(batch[name][here, one], alone[name], rtol=0, atol=1e-13, err_msg=name)
            assert not batch[name][~here, n].any()
        sums = {name: sums[name] + own[name] for name in sums}
    for name in grads:
        np.testing.assert_allclose(grads[name], sums[name], rtol=0, atol=1e-13, err_msg=name)


@every_layer
def test_padding_may_hold_anything(layer):
    params, queries, memory, dcontexts = draw(layer, 3)
    clean = run(layer, params, queries, memory, dcontexts, ASKED, MEMORY)
    spoilt = [np.where(here[..., None], array, bad) for here, array, bad in (
        (ASKED, queries, np.nan), (MEMORY, memory, np.inf), (ASKED, dcontexts, np.nan))]
    for (name, got), (_, wanted) in zip(leaves(run(layer, params, *spoilt, ASKED, MEMORY)), leaves(clean), strict=True):
        np.testing.assert_array_equal(got, wanted, err_msg=name)


@every_layer
def test_a_memory_that_is_all_padding_gives_0_and_no_nan(layer):
    params, queries, memory, dcontexts = draw(layer, 4)
    nothing = np.zeros((S, N), bool)
    found, grads = run(layer, params, queries, np.full_like(memory, np.nan), dcontexts, None, nothing)
    assert not any(array.any() for _, array in leaves([found, grads]))


@every_layer
def test_float32_stays_float32(layer):
    exact = run(layer, *draw(layer, 5), ASKED, MEMORY)
    single = tree_map(lambda array: array.astype(np.float32), list(draw(layer, 5)))
    for (name, got), (_, wanted) in zip(leaves(run(layer, *single, ASKED, MEMORY)), leaves(exact), strict=True):
        assert got.dtype == np.float32, name
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-4, err_msg=name)


@every_layer
def test_backward_twice_and_after_another_forward(layer):
    params, queries, memory, dcontexts = draw(layer, 6)
    contexts, cache = layer.forward(params, queries, memory, ASKED, MEMORY)
    first = layer.backward(params, dcontexts, cache)
    layer.forward(params, 2.0 * queries, memory[::-1])
    contexts[...] = np.nan  # the caller's to write on
    for (name, got), (_, wanted) in zip(leaves(layer.backward(params, dcontexts, cache)), leaves(first), strict=True):
        np.testing.assert_array_equal(got, wanted, err_msg=name)


# Refusals

GENERAL = LAYERS["general"]
PARAMS, QUERIES, KEPT, DCONTEXTS = draw(GENERAL, 7)
NAN = QUERIES.copy()
NAN[2, 1, 0] = np.nan
GOOD = {"params": PARAMS, "queries": QUERIES, "memory": KEPT, "mask": ASKED, "memory_mask": MEMORY}
REFUSED = {
    "missing": ({"params": {}}, ArgumentError,
                "params has the keys [], expected ['W_m'] because each parameter has its name in the equations. The "
                "attention is MultiplicativeAttention(query_size=3, memory_size=2, score_type='general')."),
    "no dictionary": ({"params": PARAMS["W_m"]}, DtypeError, "params is a ndarray, expected a dictionary of arrays."),
    "turned": ({"params": {"W_m": PARAMS["W_m"].T}}, ShapeError, "params['W_m'] has shape (3, 2), expected (2, 3)."),
    "one query": ({"queries": QUERIES[0]}, ShapeError,
                  "queries has shape (3, 3), expected (T, N, 3) because time comes first."),
    "no query": ({"queries": QUERIES[:0]}, ShapeError, "queries has shape (0, 3, 3), expected (T, N, 3) with T ≥ 1"),
    "integers": ({"queries": QUERIES.astype(int)}, DtypeError, "queries has dtype int64, expected float64 (or"),
    "memory of one": ({"memory": KEPT[:, 0]}, ShapeError,
                      "memory has shape (5, 2), expected (S, 3, 2) because there are 3 sequences of queries."),
    "memory for another N": ({"memory": KEPT[:, :1]}, ShapeError, "memory has shape (5, 1, 2), expected (S, 3, 2)"),
    "memory of another size": ({"memory": QUERIES}, ShapeError, "memory has shape (4, 3, 3), expected (S, 3, 2)"),
    "no memory": ({"memory": KEPT[:0], "memory_mask": None}, ShapeError,
                  "memory has shape (0, 3, 2), expected (S, 3, 2) with S ≥ 1 because with no steps of the memory"),
    "memory list": ({"memory": KEPT.tolist()}, DtypeError, "memory is a list, expected a NumPy array because"),
    "mask": ({"mask": MEMORY}, ShapeError, "mask has shape (5, 3), expected (4, 3) because it has one entry per time"),
    "memory mask": ({"memory_mask": ASKED}, ShapeError, "memory_mask has shape (4, 3), expected (5, 3) because"),
    "mask of ints": ({"memory_mask": MEMORY.astype(int)}, DtypeError, "memory_mask has dtype int64, expected a bool"),
    "nan": ({"queries": NAN}, ArgumentError, "queries[2, 1, 0] is nan (1 of 36 entries are not finite), expected"),
    "nan in memory": ({"memory": np.full_like(KEPT, np.inf)}, ArgumentError, "memory[0, 0, 0] is inf (16 of 30 entri"),
    "mixed": ({"memory": KEPT.astype(np.float32)}, DtypeError,
              "memory is float32 beside params.W_m of float64, expected one dtype throughout because a silent"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_forward_refuses(case):
    change, error, message = REFUSED[case]
    with pytest.raises(error) as caught:
        GENERAL.forward(**{**GOOD, **change})
    assert str(caught.value).startswith(f"AttentionLayer.forward: {message}")


REFUSED_BACK = {
    "shape": (DCONTEXTS[1:], ShapeError,
              "dcontexts has shape (3, 3, 2), expected (4, 3, 2) because it is the gradient of the contexts."),
    "list": (DCONTEXTS.tolist(), DtypeError, "dcontexts is a list, expected a NumPy array because nothing is"),
    "nan": (DCONTEXTS * np.nan, ArgumentError, "dcontexts[0, 0, 0] is nan (14 of 24 entries are not finite), expected "
            "finite numbers because one NaN spreads to every parameter in a single update. Did the loss diverge?"),
    "mixed": (DCONTEXTS.astype(np.float32), DtypeError, "dcontexts is float32 beside params.W_m of float64, expected"),
}


@pytest.mark.parametrize("case", REFUSED_BACK)
def test_backward_refuses(case):
    dcontexts, error, message = REFUSED_BACK[case]
    _, cache = GENERAL.forward(**GOOD)
    with pytest.raises(error) as caught:
        GENERAL.backward(PARAMS, dcontexts, cache)
    assert str(caught.value).startswith(f"AttentionLayer.backward: {message}")


def test_backward_refuses_what_is_not_the_layers_cache_or_params():
    _, cache = GENERAL.forward(**GOOD)
    with pytest.raises(DtypeError, match=r"^AttentionLayer\.backward: cache is a AttentionCache, expected the "
                                         r"AttentionLayerCache that forward returned"):
        GENERAL.backward(PARAMS, DCONTEXTS, cache.attention)
    with pytest.raises(ArgumentError, match=r"^AttentionLayer\.backward: params has the keys \['v'\], expected"):
        GENERAL.backward({"v": PARAMS["W_m"]}, DCONTEXTS, cache)


@pytest.mark.parametrize("wrong", ["dot", AdditiveAttention, GENERAL], ids=["word", "class", "layer"])
def test_what_is_no_attention_is_refused(wrong):
    with pytest.raises(DtypeError) as caught:
        AttentionLayer(wrong)
    expected = "expected AdditiveAttention(…) or MultiplicativeAttention(…)."
    assert str(caught.value) == f"AttentionLayer: attention is {wrong!r:.60}, {expected}"


def test_sizes_and_starts_are_the_attentions():
    attention = AdditiveAttention(Q, M, 6)
    assert AttentionLayer(attention).param_shapes() == attention.param_shapes()
    params, own = (part.init_params(rng=np.random.default_rng(0)) for part in (AttentionLayer(attention), attention))
    for name in own:
        np.testing.assert_array_equal(params[name], own[name])
