"""Claim C11: the task leaks nothing, the networks are equal and right, the race is fair, the verdict counts."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from rnn_from_scratch.arrays import global_norm, leaves, tree_map
from rnn_from_scratch.article.claims import c11
from rnn_from_scratch.article.claims.c11_models import AttentionReader, Truncated
from rnn_from_scratch.attention import AdditiveAttention
from rnn_from_scratch.cells import RNNCell
from rnn_from_scratch.gradcheck import check_gradients
from rnn_from_scratch.layers import AttentionLayer, Recurrent
from rnn_from_scratch.models import SequenceModel, truncated_bptt
from rnn_from_scratch.validate import ArgumentError

SAVED = json.loads(
    (Path(__file__).parents[2] / "benchmarks" / "results" / "claim_c11.json").read_text(encoding="utf-8")
)


def test_the_task_marks_one_symbol_at_a_random_place():
    xs, symbols = c11.draw(7, 4000, np.random.default_rng(0))
    assert xs.shape == (11, 4000, 5)
    assert xs.dtype == np.float32
    np.testing.assert_array_equal(xs[..., :4].sum(axis=2), 1)
    marks = xs[..., 4]
    np.testing.assert_array_equal(marks.sum(axis=0), 1)
    at = marks.argmax(axis=0)
    assert np.unique(at).tolist() == [0, 1, 2, 3]  # 10 to 7 steps before the last
    assert np.bincount(at).min() > 900
    np.testing.assert_array_equal(symbols, xs[at, np.arange(4000), :4].argmax(axis=1))
    letters = xs[..., :4].argmax(axis=2)
    for t in range(11):  # a place where nothing is marked tells nothing
        agree = (letters[t] == symbols)[at != t].mean()
        assert agree == pytest.approx(1 / 4, abs=0.03)


def test_all_kinds_have_about_2000_parameters():
    counts = {kind: c11.parameters(kind) for kind in c11.KINDS}
    assert max(counts.values()) < 1.03 * min(counts.values())
    assert counts["RNN"] == 5 * 40 + 40 * 40 + 40 + 40 * 4 + 4 == 2004
    with pytest.raises(ArgumentError, match="kind"):
        c11.parameters("Transformer")


def small_reader(rng):
    reader = AttentionReader(Recurrent(RNNCell(5, 3)), AttentionLayer(AdditiveAttention(3, 3, 2)), 4)
    params = tree_map(lambda array: array + 0.3 * rng.standard_normal(array.shape), reader.init_params(rng=rng))
    xs, symbols = c11.draw(4, 6, rng)
    return reader, params, xs.astype(float) + 0.1 * rng.standard_normal(xs.shape), symbols


def test_the_readers_gradient_is_right_and_it_reads_by_attention():
    rng = np.random.default_rng(0)
    reader, params, xs, symbols = small_reader(rng)
    loss, grads, (last,) = reader.loss_and_grads(params, xs, symbols)
    check_gradients(lambda p: reader.loss_and_grads(p, xs, symbols)[0], params, grads).raise_if_wrong()
    chances = reader.predict(params, xs)
    np.testing.assert_allclose(loss, -np.log(chances[np.arange(6), symbols]).mean(), rtol=1e-12)
    hs, _, _ = reader.recurrent.forward(params["recurrent"], xs)
    np.testing.assert_array_equal(last, hs[-1])
    attention = params["attention"]
    scores = np.tanh(hs[-1] @ attention["W_q"] + hs @ attention["W_m"]) @ attention["v"]
    weights = np.exp(scores) / np.exp(scores).sum(axis=0)
    read = np.concatenate([(weights[..., None] * hs).sum(axis=0), hs[-1]], axis=1)
    logits = read @ params["output"]["W_hy"] + params["output"]["b_y"]
    np.testing.assert_allclose(chances, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), rtol=1e-12)


def test_truncated_is_the_last_window_of_truncated_backpropagation():
    rng = np.random.default_rng(1)
    xs, symbols = c11.draw(4, 6, rng)
    xs = xs.astype(float)
    one, many = (SequenceModel(Recurrent(RNNCell(5, 3)), 4, outputs=f"many-to-{end}") for end in ("one", "many"))
    params = one.init_params(rng=rng)
    T = len(xs)
    targets, counted = np.zeros((T, 6), int), np.zeros((T, 6), bool)
    targets[-1], counted[-1] = symbols, True
    found = list(truncated_bptt(many, params, xs, targets, 1, 3, target_mask=counted))[-1]
    loss, grads, _ = Truncated(one, 3).loss_and_grads(params, xs, symbols)
    assert loss == pytest.approx(found.loss, rel=1e-12)
    for (name, mine), (_, theirs) in zip(leaves(grads), leaves(found.grads), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9, atol=1e-15, err_msg=name)
    whole = one.loss_and_grads(params, xs, symbols)
    for steps in (T, T + 3):
        loss, grads, _ = Truncated(one, steps).loss_and_grads(params, xs, symbols)
        np.testing.assert_array_equal(grads["recurrent"]["W_hh"], whole[1]["recurrent"]["W_hh"])
    np.testing.assert_array_equal(Truncated(one, 3).predict(params, xs), one.predict(params, xs))
    assert c11.KINDS["LSTM (truncated)"].model(50).steps == c11.KINDS["RNN (truncated)"].model(50).steps == 25


def test_the_chrono_start_is_told_the_lag_and_the_others_nothing():
    for kind, choices in c11.KINDS.items():
        _, params = c11.start(kind, 60, np.random.default_rng(0))
        assert all(array.dtype == np.float32 for _, array in leaves(params))
        if kind.startswith(("LSTM", "GRU")):
            H = len(params["recurrent"]["W_hh"])
            keeps = params["recurrent"]["b_h"][H : 2 * H]
            assert choices.chrono == ("forget bias 1" not in kind)
            assert (50 < 1 + np.exp(keeps.max()) <= 90) if choices.chrono else (keeps == 1).all()


def fake_clock(monkeypatch, step=1.0):
    ticks = itertools.count(0.0, step)
    monkeypatch.setattr(c11, "clock", lambda: next(ticks))


def test_a_race_gives_equal_seconds_and_the_same_sequences(monkeypatch):
    fake_clock(monkeypatch)
    seen = []
    training = c11.training

    def slow(kind, rate, lag, seed):
        for spent, *rest in training(kind, rate, lag, seed):
            seen.append(kind)
            yield (3.0 * spent if kind == "RNN" else spent, *rest)

    monkeypatch.setattr(c11, "training", slow)
    monkeypatch.setattr(c11, "ENOUGH", 0.0)
    entries = {"a": ("RNN", 0.003), "b": ("LSTM (forget bias 1)", 0.003)}
    found = c11.race(6, entries, seconds=12.0, seed=0)
    assert {label: (row.seconds, row.updates) for label, row in found.items()} == {"a": (12.0, 4), "b": (12.0, 12)}
    assert seen[:5] == ["RNN", *3 * ["LSTM (forget bias 1)"], "RNN"]  # a tie goes to the first
    drawn = []
    draw = c11.draw
    monkeypatch.setattr(c11, "draw", lambda lag, N, rng: drawn.append(draw(lag, N, rng)[0]) or draw(lag, N, rng))
    for kind in c11.KINDS:
        run = training(kind, 0.003, 6, 0)
        next(run), next(run)
    for xs, first in zip(drawn, itertools.cycle(drawn[:2]), strict=False):
        np.testing.assert_array_equal(xs, first)


def test_the_gradient_is_clipped_but_for_plain_descent(monkeypatch):
    norms = {}
    for rule in (c11.Adam, c11.GradientDescent):

        def noted(self, params, grads, state, update=rule.update):
            norms.setdefault(type(self).__name__, []).append(global_norm(grads))
            return update(self, params, grads, state)

        monkeypatch.setattr(rule, "update", noted)
    steep = c11.KINDS["RNN"]._replace(clip=0.01)
    monkeypatch.setitem(c11.KINDS, "RNN", steep)
    for kind in ("RNN", "RNN (gradient descent)"):
        run = c11.training(kind, 0.003, 6, 0)
        for _ in range(5):
            next(run)
    assert max(norms["Adam"]) <= 0.01 * (1 + 1e-6)
    assert min(norms["GradientDescent"]) > 0.01
    assert {kind: choices.clip for kind, choices in c11.KINDS.items() if choices is not steep} == {
        kind: None if "descent" in kind else 1.0 for kind in c11.KINDS if kind != "RNN"}


def test_the_test_is_on_other_sequences_than_the_training(monkeypatch):
    drawn = []
    draw = c11.draw

    def noted(lag, N, rng):
        found = draw(lag, N, rng)
        drawn.append(found[0])
        return found

    monkeypatch.setattr(c11, "draw", noted)
    fake_clock(monkeypatch)
    c11.race(12, {"a": ("RNN", 0.003)}, seconds=3.0, seed=0)
    assert [xs.shape[1] for xs in drawn] == [16, 16, 16, 500]
    sequences = [sequence.tobytes() for xs in drawn for sequence in xs.swapaxes(0, 1)]
    assert len(set(sequences)) == len(sequences)


def test_attention_learns_what_the_plain_rnn_does_not(monkeypatch):
    fake_clock(monkeypatch, 2.0**-10)  # so long is an update, whatever the machine does
    kinds = ("RNN", "RNN with attention")
    found = c11.run(seeds=(0, 1), tuning_seeds=(100,), lags=(20,), kinds=kinds, seconds=300 / 1024)
    rnn, attention = (found["kinds"][kind] for kind in kinds)
    assert attention["learned"] == [2]
    assert rnn["learned"] == [0]
    assert rnn["updates"] == [[300, 300]]
    assert max(attention["updates"][0]) < 300  # it ends when it has learned
    assert max(rnn["accuracy"][0]) < 0.5
    assert attention["interval"] == [[0.3424, 1.0]]
    assert set(rnn["tuning"][0]) == {"0.003", "0.01"}
    assert found["parameters"] == {"RNN": 2004, "RNN with attention": 1991}
    assert found["verdict"] == c11.verdict(found)


def test_what_is_not_finite_has_learned_nothing():
    with np.errstate(all="ignore"):
        found = c11.race(5, {"a": ("RNN (gradient descent)", 1e38)}, seconds=1.0, seed=0)["a"]
    assert found.accuracy == 0.25
    assert not found.learned


def test_the_best_rate_teaches_most_then_fastest_then_nearest(monkeypatch):
    def rows(first, second):
        return {"RNN at 0.003": c11.Outcome(*first), "RNN at 0.01": c11.Outcome(*second)}

    def best(*found):
        races = iter(found)
        monkeypatch.setattr(c11, "race", lambda *_, **__: next(races))
        return c11.best_rates(25, ("RNN",), range(len(found)), 3.0)["RNN"][0]

    fast, slow, not_learned, worse = (1.0, 9, 0.95), (2.0, 9, 1.0), (3.0, 9, 0.8), (3.0, 9, 0.5)
    assert best(rows(slow, fast)) == 0.01
    assert best(rows(fast, slow), rows(slow, fast), rows(fast, not_learned)) == 0.003
    assert best(rows(worse, not_learned)) == 0.01


def test_the_verdict_compares_with_the_plain_rnn():
    def row(*learned):
        return {"learned": list(learned)}

    result = {
        "lags": [12, 25, 50], "seeds": [0, 1, 2, 3, 4], "seconds": 3.0,
        "kinds": {"RNN": row(4, 3, 5), "A": row(5, 5, 1), "B": row(4, 0, 0), "C": row(3, 5, 5)},
    }
    assert c11.reach(result, "RNN") == 12
    assert c11.verdict(result) == (
        "Holds in part. At equal parameters and 3 CPU seconds: longer lags than the RNN with Adam: A; the same: B; "
        "shorter ones: C. Longest lag, of 12 to 50, up to which at least 4 of 5 seeds learned it (in brackets: how "
        "many of 15 runs at all lags did): RNN 12 (12), A 25 (11), B 12 (4), C none (13)."
    )
    result["kinds"] = {"RNN": row(5, 5, 5), "B": row(4, 0, 0)}
    assert c11.verdict(result).startswith("Does not hold. ")
    result["kinds"] = {"RNN": row(5, 0, 0), "A": row(5, 5, 1)}
    assert c11.verdict(result).startswith("Holds. ")


def test_saved_the_race_was_equal_and_the_verdict_is_that_of_its_figures():
    assert SAVED["verdict"] == c11.verdict(SAVED)
    assert list(SAVED["kinds"]) == list(c11.KINDS)
    assert SAVED["lags"] == list(c11.LAGS)
    assert (SAVED["seeds"], SAVED["tuning_seeds"], SAVED["seconds"]) == ([0, 1, 2, 3, 4], [100], c11.SECONDS)
    assert SAVED["parameters"] == {kind: c11.parameters(kind) for kind in c11.KINDS}
    assert SAVED["machine"]["blas_threads"] == 1
    for kind, rows in SAVED["kinds"].items():
        assert all(len(rows[key]) == len(c11.LAGS) for key in c11.KEYS)
        for column in range(len(c11.LAGS)):
            assert rows["learned"][column] == sum(value >= 0.9 for value in rows["accuracy"][column])
            assert rows["rate"][column] in c11.KINDS[kind].rates
            for seconds, accuracy in zip(rows["seconds"][column], rows["accuracy"][column], strict=True):
                assert 0 < seconds < 1.2 * c11.SECONDS
                assert seconds >= c11.SECONDS or accuracy > 0.8  # it ended early because it had learned


def test_saved_what_holds_and_what_does_not():
    reaches = {kind: c11.reach(SAVED, kind) for kind in c11.KINDS}
    assert min(reaches["LSTM (chrono start)"], reaches["GRU (chrono start)"]) >= 100
    assert reaches["RNN with attention"] == reaches["LSTM (forget bias 1)"] == 25
    assert SAVED["kinds"]["RNN with attention"]["learned"] == [5, 5, 3, 5, 5, 1]
    assert reaches["LSTM (truncated)"] == reaches["RNN (truncated)"] == 0
    assert reaches["RNN"] < 25
