"""A loss that is no function, or spoils what it is given: said in words, and no gradient is called wrong for it."""

import numpy as np
import pytest

from rnn_from_scratch.gradcheck import (
    check_along_directions,
    check_gradients,
    check_hessian_vector_product,
    check_symmetry,
    hessian_vector_product,
)

RNG = np.random.default_rng(0)
W, B = RNG.standard_normal((3, 2)), RNG.standard_normal(2)
X = RNG.standard_normal((4, 3))


def point():
    return {"layer": {"W": W.copy()}, "b": B.copy()}


def right_loss(params):
    return (np.tanh(X @ params["layer"]["W"] + params["b"]) ** 2).sum()


def right_gradient(params):
    y = np.tanh(X @ params["layer"]["W"] + params["b"])
    delta = 2.0 * y * (1.0 - y * y)
    return {"layer": {"W": X.T @ delta}, "b": delta.sum(axis=0)}


def entrywise(loss, params, grads):
    return check_gradients(loss, params, grads)


def along(loss, params, grads):
    return check_along_directions(loss, params, grads, rng=np.random.default_rng(1))


CHECKS = pytest.mark.parametrize("check", [entrywise, along])


def only(report):
    (finding,) = report.findings
    assert not report.ok
    assert f"WRONG: {finding}" in str(report)
    return finding


@CHECKS
def test_a_pure_loss_has_no_findings_and_costs_two_calls_more(check):
    calls = []

    def counted(params):
        calls.append(1)
        return right_loss(params)

    report = check(counted, point(), right_gradient(point()))
    report.raise_if_wrong()
    assert report.findings == []
    if check is entrywise:  # 8 entries by the complex step, two differences an array for the guard, the first call
        assert len(calls) == 8 + 2 * 2 + 1 + 2


# Two values at one point


@CHECKS
def test_dropout_drawn_anew_is_named_and_no_gradient_called_wrong(check):
    rng = np.random.default_rng(3)

    def noisy(params):
        return right_loss(params) * rng.uniform(0.5, 1.5)

    report = check(noisy, point(), right_gradient(point()))
    finding = only(report)
    assert "not the same twice" in finding
    assert "generator" in finding
    assert [row.verdict for row in report.rows] == ["not judged", "not judged"]
    assert not any(row.ok for row in report.rows)
    assert str(report).splitlines()[-1].endswith(": 1 wrong, 2 not certain")


def test_the_two_values_are_shown():
    values = iter([1.25, 1.5, 1.25, 1.25])
    finding = only(check_gradients(lambda _: next(values), np.ones(2), np.ones(2)))
    assert "1.25 and then 1.5" in finding


@CHECKS
def test_a_loss_that_changes_after_a_while_is_named(check):
    """A running mean, say: the first two calls agree, and those after a hundred do not."""
    calls = []

    def drifting(params):
        calls.append(1)
        return right_loss(params) + 1e-3 * max(0, len(calls) - 4)

    report = check(drifting, point(), right_gradient(point()))
    finding = only(report)
    assert "from call to call" in finding
    assert {row.verdict for row in report.rows} == {"not judged"}


def test_a_loss_that_can_be_called_once_only():
    batches = iter([X])

    def once(params):
        return (next(batches) @ params).sum()

    finding = only(check_gradients(once, W, np.repeat(X.sum(axis=0)[:, None], 2, axis=1)))
    assert "second time" in finding
    assert "StopIteration" in finding


def test_dropout_that_rarely_drops_is_found_where_a_gradient_looks_wrong():
    """Two calls may agree by chance. Before a gradient is called wrong, more are asked."""
    verdicts = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        report = check_gradients(lambda w, rng=rng: (w * w * (rng.random(w.shape) > 0.05)).sum(), W, 2 * W)
        verdicts.append(report.rows[0].verdict)
        assert report.findings or report.ok
    assert "WRONG" not in verdicts  # a dozen of them without the further calls


def test_the_last_digits_may_differ():
    """Threads that add in another order change rounding alone, which the floor covers."""
    flips = [0]

    def last_digit(w):
        flips[0] += 1
        return (w * w).sum() * (1.0 + 2.3e-16 * (flips[0] % 2))

    check_gradients(last_digit, W, 2 * W, "central").raise_if_wrong()
    check_gradients(lambda w: np.float32((w.real**2).sum()), W, 2 * W).raise_if_wrong()


# What it is handed


@CHECKS
def test_writing_into_the_params_it_is_handed_is_a_finding(check):
    def writes(params):
        value = right_loss(params)
        params["layer"]["W"][1, 0] = 7.0
        return value

    report = check(writes, point(), right_gradient(point()))
    finding = only(report)
    assert "layer.W[1, 0]" in finding
    assert f"{W[1, 0]:.6g}" in finding
    assert "7" in finding
    assert all(row.verdict == "right" for row in report.rows)  # it was handed copies: the numbers hold


@CHECKS
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda p: p.update(extra=np.ones(1)), "'extra'"), (lambda p: p.pop("b"), "'b'"),
        (lambda p: p.update(b=p["b"] * 2.0), "b[0]"), (lambda p: p.update(b=p["b"][:1]), "b"),
    ],
)
def test_changing_the_dictionary_is_a_finding_too(check, spoil, says):
    def changes(params):
        value = right_loss(params)
        spoil(params)
        return value

    assert says in only(check(changes, point(), right_gradient(point())))


@CHECKS
def test_writing_into_the_callers_own_params_is_a_finding(check):
    own = point()

    def reaches_out(params):
        own["b"] *= 0.999
        return right_loss(params)

    report = check(reaches_out, own, right_gradient(point()))
    assert "b[0] of the params given to the check" in only(report)
    assert all(row.verdict == "right" for row in report.rows)


@CHECKS
def test_gradients_that_are_added_up_at_each_call_are_a_finding(check):
    """The loss runs the backward too, which adds to the arrays that were handed in as grads."""
    grads = right_gradient(point())

    def accumulates(params):
        for name, array in right_gradient({"layer": {"W": params["layer"]["W"].real}, "b": params["b"].real}).items():
            if name == "b":
                grads["b"] += array
        return right_loss(params)

    report = check(accumulates, point(), grads)
    finding = only(report)
    assert "b[0] of the grads given to the check" in finding
    assert all(row.verdict == "right" for row in report.rows)


# Whose memory


@CHECKS
def test_gradients_that_are_the_params_themselves_are_a_finding(check):
    params = {"w": B.copy(), "v": B.copy()}
    report = check(lambda p: 0.5 * (p["w"] ** 2).sum() + p["v"].sum(), params, {"w": params["w"], "v": np.ones(2)})
    finding = only(report)
    assert finding.startswith("grads w and params w share memory: ")
    assert all(row.verdict == "right" for row in report.rows)
    check(lambda p: 0.5 * (p["w"] ** 2).sum() + p["v"].sum(), params, {"w": 1.0 * params["w"], "v": np.ones(2)}
          ).raise_if_wrong()


def test_a_view_counts_and_two_columns_of_one_matrix_do_not():
    both = RNG.standard_normal((5, 2))
    w, other = both[:, 0], both[:, 1]
    assert "w" in only(check_gradients(lambda p: p["w"] @ p["w"] / 2, {"w": w}, {"w": both[::-1][::-1, 0]}))
    other[:] = w
    check_gradients(lambda p: p["w"] @ p["w"] / 2, {"w": w}, {"w": other}).raise_if_wrong()


# The Hessian's checks

A = RNG.standard_normal((5, 5))
H = A + A.T
AT, V = RNG.standard_normal((2, 5))


def test_a_random_gradient_is_named():
    rng = np.random.default_rng(2)

    def noisy(w):
        return H @ w * rng.uniform(0.9, 1.1)

    report = check_hessian_vector_product(noisy, AT, V, H @ V)
    assert "the gradient is not the same twice" in only(report)
    assert report.rows[0].verdict == "not judged"
    report = check_symmetry(noisy, AT, rng=np.random.default_rng(4))
    assert "the gradient is not the same twice" in only(report)
    assert {row.verdict for row in report.rows} == {"not judged"}


def test_a_gradient_that_writes_into_its_argument_is_named():
    def writes(w):
        gradient = H @ w
        w[2] = 0.0
        return gradient

    for report in (
        check_hessian_vector_product(writes, AT, V, H @ V), check_symmetry(writes, AT, rng=np.random.default_rng(4))
    ):
        assert "the gradient writes into the params it is handed: [2]" in only(report)
        assert all(row.ok for row in report.rows)


def test_a_gradient_that_is_the_params_own_memory():
    assert "shares memory" in only(check_symmetry(lambda w: w, AT, rng=np.random.default_rng(4)))
    assert "product" in only(check_hessian_vector_product(lambda w: 0.5 * w * w, AT, np.ones(5), AT))


def test_a_buffer_that_each_call_overwrites():
    """The gradient at θ + hv would be the gradient at θ − hv, and their difference 0."""
    buffer = np.zeros(5)

    def into_buffer(w):
        buffer[:] = H @ w
        return buffer

    np.testing.assert_allclose(hessian_vector_product(into_buffer, AT, V), H @ V, rtol=1e-8, atol=1e-8)
    report = check_symmetry(into_buffer, AT, rng=np.random.default_rng(4))
    assert "overwrites" in only(report)
    assert all(row.ok for row in report.rows)


# Not impure, but not what was meant


def test_a_loss_that_does_not_read_its_argument_is_told():
    own = point()
    report = check_gradients(lambda _: right_loss(own), own, right_gradient(own))
    assert not report.ok
    assert any("the same value wherever" in note for note in report.notes)
    fine = check_gradients(right_loss, own, right_gradient(own))
    assert fine.notes == []
