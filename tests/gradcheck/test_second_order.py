"""Hessian–vector products against matrices known in closed form, and gradients that cannot be anything's."""

import numpy as np
import pytest

from rnn_from_scratch.cells import RNNCell
from rnn_from_scratch.gradcheck import check_hessian_vector_product, check_symmetry, hessian_vector_product
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.models import SequenceModel
from rnn_from_scratch.validate import ArgumentError

RNG = np.random.default_rng(0)
A = RNG.standard_normal((5, 5))
H = A + A.T + 5 * np.eye(5)  # the Hessian of ½ wᵀHw
MODEL = SequenceModel(Recurrent(RNNCell(3, 4)), 5)
XS, TARGETS = RNG.standard_normal((4, 2, 3)), RNG.integers(0, 5, (4, 2))
PARAMS = MODEL.init_params(rng=RNG)


def quadratic(w):
    return H @ w


def network(params):
    return MODEL.loss_and_grads(params, XS, TARGETS)[1]


def drawn_like(params, rng):
    return {layer: {name: rng.standard_normal(array.shape) for name, array in part.items()}
            for layer, part in params.items()}


@pytest.mark.parametrize(("method", "tolerance"), [("central", 1e-9), ("complex", 1e-14)])
def test_the_product_of_a_known_hessian(method, tolerance):
    w, v = RNG.standard_normal((2, 5))
    assert np.allclose(hessian_vector_product(quadratic, w, v, method), H @ v, rtol=tolerance, atol=tolerance)


def test_a_curvature_that_changes():
    """L = Σ w⁴: Hv = 12 w² v. And v may be long: the step is measured by its length."""
    w, v = RNG.standard_normal((2, 5))
    for length in (1e-3, 1.0, 1e4):
        found = hessian_vector_product(lambda at: 4 * at**3, w, length * v)
        assert np.allclose(found, 12 * w**2 * v * length, rtol=1e-8)


def test_the_direction_zero():
    assert not hessian_vector_product(quadratic, np.ones(5), np.zeros(5)).any()


@pytest.mark.parametrize("method", ["central", "complex"])
@pytest.mark.parametrize("length", [1e-250, 1e-30, 1e30, 1e250])
def test_a_direction_of_any_length(method, length):
    """L = Σ w⁴ bends, so a step that is too long is seen; one that is too short is lost in w."""
    w, v = RNG.standard_normal((2, 5))
    product = hessian_vector_product(lambda at: 4 * at**3, w, length * v, method)
    assert np.allclose(product / length, 12 * w**2 * v, rtol=1e-8, atol=1e-8)


def test_float32_is_promoted():
    """In float32 a difference over a step of 1e-5 has two right digits."""
    w, v = RNG.standard_normal((2, 5)).astype(np.float32)
    product = hessian_vector_product(lambda at: 4 * at**3, w, v)
    assert product.dtype == np.float64
    assert np.allclose(product, 12 * np.float64(w) ** 2 * v, rtol=1e-8, atol=1e-8)


def test_a_networks_product_is_the_same_by_both_methods_and_passes_its_check():
    v = drawn_like(PARAMS, np.random.default_rng(1))
    product = hessian_vector_product(network, PARAMS, v, "complex")
    central = hessian_vector_product(network, PARAMS, v)
    for layer, part in product.items():
        for name, array in part.items():
            assert np.allclose(array, central[layer][name], atol=1e-8)
    report = check_hessian_vector_product(network, PARAMS, v, product)
    assert report.ok
    assert report.worst < 1e-12


def test_a_wrong_product_is_rejected_where_it_is_wrong():
    v = drawn_like(PARAMS, np.random.default_rng(2))
    product = hessian_vector_product(network, PARAMS, v, "complex")
    product["recurrent"]["W_hh"] = product["recurrent"]["W_hh"].T
    report = check_hessian_vector_product(network, PARAMS, v, product)
    assert [row.name for row in report.rows if not row.ok] == ["recurrent.W_hh"]


def test_a_right_gradient_is_symmetric():
    report = check_symmetry(network, PARAMS, rng=np.random.default_rng(3))
    assert report.ok
    assert report.worst < 1e-9
    assert [row.verdict for row in report.rows] == ["symmetric"] * 3
    for row in report.rows:
        assert row.analytic == pytest.approx(row.numeric, rel=1e-6)


@pytest.mark.parametrize("wrong", ["transposed", "last step only", "NaN"])
def test_no_function_has_this_gradient(wrong):
    def gradient(params):
        grads = network(params)
        if wrong == "transposed":
            grads["recurrent"]["W_hh"] = grads["recurrent"]["W_hh"].T
        elif wrong == "NaN":
            grads["recurrent"]["W_hh"] = np.full((4, 4), np.nan)
        else:
            last = np.zeros(TARGETS.shape, bool)
            last[-1] = True
            own = MODEL.loss_and_grads(params, XS, TARGETS, target_mask=last)[1]
            grads["recurrent"]["W_xh"] = own["recurrent"]["W_xh"]
        return grads

    report = check_symmetry(gradient, PARAMS, rng=np.random.default_rng(4))
    assert not report.ok
    assert "no function has this gradient" in report.rows[0].verdict


@pytest.mark.parametrize("width", [1e-1, 1e-3, 1e-4])
def test_a_gradient_that_bends_within_the_step_is_no_false_alarm(width):
    """L = √((a·w)² + width²): differences along u and v reach differently far, and only the limit is symmetric."""
    a, w = np.random.default_rng(6).standard_normal((2, 5))
    w -= a * (a @ w - 0.5 * width) / (a @ a)  # where it bends

    def gradient(w, factor=1.0):
        return a * (a @ w) / np.sqrt((a @ w) ** 2 + width**2) * np.array([factor, 1.0, 1.0, 1.0, 1.0])

    assert check_symmetry(gradient, w, rng=np.random.default_rng(7)).ok
    wrong = check_symmetry(lambda w: gradient(w, 1.001), w, rng=np.random.default_rng(7))
    assert "no function has this gradient" in wrong.rows[0].verdict


def test_what_symmetry_cannot_see():
    """The right gradient of another function passes: the docstring says so."""
    def doubled(params):
        return {layer: {name: 2 * array for name, array in part.items()} for layer, part in network(params).items()}

    assert check_symmetry(doubled, PARAMS, rng=np.random.default_rng(5)).ok


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hessian_vector_product(quadratic, np.ones(5), np.ones(4)), r"vector has shape \(4,\), expected"),
        (lambda: hessian_vector_product(network, PARAMS, {"a": np.ones(3)}), r"vector has \['a'\], expected"),
        (lambda: hessian_vector_product(quadratic, np.ones(5), np.ones(5), "forward"), "method is 'forward'"),
        (lambda: hessian_vector_product(lambda w: w.real, np.ones(5), np.ones(5), "complex"), "came back real"),
        (lambda: hessian_vector_product(lambda p: {"b": p["a"]}, {"a": np.ones(2)}, {"a": np.ones(2)}),
         r"hessian_vector_product: gradient returned \['b'\], expected \['a'\] because it has one array for each"),
        (lambda: check_symmetry(lambda w: w[:1], np.ones(5), rng=RNG), r"gradient has shape \(1,\), expected \(5,\)"),
        (lambda: check_symmetry(quadratic, np.ones(5), rng=None), "rng is None"),
        (lambda: check_symmetry(quadratic, {}, rng=RNG), "check_symmetry: params has no array, expected at least one"),
        (lambda: check_symmetry(quadratic, np.full(5, np.inf), rng=RNG), r"params\[0\] is inf"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
