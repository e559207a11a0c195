"""Every number of the lamp and of the laugh, recomputed without the package's backward and compared as printed."""

import numpy as np
import pytest

from rnn_from_scratch.activations import softmax
from rnn_from_scratch.cells import RNNCell
from rnn_from_scratch.data import (
    article_data,
    fading_sum_data,
    lamp,
    laugh,
    laugh_letters,
    pad_sequences,
    recall_data,
)
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.losses import softmax_cross_entropy
from rnn_from_scratch.models import SequenceModel, truncated_bptt
from rnn_from_scratch.optim import GradientDescent
from rnn_from_scratch.validate import ArgumentError

LN2 = np.log(2.0)


def printed(computed, digits, places=6):
    """Compare with digits as printed: half a unit of the last place."""
    np.testing.assert_allclose(np.squeeze(computed), digits, rtol=0, atol=0.5000001 * 10.0**-places)


def model(example):
    K = example.params["output"]["b_y"].size
    D, H = example.params["recurrent"]["W_xh"].shape
    return SequenceModel(Recurrent(RNNCell(D, H)), K, "regression" if K == 1 else "classification")


def by_hand(example, *, slope=None, recurrent=None, carry=1.0, carried="delta", h_for_h_prev=False, last_only=False):
    """The lamp's or the laugh's pass in plain loops, with a place for each classic mistake."""
    W_xh, W_hh, b_h = (example.params["recurrent"][name] for name in ("W_xh", "W_hh", "b_h"))
    W_hy, b_y = (example.params["output"][name] for name in ("W_hy", "b_y"))
    x, T = example.xs[:, 0], len(example.xs)
    h, a, y = {0: example.state[0][0]}, {}, {}
    for t in range(1, T + 1):
        a[t] = x[t - 1] @ W_xh + h[t - 1] @ W_hh + b_h
        h[t] = np.tanh(a[t])
        y[t] = h[t] @ W_hy + b_y
    if y[1].size == 1:
        losses = {t: (y[t] - example.targets[t - 1, 0]).item() ** 2 for t in y}
        dy = {t: 2.0 * (y[t] - example.targets[t - 1, 0]) / T for t in y}
    else:
        p = {t: np.exp(y[t]) / np.exp(y[t]).sum() for t in y}
        target = {t: example.targets[t - 1, 0] for t in y}
        losses = {t: -np.log(p[t][target[t]]) for t in y}
        dy = {t: (p[t] - np.eye(len(p[t]))[target[t]]) / T for t in y}
    slope = slope or (lambda h_prev, h: 1.0 - h**2)
    back = W_hh.T if recurrent is None else recurrent(W_hh)
    here, future, dh, delta = {}, {T: np.zeros(len(b_h))}, {}, {}
    for t in range(T, 0, -1):
        here[t] = dy[t] @ W_hy.T
        dh[t] = here[t] + carry * future[t]
        delta[t] = dh[t] * slope(h[t - 1], h[t])
        future[t - 1] = (delta[t] if carried == "delta" else dh[t]) @ back
    steps = [T] if last_only else range(1, T + 1)
    return {
        "a": a, "h": h, "y": y, "loss": sum(losses.values()) / T, "dy": dy, "here": here, "future": future, "dh": dh,
        "delta": delta, "W_xh": sum(np.outer(x[t - 1], delta[t]) for t in steps),
        "W_hh": sum(np.outer(h[t if h_for_h_prev else t - 1], delta[t]) for t in steps),
        "b_h": sum(delta[t] for t in steps), "W_hy": sum(np.outer(h[t], dy[t]) for t in steps),
        "b_y": sum(dy[t] for t in steps), "h_0": future[0],
        "x": np.array([delta[t] @ W_xh.T for t in range(1, T + 1)]),
    }


@pytest.mark.parametrize("example", [lamp(), laugh()], ids=["lamp", "laugh"])
def test_the_package_agrees_with_the_plain_loops(example):
    hand, net = by_hand(example), model(example)
    loss, grads, final_state = net.loss_and_grads(example.params, example.xs, example.targets, example.state)
    assert loss == pytest.approx(hand["loss"], rel=1e-14)
    for layer in grads.values():
        for name, grad in layer.items():
            np.testing.assert_allclose(grad, hand[name], rtol=0, atol=1e-15, err_msg=name)
    np.testing.assert_allclose(final_state[0][0], hand["h"][len(example.xs)], rtol=0, atol=1e-15)
    logits, _, cache = net.forward(example.params, example.xs, example.state)
    _, dlogits = net.loss(logits, example.targets)
    dxs, dstate, _ = net.backward(example.params, dlogits, cache)
    np.testing.assert_allclose(dxs[:, 0], hand["x"], rtol=0, atol=1e-15)
    np.testing.assert_allclose(dstate[0][0], hand["h_0"], rtol=0, atol=1e-15)


def three(hand):
    return [hand[name].item() for name in ("W_xh", "W_hh", "b_h")]


def column(values):
    return [values[t].item() for t in sorted(values)]


def test_the_lamps_forward():
    hand = by_hand(lamp())
    np.testing.assert_allclose(column(hand["a"]), [LN2, LN2, -LN2], rtol=1e-15)
    np.testing.assert_allclose(column(hand["h"]), [-0.6, 0.6, 0.6, -0.6], rtol=1e-15)
    np.testing.assert_allclose(column(hand["y"]), [1.0, 1.0, 0.0], atol=1e-15)
    assert hand["loss"] == pytest.approx(27 / 64, rel=1e-14)
    np.testing.assert_allclose(column(hand["dy"]), [0.5, 0.25, -0.5], rtol=1e-14)
    hold = 5 / 3 * LN2 * 0.6 + 2 * LN2 * 0.5 - LN2  # the fixed point
    assert np.tanh(hold) == pytest.approx(0.6, rel=1e-15)


def test_the_lamps_table():
    hand = by_hand(lamp())
    printed(column(hand["here"]), [0.416667, 0.208333, -0.416667])
    printed(column(hand["future"]), [0.253547, -0.073738, -0.308065, 0.0])
    printed(column(hand["dh"]), [0.342929, -0.099732, -0.416667])
    printed(column(hand["delta"]), [0.219475, -0.063829, -4 / 15])
    printed(three(hand), [0.430631, -0.329982, -0.111021])
    np.testing.assert_allclose([hand["W_hy"].item(), hand["b_y"].item()], [0.75, 0.25], rtol=1e-14)
    printed(hand["x"], [0.304256, -0.088485, -0.369678])


def test_the_lamps_contributions():
    """Loss at t times use at τ: the columns add up to BPTT's terms, the rows to forward mode's."""
    example, hand = lamp(), by_hand(lamp())
    W_hh, W_hy = example.params["recurrent"]["W_hh"].item(), example.params["output"]["W_hy"].item()
    h, dy = column(hand["h"]), column(hand["dy"])
    triangle = np.zeros((3, 3))
    for t in range(1, 4):
        flow = dy[t - 1] * W_hy * (1 - h[t] ** 2)
        for tau in range(t, 0, -1):
            triangle[t - 1, tau - 1] = flow * h[tau - 1]
            flow *= W_hh * (1 - h[tau - 1] ** 2)
    printed(triangle, [[-0.16, 0, 0], [-0.059149, 0.08, 0], [0.087464, -0.118297, -0.16]])
    bptt = [hand["delta"][tau].item() * h[tau - 1] for tau in (1, 2, 3)]
    np.testing.assert_allclose(triangle.sum(axis=0), bptt, rtol=1e-14)
    sensitivity, forward_mode = 0.0, []
    for t in range(1, 4):
        sensitivity = (1 - h[t] ** 2) * (h[t - 1] + W_hh * sensitivity)
        forward_mode.append(dy[t - 1] * W_hy * sensitivity)
    np.testing.assert_allclose(triangle.sum(axis=1), forward_mode, rtol=1e-14)
    assert triangle.sum() == pytest.approx(hand["W_hh"].item(), rel=1e-14)


def test_the_lamp_holds_but_its_gradient_does_not():
    factor = 5 / 3 * LN2 * (1 - 0.6**2)
    printed(factor, 0.739357)
    assert f"{factor**100:.1e}" == "7.7e-14"
    example = lamp()
    xs = np.full((1001, 1, 1), 0.5)
    xs[0] = 1.5
    hs, final, cache = Recurrent(RNNCell(1, 1)).forward(example.params["recurrent"], xs, example.state)
    np.testing.assert_allclose(hs, 0.6, rtol=1e-14)
    _, dstate, _ = Recurrent(RNNCell(1, 1)).backward(
        example.params["recurrent"], np.zeros_like(hs[:]), cache, (np.ones_like(final[0]),)
    )
    assert dstate[0].item() == pytest.approx(factor**1001, rel=1e-11)


def test_the_lamps_wrong_answers():
    example = lamp()
    np.testing.assert_allclose(three(by_hand(example, carry=0.0)), [3 / 5, -6 / 25, 2 / 15], rtol=1e-14)
    printed(three(by_hand(example, last_only=True)), [0.133333, -0.16, -0.266667])
    printed(by_hand(example, h_for_h_prev=True)["W_hh"], 0.253388)
    printed(three(by_hand(example, slope=lambda h_prev, h: 1.0)), [0.223718, -0.474569, -0.588423])
    printed(three(by_hand(example, slope=lambda h_prev, h: 1.0 - h)), [0.315195, -0.572530, -0.828580])
    printed(three(by_hand(example, carried="dh")), [0.143180, -0.303724, -0.376590])
    printed(three(by_hand(example, carry=-1.0)), [0.332050, 0.024909, 0.086141])
    trap = three(by_hand(example, slope=lambda h_prev, h: 1.0 - h_prev**2))
    np.testing.assert_allclose(trap, three(by_hand(example)), rtol=1e-14)  # every |h| is 3/5: the trap


def test_the_lamps_first_order_ratios():
    example, net = lamp(), model(lamp())
    before, grads, _ = net.loss_and_grads(example.params, example.xs, example.targets, example.state)
    square = sum(float((grad**2).sum()) for layer in grads.values() for grad in layer.values())
    assert round(np.sqrt(square), 3) == 0.965

    def after(rate):
        moved = {
            layer: {name: example.params[layer][name] - rate * grad for name, grad in inner.items()}
            for layer, inner in grads.items()
        }
        return net.loss_and_grads(moved, example.xs, example.targets, example.state)[0]

    ratios = [(before - after(rate)) / (rate * square) for rate in (0.1, 0.01, 0.001)]
    printed(ratios, [0.897, 0.990, 0.999], places=3)
    printed([after(-0.1), after(0.1)], [0.524715, 0.338268])
    optimizer = GradientDescent(0.1)
    stepped, _ = optimizer.update(example.params, grads, optimizer.init(example.params))
    printed(net.loss_and_grads(stepped, example.xs, example.targets, example.state)[0], 0.338268)


def test_the_laughs_forward():
    hand = by_hand(laugh())
    printed(hand["a"][1], [-0.36, 0.48])
    rows = {
        1: ([-0.345214, 0.446244], [0.488542, 0.451811, -0.682769], [-0.144305, 0.012548]),
        2: ([-0.651470, -0.108002], [0.345575, 0.415359, -0.585065], [0.107809, -0.006059]),
        3: ([-0.507422, 0.113531], [0.385409, 0.436420, -0.634936], [-0.100750, 0.057112]),
        4: ([-0.484409, -0.411835], [-0.000757, 0.495861, -0.698979], [0.061808, 0.017938]),
    }
    for t, (h, logits, delta) in rows.items():
        printed(hand["h"][t], h)
        printed(hand["y"][t], logits)
        printed(hand["delta"][t], delta)
    printed(hand["loss"], 1.108370)
    printed(4 * hand["loss"], 4.433479)
    printed(LN2 / 2, 0.346574)


def test_the_laughs_gradients():
    hand = by_hand(laugh())
    printed(hand["W_xh"], [[-0.245055, 0.069661], [0.169617, 0.011878], [0, 0]])
    printed(hand["W_hh"], [[-0.017375, -0.042962], [0.138160, -0.013110]])
    printed(hand["b_h"], [-0.075438, 0.081539])
    printed(hand["W_hy"], [[-0.032252, -0.012916, 0.045168], [0.044096, -0.145878, 0.101782]])
    printed(hand["b_y"], [0.144514, -0.045506, -0.099008])
    printed(hand["h_0"], [0.024469, 0.108542])


def test_the_laughs_wrong_states():
    params, state = laugh().params["recurrent"], laugh().state[0][0]
    W_xh, W_hh, b_h = params["W_xh"], params["W_hh"], params["b_h"]
    printed(np.tanh(W_xh[0] + state @ W_hh.T + b_h), [-0.804062, 0.318521])
    printed(np.tanh(W_xh[0] + b_h), [-0.604368, 0.604368])
    printed(np.tanh(W_xh[0] + state @ W_hh), [0.413644, -0.019997])
    printed(np.tanh(W_xh[1] + state @ W_hh + b_h), [-0.158649, -0.309507])  # h_2 from h_0 again


def test_the_laughs_wrong_gradients():
    example = laugh()
    printed(by_hand(example, carry=0.0)["W_hh"], [[-0.000966, -0.021775], [0.117609, -0.094467]])
    printed(by_hand(example, recurrent=lambda W: W)["W_hh"], [[0.033382, -0.062128], [0.060438, -0.083351]])
    previous = by_hand(example, slope=lambda h_prev, h: 1.0 - h_prev**2)
    printed(previous["W_hh"], [[-0.055312, -0.046694], [0.177025, -0.000028]])
    printed(by_hand(example, h_for_h_prev=True)["W_hh"], [[0.000764, -0.038054], [-0.112932, 0.005351]])


def test_the_laugh_truncated():
    example, net = laugh(), model(laugh())
    windows = truncated_bptt(net, example.params, example.xs, example.targets, 2, 2, example.state)
    total = sum(result.grads["recurrent"]["W_hh"] for result in windows)
    printed(total, [[-0.013310, -0.010386], [0.158914, -0.043441]])
    reset = 0.0
    for part in (slice(0, 2), slice(2, 4)):
        _, grads, _ = net.loss_and_grads(
            example.params, example.xs[part], example.targets[part], example.state, divide_by=4.0
        )
        reset = reset + grads["recurrent"]["W_hh"]
    printed(reset, [[-0.069436, 0.030212], [0.208633, -0.060181]])


def test_the_laughs_batch():
    example, net = laugh(), model(laugh())
    words = [laugh_letters("haha!"), laugh_letters("ah!")]
    xs, mask = pad_sequences([inputs[:, 0] for inputs, _ in words])
    targets = np.zeros(mask.shape, int)
    for n, (_, letters) in enumerate(words):
        targets[: len(letters), n] = letters[:, 0]
    state = (np.repeat(example.state[0], 2, axis=0),)
    loss, _, _ = net.loss_and_grads(example.params, xs, targets, state, mask)
    printed(loss, 1.282902)
    alone = [net.loss_and_grads(example.params, *word, example.state)[0] for word in words]
    printed(np.mean(alone), 1.370168)
    printed(net.loss_and_grads(example.params, xs, targets, state, mask, divide_by=float(mask.size))[0], 0.962177)


def descend(starts, state, faults, rate, updates, marks=()):
    """Train the laugh from many starts at once, each with one fault in its gradient; return losses at the marks."""
    xs, targets = laugh_letters("haha!")
    letters, targets = xs[:, 0].argmax(axis=1), targets[:, 0]
    W_xh, W_hh, b_h, W_hy, b_y = (part.copy() for part in starts)
    faults, hot, T, losses = np.asarray(faults), np.eye(3)[targets], len(letters), {}
    carried = (faults != "carry")[:, None]
    swapped, shifted = (faults == "transposed")[:, None, None], (faults == "h_t")[:, None, None]
    for update in range(updates + 1):
        h = [state]
        for letter in letters:
            h.append(np.tanh(W_xh[:, letter] + (h[-1][:, None] @ W_hh)[:, 0] + b_h))
        hs = np.stack(h[1:], axis=1)
        p = softmax(hs @ W_hy + b_y[:, None])
        if update in marks:
            losses[update] = -np.log(p[:, np.arange(T), targets]).mean(axis=1)
        dz = (p - hot) / T
        dh_here = dz @ W_hy.swapaxes(1, 2)
        back, future, delta = np.where(swapped, W_hh, W_hh.swapaxes(1, 2)), 0.0, np.zeros_like(hs)
        for t in reversed(range(T)):
            delta[:, t] = (dh_here[:, t] + future) * (1.0 - hs[:, t] ** 2)
            future = carried * (delta[:, t, None] @ back)[:, 0]
        used = np.where(shifted, hs, np.stack(h[:-1], axis=1))
        W_hy, b_y = W_hy - rate * hs.swapaxes(1, 2) @ dz, b_y - rate * dz.sum(axis=1)
        W_hh, b_h = W_hh - rate * used.swapaxes(1, 2) @ delta, b_h - rate * delta.sum(axis=1)
        W_xh = W_xh - rate * np.stack([delta[:, letters == d].sum(axis=1) for d in range(3)], axis=1)
    return [losses[mark] for mark in marks]


FAULTS = ["none", "carry", "transposed", "h_t"]


def test_the_laughs_loss_curves():
    example = laugh()
    start = [example.params["recurrent"][name] for name in ("W_xh", "W_hh", "b_h")]
    start += [example.params["output"][name] for name in ("W_hy", "b_y")]
    starts = [np.repeat(part[None], 4, axis=0) for part in start]
    marks = (200, 500, 2000)
    early, middle, late = descend(starts, np.repeat(example.state[0], 4, axis=0), FAULTS, 0.5, 2000, marks)
    printed(early[:3], [0.0158, 0.3510, 0.3499], places=4)
    printed(late[[0, 1, 3]], [0.0013, 0.3469, 0.0017], places=4)
    assert min(early[1], middle[1], late[1]) > LN2 / 2  # carry dropped: never below the bigram
    # Along a wrong gradient the path is no descent, and it can hang on the last bit of the start: with h_t for
    # h_{t−1} the loss after 200 updates is .0194 to .0202; with W_hh transposed it goes below the bigram, and after
    # 2000 updates it is anything from .003 to .347.
    assert 0.0190 < early[3] < 0.0206
    printed(middle[2], 0.148, places=3)


def test_the_laugh_from_400_random_starts():
    """A wrong gradient can train better than the right one: the loss curve proves nothing."""
    rng = np.random.default_rng(0)
    # Weights N(0, 1/fan_in), biases 0, h_0 the laugh's own.
    one = [
        rng.standard_normal((400, 3, 2)) / np.sqrt(3.0), rng.standard_normal((400, 2, 2)) / np.sqrt(2.0),
        np.zeros((400, 2)), rng.standard_normal((400, 2, 3)) / np.sqrt(2.0), np.zeros((400, 3)),
    ]
    starts = [np.concatenate([part] * 4) for part in one]
    state = np.repeat(laugh().state[0], 1600, axis=0)
    (losses,) = descend(starts, state, np.repeat(FAULTS, 400), 0.1, 1000, (1000,))
    right, carry, transposed, wrong_index = 100.0 * (losses.reshape(4, 400) < 0.1).mean(axis=1)
    # The course's page prints 65, 10, 59, 77 % and does not say how its starts were drawn. Some 35 distributions were
    # tried, and this one comes nearest (63.5, 9.5, 53.5, 77.8 here): a fit, so the page's shares are not asserted.
    # What is asserted is its point, with room for the draw: one standard deviation of a share is 2.5 at the most.
    assert wrong_index > right + 5
    assert right > carry + 40
    assert transposed > carry + 30


def test_the_softmax_pocket():
    z, target = np.array([[np.log(4.0), 0.0, np.log(3.0)]]), np.array([0])
    np.testing.assert_allclose(softmax(z)[0], [1 / 2, 1 / 8, 3 / 8], rtol=1e-15)
    loss, gradient = softmax_cross_entropy(z, target)
    assert loss == pytest.approx(LN2, rel=1e-15)
    np.testing.assert_allclose(gradient[0], [-1 / 2, 1 / 8, 3 / 8], rtol=1e-15)
    printed(softmax_cross_entropy(softmax(z), target)[0], 0.943823)
    assert loss / LN2 == pytest.approx(1.0, rel=1e-15)  # log to base 2


def test_laugh_letters():
    xs, targets = laugh_letters("haha!")
    assert "".join("ha!"[i] for i in xs[:, 0].argmax(axis=1)) == "haha"
    assert "".join("ha!"[i] for i in targets[:, 0]) == "aha!"
    np.testing.assert_array_equal(xs.sum(axis=2), 1.0)
    for word in ("h", "", "hat!"):
        with pytest.raises(ArgumentError, match=r"laugh_letters: the word is .* expected two or more letters of 'ha!'"):
            laugh_letters(word)


def test_article_data_is_what_the_article_draws():
    xs, labels = article_data(rng=np.random.default_rng(0))
    assert xs.shape == (100, 32, 10)
    assert abs(xs.mean()) < 0.02
    assert abs(xs.std() - 1.0) < 0.02
    assert abs(labels.mean() - 0.5) < 0.03
    agreement = np.einsum("tnd,tn->d", np.sign(xs), 2.0 * labels - 1.0) / labels.size
    assert np.abs(agreement).max() < 0.06  # nothing to learn
    again, _ = article_data(rng=np.random.default_rng(0))
    np.testing.assert_array_equal(xs, again)


def test_fading_sum_data_depends_on_the_past():
    xs, labels = fading_sum_data(rng=np.random.default_rng(0), T=50, N=200, D=3)
    sums = np.zeros((50, 200))
    for t in range(50):
        sums[t] = xs[t, :, 0] + (0.8 * sums[t - 1] if t else 0.0)
    np.testing.assert_array_equal(labels, sums > 0)
    last_alone = ((xs[:, :, 0] > 0) == labels)[5:].mean()
    assert 0.65 < last_alone < 0.75  # the last input alone tells some, not all


def test_recall_data_shows_once_and_asks_once():
    xs, targets, counted = recall_data(rng=np.random.default_rng(0), lag=6, N=300, symbols=4, at=2)
    assert xs.shape == (9, 300, 5)
    np.testing.assert_array_equal(targets[-1], xs[2].argmax(axis=1))
    np.testing.assert_array_equal(xs[2, :, 4], 0.0)
    np.testing.assert_array_equal(xs[-1, :, 4], 1.0)
    assert xs.sum() == 2 * 300  # the cue and the question, nothing else
    assert counted.sum() == 300
    assert counted[-1].all()
    assert np.abs(np.bincount(targets[-1]) / 300 - 0.25).max() < 0.08


@pytest.mark.parametrize("choices", [{"lag": 0}, {"N": 0}, {"symbols": 0}, {"lag": 2.5}, {"at": -1}])
def test_recall_data_refuses_counts_below_one(choices):
    with pytest.raises(ArgumentError, match=f"recall_data: {next(iter(choices))} is"):
        recall_data(rng=np.random.default_rng(0), **{"lag": 3, "N": 2, **choices})
