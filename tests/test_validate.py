"""Argument errors: each check's whole message (where, got, expected, because, hint), and what it lets through."""

import numpy as np
import pytest

from rnn_from_scratch import validate
from rnn_from_scratch.validate import ArgumentError, DtypeError, ShapeError


def refused(error, check, *arguments, **options):
    with pytest.raises(error) as caught:
        check("Here", *arguments, **options)
    assert type(caught.value) is error
    return str(caught.value)


def test_fail_joins_the_parts_that_there_are():
    assert refused(ArgumentError, validate.fail, "x is 1", "2") == "Here: x is 1, expected 2."
    assert refused(ArgumentError, validate.fail, "x is 1", "2", "1 is odd") == (
        "Here: x is 1, expected 2 because 1 is odd."
    )
    assert refused(ArgumentError, validate.fail, "x is 1", "2", "1 is odd", "Try 2.") == (
        "Here: x is 1, expected 2 because 1 is odd. Try 2."
    )


def test_fail_raises_the_error_asked_for():
    with pytest.raises(ShapeError, match=r"^Here: x is 1, expected 2\.$"):
        validate.fail("Here", "x is 1", "2", error=ShapeError)


def test_every_error_is_a_value_error_and_a_wrong_kind_is_a_type_error_too():
    assert issubclass(ArgumentError, ValueError)
    assert issubclass(ShapeError, ArgumentError)
    assert issubclass(DtypeError, ArgumentError)
    assert issubclass(DtypeError, TypeError)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_float_array_returns_the_very_array(dtype):
    array = np.zeros(3, dtype)
    assert validate.float_array("Here", "xs", array) is array


@pytest.mark.parametrize("value", [[1.0], 1.0, None, "1"])
def test_float_array_converts_nothing(value):
    assert refused(DtypeError, validate.float_array, "xs", value) == (
        f"Here: xs is a {type(value).__name__}, expected a NumPy array because nothing is converted silently. "
        "Try np.asarray(xs, dtype=np.float64)."
    )


@pytest.mark.parametrize("dtype", [np.int64, np.bool_, object, np.float16, np.complex64])
def test_float_array_names_the_dtype(dtype):
    assert refused(DtypeError, validate.float_array, "xs", np.zeros(2, dtype)) == (
        f"Here: xs has dtype {np.dtype(dtype)}, expected float64 (or float32) because gradients need real numbers. "
        "Try xs.astype(np.float64); letters and other indices go in as one_hot(indices, D)."
    )


def test_float_array_takes_a_callers_hint_and_can_refuse_complex():
    message = refused(DtypeError, validate.float_array, "w", np.zeros(2, complex), complex_ok=False, hint="Try .real.")
    assert message == (
        "Here: w has dtype complex128, expected float64 (or float32) because gradients need real numbers. Try .real."
    )


def test_shape_returns_the_sizes_by_name():
    assert validate.shape("Here", "xs", np.zeros((7, 2, 3)), ("T", "N", 3)) == {"T": 7, "N": 2}
    assert validate.shape("Here", "W", np.zeros((4, 4)), ("H", "H")) == {"H": 4}
    assert validate.shape("Here", "b", np.zeros((0,)), ("D",)) == {"D": 0}
    assert refused(ShapeError, validate.shape, "b", np.zeros(1), (np.int64(4),)).startswith("Here: b has shape (1,), ")


@pytest.mark.parametrize("size", [(7, 3), (7, 2, 4), (7,), (), (7, 2, 3, 1)])
def test_shape_says_what_came_and_what_was_expected(size):
    message = refused(ShapeError, validate.shape, "xs", np.zeros(size), ("T", "N", 3), "time comes first", "Turn it.")
    assert message == f"Here: xs has shape {size}, expected (T, N, 3) because time comes first. Turn it."


def test_shape_of_one_axis_prints_as_python_does_and_a_name_is_one_size():
    assert refused(ShapeError, validate.shape, "b", np.zeros((2, 2)), (4,)) == (
        "Here: b has shape (2, 2), expected (4,)."
    )
    assert refused(ShapeError, validate.shape, "W", np.zeros((4, 5)), ("H", "H")) == (
        "Here: W has shape (4, 5), expected (H, H)."
    )


@pytest.mark.parametrize(("size", "name", "meaning"), [
    ((0, 2, 3), "T", "time steps"), ((7, 0, 3), "N", "sequences in the batch"),
])
def test_shape_refuses_no_steps_and_no_sequences(size, name, meaning):
    assert refused(ShapeError, validate.shape, "xs", np.zeros(size), ("T", "N", 3)) == (
        f"Here: xs has shape {size}, expected (T, N, 3) with {name} ≥ 1 because with no {meaning} there is nothing to "
        "compute. Leave empty batches out before the call."
    )


def test_same_dtype_names_one_of_each():
    params = {"W": np.zeros(2), "b": np.zeros(2, np.float32)}
    assert refused(DtypeError, validate.same_dtype, params=params, xs=np.zeros(2)) == (
        "Here: params.b is float32 beside params.W of float64, expected one dtype throughout because a silent "
        "promotion hides where precision was lost. Try .astype(np.float64) on the float32 one."
    )
    message = refused(DtypeError, validate.same_dtype, xs=np.zeros(2), state=(np.zeros(2, np.float32),))
    assert message.startswith("Here: state[0] is float32 beside xs of float64")


def test_same_dtype_lets_complex_meet_float64_but_not_float32():
    validate.same_dtype("Here", params=np.zeros(2), xs=np.zeros(2, complex), state=None)
    validate.same_dtype("Here", params=np.zeros(2, np.float32), xs=np.zeros(2, np.float32), state=None)
    refused(DtypeError, validate.same_dtype, params=np.zeros(2, np.float32), xs=np.zeros(2, complex))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_finite_names_the_first_by_its_index_and_counts(bad):
    array = np.zeros((4, 2, 3))
    array[1, 1, 2] = array[3, 0, 0] = bad
    assert refused(ArgumentError, validate.finite, "xs", array) == (
        f"Here: xs[1, 1, 2] is {bad} (2 of 24 entries are not finite), expected finite numbers because one NaN spreads "
        "to every parameter in a single update. Fill missing values first, or mark them as padding in the mask."
    )
    assert refused(ArgumentError, validate.finite, "x", np.array(bad), hint="Look.") == (
        f"Here: x is {bad} (1 of 1 entries are not finite), expected finite numbers because one NaN spreads to every "
        "parameter in a single update. Look."
    )


@pytest.mark.parametrize(("kind", "large"), [(np.float32, 3e38), (np.float64, 1.7e308), (np.complex128, 1.7e308)])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_finite_where_a_square_is_not(kind, large, bad):
    """A sum of squares that overflows says nothing yet; one that is not finite hides no NaN; and no warning comes."""
    array = np.full((40, 7), large, kind)
    array[::2] *= -1
    with np.errstate(all="raise"):
        validate.finite("Here", "x", array)
        validate.finite("Here", "x", array[::3, ::2])
        for clean in (array.copy(), np.zeros((40, 7), kind)):
            clean[39, 6] = bad
            assert refused(ArgumentError, validate.finite, "x", clean).startswith("Here: x[39, 6] is")
            assert refused(ArgumentError, validate.finite, "x", clean.T[::2]).startswith("Here: x[3, 39] is")


def test_finite_looks_only_where_the_mask_is_true():
    array = np.zeros((4, 2, 3))
    array[1, 1, 2] = np.nan
    mask = np.ones((4, 2), bool)
    mask[1, 1] = False
    validate.finite("Here", "xs", array, mask)
    mask[1] = [False, True]
    assert refused(ArgumentError, validate.finite, "xs", array, mask).startswith("Here: xs[1, 1, 2] is nan (1 of 24")


def test_mask_is_none_or_booleans_of_one_shape():
    mask = np.ones((4, 2), bool)
    assert validate.mask("Here", "mask", None, (4, 2)) is None
    assert validate.mask("Here", "mask", mask, (4, 2)) is mask
    assert refused(ShapeError, validate.mask, "mask", mask, (2, 4)) == (
        "Here: mask has shape (4, 2), expected (2, 4) because it has one entry per time step and sequence, True where "
        "there is one."
    )


@pytest.mark.parametrize(("value", "kind"), [
    (np.ones((4, 2), int), "dtype int64"), (np.ones((4, 2)), "dtype float64"), ([[True, True]] * 4, "type list"),
])
def test_mask_refuses_zeros_and_ones(value, kind):
    assert refused(DtypeError, validate.mask, "mask", value, (4, 2)) == (
        f"Here: mask has {kind}, expected a boolean array because 0 and 1 would index instead of select. "
        "Try np.asarray(mask, dtype=bool)."
    )


def test_integer_targets_counted_from_1_are_named():
    targets = np.array([[1, 2], [3, 1]])
    assert refused(ArgumentError, validate.integer_targets, targets, 3, None) == (
        "Here: targets[1, 0] is 3, expected 0 … 2 because the logits have 3 classes, counted from 0. "
        "Are the labels counted from 1? Padding belongs in the mask."
    )
    validate.integer_targets("Here", targets, 3, np.array([[True, True], [False, True]]))
    assert "targets is -1, expected 0 … 2" in refused(
        ArgumentError, validate.integer_targets, np.array(-1), 3, None)


def test_params_names_missing_and_extra_keys_shapes_and_values():
    expected = {"W": (2, 3), "b": (3,)}
    good = {"W": np.zeros((2, 3)), "b": np.zeros(3)}
    validate.params("Here", good, expected)
    assert refused(DtypeError, validate.params, [1], expected, "It is a cell.") == (
        "Here: params is a list, expected a dictionary of arrays. It is a cell."
    )
    assert refused(ArgumentError, validate.params, {"W": good["W"]}, expected) == (
        "Here: params has the keys ['W'], expected ['W', 'b'] because each parameter has its name in the equations. "
        "init_params() makes them."
    )
    assert "the keys ['U', 'W', 'b']" in refused(ArgumentError, validate.params, {**good, "U": good["b"]}, expected)
    assert refused(ShapeError, validate.params, {**good, "W": np.zeros((3, 2))}, expected, "It is a cell.") == (
        "Here: params['W'] has shape (3, 2), expected (2, 3). It is a cell."
    )
    assert "params['b'] has dtype int64" in refused(
        DtypeError, validate.params, {**good, "b": np.zeros(3, int)}, expected)
    message = refused(ArgumentError, validate.params, {**good, "b": np.array([0.0, np.inf, 0.0])}, expected)
    assert message.startswith("Here: params['b'][1] is inf (1 of 3 entries are not finite), expected finite numbers")
    assert message.endswith("Did an earlier update diverge? Try a lower learning rate or clipping.")


@pytest.mark.parametrize("value", [0, -3, 2.0, True, None, "4", np.float64(4.0)])
def test_size_is_a_whole_number_of_at_least_1(value):
    assert refused(ArgumentError, validate.size, "k1", value, "it counts steps") == (
        f"Here: k1 is {value!r}, expected a whole number of at least 1 because it counts steps."
    )


def test_size_takes_numpys_integers_and_returns_pythons():
    assert type(validate.size("Here", "k1", np.int64(4))) is int


@pytest.mark.parametrize(("value", "bounds", "expected"), [
    (0.0, {"above": 0.0}, "a finite number above 0.0"),
    (1.0, {"at_least": 0.0, "below": 1.0}, "a finite number at least 0.0 and below 1.0"),
    (-0.1, {"at_least": 0.0}, "a finite number at least 0.0"),
    (np.nan, {}, "a finite number"), (np.inf, {"above": 0.0}, "a finite number above 0.0"),
    ("1", {}, "a finite number"), (True, {}, "a finite number"), (None, {}, "a finite number"),
    (1j, {}, "a finite number"), pytest.param(10**400, {}, "a finite number", id="too large for a float"),
])
def test_number_names_its_bounds(value, bounds, expected):
    message = refused(ArgumentError, validate.number, "C", value, because="it is a size", hint="Try 1.", **bounds)
    assert message == f"Here: C is {value!r}, expected {expected} because it is a size. Try 1."


def test_number_returns_a_float_at_its_bounds():
    assert validate.number("Here", "C", np.float32(0.0), at_least=0.0) == 0.0
    assert type(validate.number("Here", "C", 3, above=2.0)) is float


def test_option_lists_the_choices():
    validate.option("Here", "engine", None, ("stepwise", None))
    assert refused(ArgumentError, validate.option, "engine", "gpu", ("stepwise", None)) == (
        "Here: engine is 'gpu', expected one of 'stepwise', None."
    )
    for value in (1, 1.0, 0, np.True_):  # equal to one, so a forget bias of 1.0 in the wrong place would pass for True
        assert f"peepholes is {value!r}, expected one of False, True." in refused(
            ArgumentError, validate.option, "peepholes", value, (False, True))
    validate.option("Here", "activation", np.str_("tanh"), {"tanh": 1})
    assert "activation is ['tanh']" in refused(ArgumentError, validate.option, "activation", ["tanh"], {"tanh": 1})
    assert "engine is array(['a', 'b']" in refused(
        ArgumentError, validate.option, "engine", np.array(["a", "b"]), ("a", "b"))


@pytest.mark.parametrize("rng", [0, None, "seed", np.random.RandomState(0), np.random])
def test_generator_is_no_seed(rng):
    assert refused(DtypeError, validate.generator, rng) == (
        f"Here: rng is {rng!r}, expected a numpy.random.Generator because there is no global seed: a run repeats by "
        "its own. Try rng=np.random.default_rng(0)."
    )


def test_generator_returns_the_very_generator():
    rng = np.random.default_rng(0)
    assert validate.generator("Here", rng) is rng
