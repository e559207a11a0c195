"""The field's tasks with a long lag: places and chances, a solver by hand, and what one gets without a memory."""

import numpy as np
import pytest

from rnn_from_scratch.data import (
    ORDER_6A_SYMBOLS,
    ORDER_SYMBOLS,
    adding_data,
    copying_data,
    temporal_order_6a_data,
    temporal_order_data,
)
from rnn_from_scratch.losses import softmax_cross_entropy
from rnn_from_scratch.validate import ArgumentError


def uniform(values, expected):
    """Whether whole numbers are drawn from exactly these, with equal chance: chi-square below mean + 5 deviations."""
    expected = list(expected)
    found, counts = np.unique(values, return_counts=True)
    assert found.tolist() == expected
    share, freedom = np.size(values) / len(expected), len(expected) - 1
    assert ((counts - share) ** 2 / share).sum() <= freedom + 5 * np.sqrt(2 * freedom)


def best_loss(seen, classes, N_classes):
    """The least cross-entropy of a model that knows `seen` alone: the entropy of the class, given it."""
    counts = np.zeros((int(seen.max()) + 1, N_classes))
    np.add.at(counts, (seen, classes), 1.0)
    p = counts / counts.sum(axis=1, keepdims=True).clip(1)
    return float(-(counts * np.log(np.where(p > 0, p, 1.0))).sum() / counts.sum())


@pytest.mark.parametrize("T", [2, 3, 11, 20])
def test_adding_data_marks_one_number_in_each_half(T):
    xs, targets = adding_data(rng=np.random.default_rng(0), T=T, N=200)
    places = [set(), set()]
    for n in range(200):
        marked = [t for t in range(T) if xs[t, n, 1] == 1.0]
        assert len(marked) == 2
        assert marked[0] < T // 2 <= marked[1]
        assert [xs[t, n, 1] for t in range(T) if t not in marked] == [0.0] * (T - 2)
        assert targets[n, 0] == xs[marked[0], n, 0] + xs[marked[1], n, 0]
        for half, t in zip(places, marked, strict=True):
            half.add(t)
    assert places == [set(range(T // 2)), set(range(T // 2, T))]  # every step is marked now and then
    again, _ = adding_data(rng=np.random.default_rng(0), T=T, N=200)
    np.testing.assert_array_equal(xs, again)


def test_adding_data_is_uniform_and_the_constant_answer_has_the_error_it_says():
    xs, targets = adding_data(rng=np.random.default_rng(0), T=10, N=20000)
    assert xs[:, :, 0].min() >= 0.0
    assert xs[:, :, 0].max() < 1.0
    np.testing.assert_allclose([xs[:, :, 0].mean(), xs[:, :, 0].var()], [1 / 2, 1 / 12], atol=1e-3)
    assert ((targets - 1.0) ** 2).mean() == pytest.approx(2 / 12, abs=0.003)
    first_half = xs[:5].prod(axis=2).sum(axis=0)[:, None]  # the first number alone: half the variance is left
    assert ((targets - first_half - 0.5) ** 2).mean() == pytest.approx(1 / 12, abs=0.003)


@pytest.mark.parametrize(("choices", "message"), [
    ({"T": 1}, r"T is 1\b.*at least 2.*each half holds a mark"),
    ({"T": 0}, "T is 0"), ({"N": 0}, "N is 0"), ({"T": 4.0}, "T is 4.0"), ({"rng": 0}, "rng"),
])
def test_adding_data_refuses(choices, message):
    with pytest.raises(ArgumentError, match=f"(?s)adding_data: {message}"):
        adding_data(**{"rng": np.random.default_rng(0), "T": 4, "N": 2, **choices})


# Temporal order


@pytest.mark.parametrize("T", [10, 20, 25, 100, 200])
def test_the_letters_stand_in_their_tenths(T):
    xs, targets = temporal_order_data(rng=np.random.default_rng(0), T=T, N=4000)
    assert xs.shape == (T, 4000, 6)
    assert ORDER_SYMBOLS == "ABcdef"
    assert np.isin(xs, (0.0, 1.0)).all()
    np.testing.assert_array_equal(xs.sum(axis=2), 1.0)
    symbols = xs.argmax(axis=2)
    places = np.argwhere((symbols < 2).T)  # sequence by sequence, in time's order
    np.testing.assert_array_equal(places[:, 0], np.repeat(np.arange(4000), 2))
    first, second = places[::2, 1], places[1::2, 1]
    uniform(first, range(T // 10, T // 10 + T // 10))
    uniform(second, range(T // 2, T // 2 + T // 10))
    rows = np.arange(4000)
    one, other = symbols[first, rows], symbols[second, rows]
    words = ["AB"[a] + "AB"[b] for a, b in zip(one, other, strict=True)]
    assert [["AA", "AB", "BA", "BB"].index(word) for word in words] == targets.tolist()
    uniform(targets, range(4))
    uniform(symbols[symbols > 1], range(2, 6))
    if T >= 20:  # below there is one place for each
        assert abs(np.corrcoef(first, second)[0, 1]) < 0.08


def test_temporal_order_without_memory():
    xs, targets = temporal_order_data(rng=np.random.default_rng(1), T=20, N=20000)
    loss, _ = softmax_cross_entropy(np.zeros((1, 20000, 4)), targets[None])
    assert loss == pytest.approx(np.log(4), rel=1e-12)
    assert f"{np.log(4):.4f}" == "1.3863"
    assert best_loss(xs[-1].argmax(axis=1), targets, 4) == pytest.approx(np.log(4), abs=1e-3)
    second = xs[10:12].argmax(axis=2).min(axis=0)  # who forgets the first letter is left with two classes
    assert best_loss(second, targets, 4) == pytest.approx(np.log(2), abs=1e-3)


def test_temporal_order_of_1997():
    xs, targets, mask = temporal_order_6a_data(rng=np.random.default_rng(0), N=6000)
    assert (xs.shape, mask.shape) == ((110, 6000, 8), (110, 6000))
    assert ORDER_6A_SYMBOLS == "EBXYabcd"
    np.testing.assert_array_equal(xs.sum(axis=2), mask)
    lengths = mask.sum(axis=0)
    np.testing.assert_array_equal(mask, np.arange(110)[:, None] < lengths)
    uniform(lengths, range(100, 111))
    firsts, seconds = [], []
    for n in range(6000):
        word = "".join(ORDER_6A_SYMBOLS[k] for k in xs[: lengths[n], n].argmax(axis=1))
        assert word[0] + word[-1] == "EB"
        assert set(word[1:-1]) <= set("XYabcd")
        t1, t2 = (t for t, letter in enumerate(word, 1) if letter in "XY")  # steps from 1; exactly two
        assert targets[n] == ["XX", "XY", "YX", "YY"].index(word[t1 - 1] + word[t2 - 1])
        firsts.append(t1)
        seconds.append(t2)
    uniform(firsts, range(10, 21))
    uniform(seconds, range(50, 61))
    uniform(targets, range(4))
    uniform(xs[:9].argmax(axis=2)[1:], range(4, 8))
    assert best_loss(xs[lengths - 1, np.arange(6000)].argmax(axis=1), targets, 4) == pytest.approx(np.log(4), abs=2e-3)


# Copying memory


@pytest.mark.parametrize(("T", "symbols", "length"), [(100, 8, 10), (1, 8, 10), (2, 3, 1), (7, 1, 4)])
def test_what_is_to_be_copied(T, symbols, length):
    xs, targets, answers = copying_data(rng=np.random.default_rng(0), T=T, N=500, symbols=symbols, length=length)
    steps = T + 2 * length
    assert (xs.shape, targets.shape, answers.shape) == ((steps, 500, symbols + 2), (steps, 500), (steps, 500))
    np.testing.assert_array_equal(xs.sum(axis=2), 1.0)
    read = xs.argmax(axis=2)
    blank, delimiter = symbols, symbols + 1
    uniform(read[:length], range(symbols))
    assert (read[length : length + T - 1] == blank).all()
    assert (read[length + T - 1] == delimiter).all()
    assert (read[length + T :] == blank).all()
    assert (targets[: T + length] == blank).all()
    for n in range(500):  # a solver: blanks until the delimiter, then what was read
        said, memory, asked = [], [], False
        for symbol in read[:, n]:
            said.append(memory.pop(0) if asked else blank)
            memory += [symbol] if symbol < symbols else []
            asked |= symbol == delimiter
        assert said == targets[:, n].tolist()
    np.testing.assert_array_equal(answers, (np.arange(steps) >= T + length)[:, None] & np.ones(500, bool))


@pytest.mark.parametrize("T", [1, 100, 500])
def test_copying_without_memory_has_the_papers_baseline(T):
    _, targets, answers = copying_data(rng=np.random.default_rng(0), T=T, N=400)
    logits = np.full((T + 20, 400, 9), -1e4)
    logits[: T + 10, :, 8] = 0.0  # blank until the delimiter
    logits[T + 10 :, :, :8] = 0.0  # then any of the eight
    assert softmax_cross_entropy(logits, targets)[0] == pytest.approx(10 * np.log(8) / (T + 20), rel=1e-12)
    assert softmax_cross_entropy(logits, targets, answers)[0] == pytest.approx(np.log(8), rel=1e-12)
    steps = np.broadcast_to(np.arange(T + 20)[:, None], targets.shape)
    assert best_loss(steps.ravel(), targets.ravel(), 9) == pytest.approx(10 * np.log(8) / (T + 20), rel=0.01)


@pytest.mark.parametrize(("task", "choices", "message"), [
    (temporal_order_data, {"T": 9}, "T is 9, expected at least 10"), (temporal_order_data, {"T": 20.0}, "T is 20.0"),
    (temporal_order_data, {"N": 0}, "N is 0"), (temporal_order_data, {"rng": 0}, "rng is 0"),
    (temporal_order_data, {"T": True}, "T is True"), (temporal_order_6a_data, {"N": -1, "T": None}, "N is -1"),
    (temporal_order_6a_data, {"rng": None, "T": None}, "rng is None"), (copying_data, {"T": 0}, "T is 0"),
    (copying_data, {"symbols": 0}, "symbols is 0"), (copying_data, {"length": "ten"}, "length is 'ten'"),
    (copying_data, {"N": np.nan}, "N is nan"),
])  # fmt: skip
def test_tasks_refuse(task, choices, message):
    arguments = {"rng": np.random.default_rng(0), "T": 20, "N": 2, **choices}
    if arguments["T"] is None:
        del arguments["T"]
    with pytest.raises(ArgumentError, match=f"(?s)^{task.__name__}: {message}"):
        task(**arguments)


@pytest.mark.parametrize("task", [temporal_order_data, copying_data, temporal_order_6a_data])
def test_a_generator_repeats(task):
    sizes = {"N": 3} if task is temporal_order_6a_data else {"N": 3, "T": 30}
    one, same, other = (task(rng=np.random.default_rng(seed), **sizes) for seed in (0, 0, 1))
    for first, second in zip(one, same, strict=True):
        np.testing.assert_array_equal(first, second)
    assert (one[0] != other[0]).any()
