"""Attention: scores by the papers' formulas, weights that are 0 on padding, contexts, gradients, and the refusals."""

import math

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves, tree_map
from rnn_from_scratch.attention import (
    AdditiveAttention,
    MultiplicativeAttention,
    attend,
    attend_backward,
    attend_grads,
    masked_softmax,
    stack_queries,
)
from rnn_from_scratch.gradcheck import check_gradients
from rnn_from_scratch.validate import ArgumentError, DtypeError

T, S, N, Q, M, A = 4, 5, 3, 3, 2, 6
SCORES = {
    "additive": AdditiveAttention(Q, M, A), "general": MultiplicativeAttention(Q, M),
    "dot": MultiplicativeAttention(Q, Q, "dot"),
}
every_score = pytest.mark.parametrize("score", SCORES.values(), ids=SCORES)
MASK = np.array([[1, 1, 0], [1, 0, 1], [1, 1, 0], [0, 1, 0], [1, 0, 0]], bool)  # sequence 2 has one step to look at


def draw(score, seed=0):
    """Return params, T queries and the memory."""
    rng = np.random.default_rng(seed)
    params = {name: rng.standard_normal(shape) for name, shape in score.param_shapes().items()}
    return params, rng.standard_normal((T, N, Q)), rng.standard_normal((S, N, score.memory_size))


def attended(score, params, queries, memory, mask=None):
    return attend(score, params, queries, score.project_memory(params, memory), memory, mask)


def by_loops(score, params, query, memory):
    """One query over one sequence's memory, one number at a time; returns the weights and the context."""
    def one_score(m):
        if isinstance(score, AdditiveAttention):  # Bahdanau et al. (2015), A.1.2: vᵀ tanh(W_a s + U_a h), columns
            W_a, U_a = params["W_q"].T, params["W_m"].T
            hidden = [sum(W_a[a, i] * query[i] for i in range(Q)) + sum(U_a[a, j] * m[j] for j in range(len(m)))
                      for a in range(A)]
            return sum(params["v"][a] * math.tanh(hidden[a]) for a in range(A))
        W_a = params["W_m"].T if "W_m" in params else np.eye(Q)  # Luong et al. (2015), §3.1: h_tᵀ W_a h_s
        return sum(query[i] * W_a[i, j] * m[j] for i in range(Q) for j in range(len(m)))

    powers = [math.exp(one_score(m)) for m in memory]
    weights = [power / sum(powers) for power in powers]
    return weights, [sum(w * m[j] for w, m in zip(weights, memory, strict=True)) for j in range(memory.shape[1])]


@every_score
@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "padded"])
def test_weights_and_contexts_are_the_papers_by_loops(score, mask):
    params, queries, memory = draw(score)
    contexts, cache = attended(score, params, queries, memory, mask)
    for t, n in np.ndindex(T, N):
        here = slice(None) if mask is None else mask[:, n]
        weights, context = by_loops(score, params, queries[t, n], memory[here, n])
        np.testing.assert_allclose(cache.weights[t, here, n], weights, rtol=1e-12)
        np.testing.assert_allclose(contexts[t, n], context, rtol=0, atol=1e-13)


@every_score
def test_weights_sum_to_1_and_are_exactly_0_on_padding(score):
    params, queries, memory = draw(score, 1)
    _, cache = attended(score, params, 10.0 * queries, memory, MASK)
    np.testing.assert_allclose(cache.weights.sum(axis=1), np.ones((T, N)), rtol=0, atol=1e-15)
    assert (cache.weights >= 0).all()
    assert not cache.weights[:, ~MASK].any()
    assert (cache.weights[:, 1, 2] == 1.0).all()  # the only step of that memory


@every_score
def test_equal_scores_give_the_mean_of_the_memory(score):
    params, queries, memory = draw(score, 2)
    params = tree_map(np.zeros_like, params)
    contexts, cache = attended(score, params, np.zeros_like(queries) if score is SCORES["dot"] else queries, memory)
    np.testing.assert_allclose(cache.weights, np.full((T, S, N), 1 / S), rtol=1e-15)
    np.testing.assert_allclose(contexts, np.broadcast_to(memory.mean(axis=0), contexts.shape), rtol=0, atol=1e-15)
    contexts, _ = attended(score, params, 0.0 * queries, memory, MASK)
    for n in range(N):
        np.testing.assert_allclose(contexts[0, n], memory[MASK[:, n], n].mean(axis=0), rtol=0, atol=1e-15)


def test_softmax_takes_scores_of_any_size():
    scores = np.array([1e4, 1e4 - 1.0, -1e4, -745.0])[:, None]
    weights = masked_softmax(scores)[:, 0]
    assert weights.tolist() == pytest.approx([1 / (1 + math.exp(-1)), 1 / (1 + math.e), 0.0, 0.0], rel=1e-12)
    np.testing.assert_allclose(masked_softmax(scores - 1e4), masked_softmax(scores), rtol=1e-12)
    assert masked_softmax(np.full((3, 1), -1e300)).tolist() == [[1 / 3]] * 3
    hidden = masked_softmax(np.array([[1e300], [2.0]]), np.array([[False], [True]]))  # what padding scores is nothing
    assert hidden.tolist() == [[0.0], [1.0]]


@every_score
def test_a_memory_that_is_all_padding_has_the_context_0_and_gradients_0(score):
    params, queries, memory = draw(score, 3)
    mask = MASK.copy()
    mask[:, 1] = False
    contexts, cache = attended(score, params, queries, memory, mask)
    assert not contexts[:, 1].any()
    assert not cache.weights[:, :, 1].any()
    dqueries, delta = attend_backward(score, params, np.ones_like(contexts), memory, cache)
    dmemory, grads = attend_grads(score, params, memory, cache, delta)
    assert not dqueries[:, 1].any()
    assert not dmemory[:, 1].any()
    assert not dmemory[~mask].any()
    others = [0, 2]  # the rest of the batch does not notice
    alone, alone_cache = attended(score, params, queries[:, others], memory[:, others], mask[:, others])
    np.testing.assert_array_equal(contexts[:, others], alone)
    dqueries_alone, delta_alone = attend_backward(score, params, np.ones_like(alone), memory[:, others], alone_cache)
    _, grads_alone = attend_grads(score, params, memory[:, others], alone_cache, delta_alone)
    np.testing.assert_allclose(dqueries[:, others], dqueries_alone, rtol=0, atol=1e-14)
    for name in grads:
        np.testing.assert_allclose(grads[name], grads_alone[name], rtol=0, atol=1e-13)


@every_score
def test_the_order_of_the_memory_is_nothing_to_attention(score):
    params, queries, memory = draw(score, 4)
    contexts, cache = attended(score, params, queries, memory, MASK)
    order = [3, 0, 4, 1, 2]
    mixed, mixed_cache = attended(score, params, queries, memory[order], MASK[order])
    np.testing.assert_allclose(mixed, contexts, rtol=0, atol=1e-14)
    np.testing.assert_allclose(mixed_cache.weights, cache.weights[:, order], rtol=0, atol=1e-15)


def test_luongs_concat_is_the_additive_score():
    """v_aᵀ tanh(W_a [h_t; h_s]) with one matrix: its columns are W_q's and then W_m's."""
    score = SCORES["additive"]
    params, queries, memory = draw(score, 5)
    W_a = np.vstack([params["W_q"], params["W_m"]]).T  # (A, Q + M)
    scores, _ = score.score(params, queries[0], score.project_memory(params, memory))
    for s, n in np.ndindex(S, N):
        joined = np.concatenate([queries[0, n], memory[s, n]])
        assert scores[s, n] == pytest.approx(params["v"] @ np.tanh(W_a @ joined), rel=1e-12)


def test_general_with_the_identity_is_dot():
    _, queries, memory = draw(SCORES["dot"], 6)
    dot, _ = attended(SCORES["dot"], {}, queries, memory, MASK)
    general, _ = attended(MultiplicativeAttention(Q, Q), {"W_m": np.eye(Q)}, queries, memory, MASK)
    np.testing.assert_array_equal(dot, general)


# Gradients


@every_score
@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "padded"])
def test_every_gradient(score, mask):
    params, queries, memory = draw(score, 7)
    at = {"params": params, "queries": queries, "memory": memory}
    contexts, cache = attended(score, params, queries, memory, mask)
    dcontexts = np.random.default_rng(8).standard_normal(contexts.shape)
    dqueries, delta = attend_backward(score, params, dcontexts, memory, cache)
    dmemory, grads = attend_grads(score, params, memory, cache, delta)
    report = check_gradients(
        lambda tree: (dcontexts * attended(score, tree["params"], tree["queries"], tree["memory"], mask)[0]).sum(),
        at, {"params": grads, "queries": dqueries, "memory": dmemory}, "complex",
    )
    report.raise_if_wrong()
    assert report.worst < 1e-12
    assert len(report.rows) == len(params) + 2


@every_score
def test_one_query_at_a_time_and_stacked_is_all_at_once(score):
    params, queries, memory = draw(score, 9)
    keys = score.project_memory(params, memory)
    dcontexts = np.random.default_rng(10).standard_normal((T, N, score.memory_size))
    contexts, cache = attend(score, params, queries, keys, memory, MASK)
    dqueries, delta = attend_backward(score, params, dcontexts, memory, cache)
    caches, deltas = [], []
    for t in range(T):
        context, one = attend(score, params, queries[t], keys, memory, MASK)
        dquery, one_delta = attend_backward(score, params, dcontexts[t], memory, one)
        np.testing.assert_allclose(context, contexts[t], rtol=0, atol=1e-14)
        np.testing.assert_allclose(dquery, dqueries[t], rtol=0, atol=1e-14)
        caches.append(one)
        deltas.append(one_delta)
    stacked = attend_grads(score, params, memory, *stack_queries(caches, deltas))
    at_once = attend_grads(score, params, memory, cache, delta)
    for (name, got), (_, expected) in zip(leaves(stacked), leaves(at_once), strict=True):
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-13, err_msg=name)


@every_score
def test_float32_stays_float32(score):
    params, queries, memory = draw(score, 11)
    exact, _ = attended(score, params, queries, memory, MASK)
    params, queries, memory = tree_map(lambda array: array.astype(np.float32), [params, queries, memory])
    contexts, cache = attended(score, params, queries, memory, MASK)
    dqueries, delta = attend_backward(score, params, np.ones_like(contexts), memory, cache)
    dmemory, grads = attend_grads(score, params, memory, cache, delta)
    for name, array in leaves([contexts, cache.weights, dqueries, dmemory, grads]):
        assert array.dtype == np.float32, name
    np.testing.assert_allclose(contexts, exact, rtol=0, atol=1e-5)


# Starts and refusals


@every_score
def test_a_start_is_drawn_from_one_generator(score):
    params, again, single = (score.init_params(rng=np.random.default_rng(0), dtype=dtype)
                             for dtype in (np.float64, np.float64, np.float32))
    assert {name: array.shape for name, array in params.items()} == dict(score.param_shapes())
    for name, array in params.items():
        np.testing.assert_array_equal(array, again[name])
        assert single[name].dtype == np.float32
        shape = array.shape if array.ndim == 2 else (*array.shape, 1)  # v is a matrix to one output
        limit = math.sqrt(6 / sum(shape))
        assert 0.3 * limit < np.abs(array).max() <= limit
    with pytest.raises(DtypeError, match=r"rng is 7, expected a numpy\.random\.Generator"):
        score.init_params(rng=7)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AdditiveAttention(0, 2, 3), "AdditiveAttention: query_size is 0, expected a whole number of at least"),
        (lambda: AdditiveAttention(3, 2.0, 3), "AdditiveAttention: memory_size is 2.0, expected a whole number of at"),
        (lambda: AdditiveAttention(3, 2, True), "AdditiveAttention: attention_size is True, expected a whole number"),
        (lambda: MultiplicativeAttention(-1, 2), "MultiplicativeAttention: query_size is -1, expected a whole number"),
        (lambda: MultiplicativeAttention(3, None), "MultiplicativeAttention: memory_size is None, expected a whole"),
        (lambda: MultiplicativeAttention(3, 2, "concat"),
         "MultiplicativeAttention: score_type is 'concat', expected one of 'general', 'dot'."),
        (lambda: MultiplicativeAttention(3, 2, "dot"),
         'MultiplicativeAttention: query_size=3 with memory_size=2, expected equal sizes for score_type="dot" because '
         'a dot product needs two vectors of one length. score_type="general" puts a matrix between them.'),
    ],
)
def test_what_is_refused(make, message):
    with pytest.raises(ArgumentError) as caught:
        make()
    assert str(caught.value).startswith(message)
