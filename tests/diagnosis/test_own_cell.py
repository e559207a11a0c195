"""A cell of one's own: one for each name, never degenerate, its answers proven, its equations run as printed."""

import math
import re
from collections import Counter
from functools import cache

import numpy as np
import pytest
from matplotlib.mathtext import MathTextParser

from rnn_from_scratch.activations import sigmoid
from rnn_from_scratch.bptt import unroll, unroll_backward
from rnn_from_scratch.diagnosis import (
    OwnCell,
    OwnForm,
    check_cell,
    own_cell,
    own_cell_derivation,
    own_cell_solution,
)
from rnn_from_scratch.diagnosis.own_cells import NotWrittenError
from rnn_from_scratch.diagnosis.own_parts import GATES, KINDS, OWN_ACTIVATIONS, RATES, RESIDUALS
from rnn_from_scratch.diagnosis.own_solution import OWN_DERIVATIVES
from rnn_from_scratch.diagnosis.own_text import latex
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.validate import ArgumentError, DtypeError

CONSTANT = 0.3


def form_of(kind):
    activation, leak, gate, residual = kind
    return OwnForm(activation, CONSTANT if leak == "constant" else leak, gate, residual)


FORMS = [form_of(kind) for kind in KINDS]
STRUCTURES = len(FORMS) // len(OWN_ACTIVATIONS)
# Every structure once, the activations in turn.
SAMPLE = [FORMS[(i % len(OWN_ACTIVATIONS)) * STRUCTURES + i] for i in range(STRUCTURES)]
FEW = [OwnForm("sech", "learned", "input", "weighted"), OwnForm("swish", 0.3, "output", "input"),
       OwnForm("sine", 0.6, "reset", "state"), OwnForm("softplus", "learned", "reset", None)]
BARE = [OwnForm(), OwnForm(gate="reset"), OwnForm(gate="input"), OwnForm(gate="output"), OwnForm(leak=0.3),
        OwnForm(residual="state")]  # no one draws these, a teacher may make them


def point(cell, T=5, N=2, seed=0):
    rng = np.random.default_rng(seed)
    return cell.init_params(rng=rng), rng.standard_normal((T, N, cell.input_size)), (
        rng.standard_normal((N, cell.hidden_size)),)


# The draw


def test_a_name_has_one_cell_for_ever():
    """Whoever changes one of these gives every student of a running course another cell."""
    cells = [own_cell(name) for name in ("Ada Lovelace", "Emmy Noether", "王小云", "Σοφία Κοβαλέφσκαγια")]
    assert [cell.form for cell in cells] == [
        OwnForm("sine", leak=0.3, gate="input"),
        OwnForm("asinh", leak=0.6, gate="input", residual="input"),
        OwnForm("swish", gate="reset", residual="weighted"),
        OwnForm("swish", leak=0.2, gate="reset", residual="weighted"),
    ]
    assert [str(cell).splitlines()[0] for cell in cells] == [
        "The cell of Ada Lovelace: sine, constant leak, input gate; D = 3, H = 4",
        "The cell of Emmy Noether: asinh, constant leak, input gate, input residual; D = 3, H = 4",
        "The cell of 王小云: swish, reset gate, weighted residual; D = 3, H = 4",
        "The cell of Σοφία Κοβαλέφσκαγια: swish, constant leak, reset gate, weighted residual; D = 3, H = 4",
    ]


@pytest.mark.parametrize("other", ["  Zoë \t Ångström\n", "ZOË ÅNGSTRÖM", "Zoe\u0308 A\u030angstro\u0308m"])
def test_the_same_name_written_otherwise(other):
    cell = own_cell("Zoë Ångström")
    assert own_cell(other) == cell
    assert own_cell(other, input_size=5, hidden_size=2).form == cell.form
    assert own_cell("2027 " + other).form != cell.form


@pytest.mark.parametrize("name", ["\ud800", "👩🏽‍🔬", "שרה", "a" * 10_000, "0"])
def test_any_string_is_a_name(name):
    assert own_cell(name) == own_cell(name)


def test_names_spread_over_all_the_parts():
    assert len(KINDS) == len(set(KINDS)) == 468
    assert all(kind.count(None) <= 1 for kind in KINDS)
    names = [f"student {i}" for i in range(4000)]
    forms = [own_cell(name).form for name in names]
    drawn = Counter((f.activation, "constant" if isinstance(f.leak, float) else f.leak, f.gate, f.residual)
                    for f in forms)
    assert set(drawn) <= set(KINDS)
    assert len(drawn) > 460
    for column in range(4):
        share = Counter(kind[column] for kind in KINDS)
        got = Counter(kind[column] for kind in drawn.elements())
        for part, count in share.items():
            p = count / len(KINDS)
            assert got[part] == pytest.approx(4000 * p, abs=5 * math.sqrt(4000 * p * (1 - p))), part
    assert {f.leak for f in forms} == {None, "learned", *RATES}
    assert 0.5 not in RATES
    alone = math.prod(1 - i / len(KINDS) for i in range(30))
    assert 0.3 < alone < 0.5  # "in a class of thirty it is more likely than not that some two do"


# The parts


@pytest.mark.parametrize("name", OWN_ACTIVATIONS)
def test_an_activation_is_complex_safe_and_its_derivative_is_right(name):
    function, derivative = OWN_ACTIVATIONS[name].function, OWN_DERIVATIVES[name].function
    a = np.concatenate([np.linspace(-8, 8, 401), [0.0, -0.0, 1e-9, -1e-9, 40.0, -40.0]])
    n = function(a)
    slope = derivative(a, n)
    by_complex_step = function(a + 1e-20j).imag / 1e-20
    np.testing.assert_allclose(slope, by_complex_step, rtol=0, atol=1e-15)
    np.testing.assert_allclose(function(a + 1e-20j).real, n, rtol=1e-15, atol=2e-15)
    central = (function(a + 1e-5) - function(a - 1e-5)) / 2e-5
    np.testing.assert_allclose(slope, central, rtol=1e-9, atol=1e-9)
    assert function(a.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("name", OWN_ACTIVATIONS)
def test_an_activation_is_finite_far_out(name):
    a = np.array([-1e4, -800.0, 800.0, 1e4])
    n = OWN_ACTIVATIONS[name].function(a)
    assert np.isfinite(n).all()
    assert np.isfinite(OWN_DERIVATIVES[name].function(a, n)).all()


def test_the_teachers_table_has_every_activation():
    assert list(OWN_ACTIVATIONS) == list(OWN_DERIVATIVES)
    for table in (OWN_ACTIVATIONS, OWN_DERIVATIVES):  # no two are the same function under two names
        assert len({row.text for row in table.values()}) == len(table)


def test_no_cell_is_degenerate_and_every_solution_is_right():
    """All 468: finite over 20 steps, no gradient with a zero in it, and right along a direction by the complex step."""
    for number, form in enumerate(FORMS):
        cell = own_cell_solution(OwnCell(3, 4, form))
        params, xs, state = point(cell, 20, seed=number)
        hs, _, _ = unroll(cell, params, xs, state)
        assert np.abs(hs).max() < 1e7, form  # log-cosh with the state added grows, but not out of reach

        xs, upstream = xs[:4], hs[-4:] + 1.0
        _, _, caches = unroll(cell, params, xs, state)
        dstates, deltas = unroll_backward(cell, params, upstream, caches)
        dxs, grads = cell.param_grads(params, xs, caches, deltas)
        gradients = {**grads, "xs": dxs, "h_0": dstates[0][0]}
        assert list(grads) == list(cell.param_shapes())
        assert all(np.isfinite(array).all() and np.all(array != 0) for array in gradients.values()), form

        rng = np.random.default_rng(number)
        directions = {name: rng.standard_normal(array.shape) for name, array in gradients.items()}
        there = {**params, "xs": xs, "h_0": state[0]}
        moved = {name: array + 1e-20j * directions[name] for name, array in there.items()}
        weights = {name: moved[name] for name in params}
        along = (upstream * unroll(cell, weights, moved["xs"], (moved["h_0"],))[0]).sum().imag / 1e-20
        terms = [directions[name] * gradients[name] for name in gradients]
        scale = sum(np.abs(term).sum() for term in terms)
        assert sum(term.sum() for term in terms) == pytest.approx(along, abs=1e-14 * scale), form


# The answers


@pytest.mark.parametrize(
    ("form", "D", "H"), [*((form, 1, 2) for form in [*SAMPLE, *BARE]), *((form, 3, 4) for form in FEW)], ids=str
)
def test_a_solution_passes_check_cell(form, D, H):
    seed = FORMS.index(form) if form in FORMS else 0
    report = check_cell(own_cell_solution(OwnCell(D, H, form)), rng=np.random.default_rng(seed))
    report.raise_if_wrong()
    assert report.worst < 1e-12


def as_python(text):
    """An equation's right side as Python: ⊙ multiplies entry by entry, what stands side by side as matrices."""
    for sign, python in (("h_{t-1}", "h_prev"), ("⊙", "*"), ("·", "*"), ("−", "-"), ("²", "**2"), ("³", "**3"),
                         ("ᵀ", ".T"), ("√", "sqrt"), ("σ", "sigmoid"), ("^", ""), ("∂L/∂", "grad_")):
        text = text.replace(sign, python)
    text = re.sub(r"_t\b", "", text)
    return re.sub(r"(?<=[\w)]) (?=[\w(])", " @ ", text)


FUNCTIONS = {name: getattr(np, name) for name in ("tanh", "cosh", "sin", "cos", "arctan", "log", "exp", "sqrt")}
FUNCTIONS |= {"sigmoid": sigmoid, "asinh": np.arcsinh}


@cache
def compiled(left, right):
    return as_python(left), compile(as_python(right.removeprefix("Σ_t ")), right, "eval")


def run(equations, known):
    for left, right in equations:
        name, code = compiled(left, right)
        known[name] = eval(code, {"__builtins__": {}}, known)
    return known


def printed(cell):
    """Return the equations as they stand on the sheet of paper: one step, its backward, the gradients."""
    blocks, lines = [], str(own_cell_derivation(cell)).splitlines()
    for line in lines:
        if line.endswith(":"):
            blocks.append([])
        elif line.startswith("  "):
            left, right = line.split(" = ", 1)
            blocks[-1].append((left.strip(), right))
    return blocks


@pytest.mark.parametrize("form", [*SAMPLE, *BARE], ids=str)
def test_the_equations_that_are_printed_are_the_step(form):
    cell = OwnCell(3, 4, form)
    params, xs, (h_prev,) = point(cell)
    (h,), cache = cell.step(params, cell.project(params, xs)[1], (h_prev,))
    values = run(printed(cell)[0], {**FUNCTIONS, **params, "x": xs[1], "h_prev": h_prev})
    np.testing.assert_allclose(h, values["h"], rtol=1e-12, atol=1e-14)
    for name, array in cache._asdict().items():
        np.testing.assert_allclose(array, values[name], rtol=1e-12, atol=1e-14)


def written_out(cell, back, sums):
    """Return the cell with a backward that is these equations, run as they are printed."""
    rate = [line for line in cell.form.equations if line[0] == "λ"]

    def step_backward(params, dstate, cache):
        known = run(rate, {**FUNCTIONS, **params, **cache._asdict(), "dh": dstate[0]})
        known = run(back, known)
        return (known["dh_prev"],), known

    def param_grads(params, xs, caches, deltas):
        steps = [run(sums, {**delta, "x": x}) for delta, x in zip(deltas, xs, strict=True)]
        grads = {}
        for name, array in params.items():
            terms = [step[f"grad_{name}"] for step in steps]
            grads[name] = sum(term if array.ndim == 2 else term.sum(axis=0) for term in terms)
        return np.stack([step["grad_x"] for step in steps]), grads

    return cell.with_backward(step_backward, param_grads)


@pytest.mark.parametrize("form", [*FEW, *BARE], ids=str)
def test_the_derivation_that_is_printed_is_right(form):
    cell = OwnCell(1, 2, form)
    _, back, sums = printed(cell)
    check_cell(written_out(cell, back, sums), rng=np.random.default_rng(1)).raise_if_wrong()


def test_every_printed_slope_is_the_derivative():
    a = np.linspace(-3, 3, 41)
    for name, (function, text) in OWN_ACTIVATIONS.items():
        n = function(a)
        np.testing.assert_allclose(eval(as_python(text), {**FUNCTIONS, "a": a}), n, rtol=1e-13, atol=1e-15)
        slope = OWN_DERIVATIVES[name]
        written = eval(as_python(slope.text), {**FUNCTIONS, "a": a, "n": n})
        np.testing.assert_allclose(written, slope.function(a, n), rtol=1e-13, atol=1e-15)


def outer_parts(text, sign):
    """Split at a sign that stands in no bracket."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        parts = [*parts, ""] if character == sign and not depth else [*parts[:-1], parts[-1] + character]
    return [part.strip() for part in parts]


def shortened(right):
    """Every way to drop one term of a sum, or one factor of a term; not the gradient itself that is handed on."""
    if "(r_t ⊙ h_{t-1})" in right:
        yield right.replace("(r_t ⊙ h_{t-1})", "h_{t-1}")
    prefix, body = ("Σ_t ", right.removeprefix("Σ_t ")) if right.startswith("Σ_t ") else ("", right)
    terms = outer_parts(body, "+")
    for i, term in enumerate(terms):
        rest = [*terms[:i], *terms[i + 1:]]
        if rest:
            yield prefix + " + ".join(rest)
        for sign in "⊙·":
            factors = outer_parts(term, sign)
            for j, factor in enumerate(factors):
                if len(factors) > 1 and not factor.startswith(("d", "(δ")):
                    shorter = f" {sign} ".join([*factors[:j], *factors[j + 1:]])
                    yield prefix + " + ".join([*terms[:i], shorter, *terms[i + 1:]])


@pytest.mark.parametrize("form", FEW[:3], ids=str)
def test_whatever_is_dropped_is_noticed(form):
    """Leak, gate, residual, derivative: each term and each factor of each equation of a right answer, left out."""
    cell = OwnCell(1, 2, form)
    xs = np.random.default_rng(3).standard_normal((3, 2, 1))
    _, back, sums = printed(cell)
    check_cell(written_out(cell, back, sums), rng=np.random.default_rng(1), xs=xs).raise_if_wrong()
    refusing, tried = check_cell.__wrapped__, Counter()  # without the diagnosis at the end of a report
    for block in (back, sums):
        for i, (left, right) in enumerate(block):
            for wrong in shortened(right):
                changed = [*block[:i], (left, wrong), *block[i + 1:]]
                student = written_out(cell, *((changed, sums) if block is back else (back, changed)))
                report = refusing(student, rng=np.random.default_rng(1), xs=xs)
                assert not report.ok, f"{left} = {wrong} instead of {right} passes"
                assert not report.findings or "raised" not in report.findings[0], report.findings
                tried[left] += 1
    assert tried["dh_{t-1}"] >= 3
    assert tried["δ_t"] == 1
    assert {left for left, right in [*back, *sums] if re.search("[⊙·+]", right)} == set(tried)


# A student


def ada(leak=0.7, gate=True, slope=True):
    """The cell of Ada Lovelace, differentiated by hand; each argument leaves something out."""
    cell = own_cell("Ada Lovelace")

    def step_backward(params, dstate, cache):
        (dh,) = dstate
        _, i, a, n, _ = cache
        dc = 0.3 * dh
        delta = dc * i * (np.cos(a) if slope else 1.0)
        delta_i = dc * n * i * (1 - i)
        dh_prev = leak * dh + delta @ params["W_hh"].T
        if gate:
            dh_prev += delta_i @ params["W_hi"].T
        return (dh_prev,), (delta, delta_i)

    def param_grads(params, xs, caches, deltas):
        dxs = np.zeros_like(xs)
        grads = {name: np.zeros_like(array) for name, array in params.items()}
        for t, (delta, delta_i) in enumerate(deltas):
            grads["W_xh"] += xs[t].T @ delta
            grads["W_xi"] += xs[t].T @ delta_i
            grads["W_hh"] += caches[t].h_prev.T @ delta
            grads["W_hi"] += caches[t].h_prev.T @ delta_i
            grads["b_h"] += delta.sum(axis=0)
            grads["b_i"] += delta_i.sum(axis=0)
            dxs[t] = delta @ params["W_xh"].T + delta_i @ params["W_xi"].T
        return dxs, grads

    return cell.with_backward(step_backward, param_grads)


def test_a_students_own_backward_is_marked():
    for seed in range(2):
        check_cell(ada(), rng=np.random.default_rng(seed)).raise_if_wrong()
    for wrong in (ada(leak=0.0), ada(leak=0.3), ada(gate=False), ada(slope=False)):
        assert not check_cell(wrong, rng=np.random.default_rng(0)).ok
    assert "To write" not in str(ada())
    assert ada().form == own_cell("Ada Lovelace").form


def test_a_written_cell_is_a_layer_like_any_other():
    cell, answer = ada(), own_cell_solution(own_cell("Ada Lovelace"))
    params, xs, state = point(cell)
    results = []
    for layer in (Recurrent(cell), Recurrent(answer)):
        hs, _, cache = layer.forward(params, xs, state)
        results.append((hs, *layer.backward(params, np.ones_like(hs), cache)))
    for name in params:
        np.testing.assert_allclose(results[0][3][name], results[1][3][name], rtol=1e-10, atol=1e-13)


def test_what_is_not_written_yet_is_said():
    cell = own_cell("Ada Lovelace")
    report = check_cell(cell, rng=np.random.default_rng(0))
    how = "Hand it over: check_cell(cell.with_backward(step_backward, param_grads), rng=rng)"
    assert not report.ok
    assert report.findings == [f"not written yet: step_backward(params, dstate, cache) -> (dh_prev,), delta. {how}"]
    half = cell.with_backward(own_cell_solution(cell).step_backward)
    report = check_cell(half, rng=np.random.default_rng(0))
    assert report.findings == [f"not written yet: param_grads(params, xs, caches, deltas) -> dxs, grads. {how}"]
    with pytest.raises(NotWrittenError, match="not written yet: step_backward"):
        cell.step_backward({}, (np.zeros((2, 4)),), None)
    assert str(cell).endswith("(dh_prev,), delta; param_grads(params, xs, caches, deltas) -> dxs, grads.")
    assert str(half).endswith("\nTo write: param_grads(params, xs, caches, deltas) -> dxs, grads.")


def test_an_answer_replaces_what_was_there_and_a_student_replaces_the_answer():
    cell = own_cell("Ada Lovelace")
    check_cell(own_cell_solution(ada(slope=False)), rng=np.random.default_rng(0)).raise_if_wrong()
    wrong = own_cell_solution(cell).with_backward(*ada(slope=False).backward)
    assert not check_cell(wrong, rng=np.random.default_rng(0)).ok


# What is written down


def test_a_sheet_has_each_part_that_is_used_and_no_other():
    words = {"leak": "leak", "gate": "gate", "residual": "residual"}
    for form in [*FORMS, *BARE]:
        cell = OwnCell(3, 4, form)
        heading, *lines = str(cell).splitlines()
        text = "\n".join(lines[: lines.index("In code:")])
        for part, word in words.items():
            assert (word in heading) == (getattr(form, part) is not None)
        assert form.activation in heading
        assert OWN_ACTIVATIONS[form.activation].text in text
        assert ("λ" in text) == (form.leak is not None)
        for gate in GATES:
            assert (f"{gate[0]}_t ⊙" in text) == (form.gate == gate)
        for residual, added in RESIDUALS.items():
            assert (f"+ {added}\n" in text + "\n") == (form.residual == residual)
        symbols = set(re.findall(r"\b(?:W_\w+|b_\w|[uv](?=\W))", text))
        assert symbols == set(cell.param_shapes()), form
        lefts = [left for left, _ in form.equations]
        assert lefts[-1] == "h_t"
        assert len(set(lefts)) == len(lefts)
        used = [symbol for symbol in lefts if symbol not in ("λ", "h_t")]
        assert list(form.cache_fields.values()) == ["h_{t-1}", *used]
        for symbol in used:  # nothing is computed that nothing reads
            assert any(symbol in right for _, right in form.equations)
        code = "\n".join(lines[lines.index("In code:"):])
        assert re.findall(r"cache\.(\w+)", code) == list(form.cache_fields)
        assert re.findall(r'params\["(\w+)"\]', code) == list(cell.param_shapes())


def test_the_latex_can_be_set():
    """Each side of each equation and each symbol, by the parser that draws matplotlib's formulas."""
    sides = {"∂L/∂h_t"}
    for form in [*FEW, *BARE]:
        cell = OwnCell(3, 4, form)
        for _, equations in own_cell_derivation(cell).blocks:
            sides |= {side for equation in equations for side in equation}
        sides |= set(form.cache_fields.values()) | set(cell.param_shapes())
    sides |= {row.text for table in (OWN_ACTIVATIONS, OWN_DERIVATIVES) for row in table.values()}
    parser = MathTextParser("path")
    for side in sides:
        assert latex(side).isascii(), side
        parser.parse(f"${latex(side)}$")
    assert latex("a_t / √(1 + a_t²)") == r"a_t / \sqrt{1 + a_t^2}"
    assert latex("∂L/∂W_xh") == r"\frac{\partial L}{\partial W_{xh}}"
    assert latex("Σ_t (r_t ⊙ h_{t-1})ᵀ δ^r_t") == r"\sum_t (r_t \odot h_{t-1})^\top \delta^r_t"
    assert latex("σ(v) · asinh(a_t) − W_res") == r"\sigma(v) \cdot \operatorname{asinh}(a_t) - W_{res}"


def test_a_notebook_shows_the_equations_and_any_name_as_it_is():
    shown = own_cell("Ada Lovelace")._repr_markdown_()
    assert shown.startswith("**The cell of Ada Lovelace: sine, constant leak, input gate; D = 3, H = 4**\n")
    assert "$$\n\\begin{aligned}\ni_t &= \\sigma(x_t W_{xi} + h_{t-1} W_{hi} + b_i) \\\\\n" in shown
    assert "\n| `cache.i` | $i_t$ | (N, 4) |\n" in shown
    assert r"**The cell of \<b\>\*x\* \$y\_1\$\</b\>: " in own_cell("<b>*x* $y_1$</b>")._repr_markdown_()
    assert "dh_{t-1} &= (1 - \\lambda) \\cdot dh_t + \\delta_t W_{hh}^\\top + \\delta^i_t W_{hi}^\\top" in (
        own_cell_derivation(own_cell("Ada Lovelace"))._repr_markdown_())


# The contract's other half, and what is refused


@pytest.mark.parametrize("form", FEW, ids=str)
def test_a_start_has_no_zero(form):
    cell = OwnCell(3, 4, form)
    params, again = (cell.init_params(rng=np.random.default_rng(0), dtype=np.float32) for _ in range(2))
    assert {name: array.shape for name, array in params.items()} == dict(cell.param_shapes())
    for name, array in params.items():
        assert array.dtype == np.float32
        assert np.all(array != 0)
        np.testing.assert_array_equal(array, again[name])
    xs = np.random.default_rng(1).standard_normal((3, 2, 3)).astype(np.float32)
    hs, _, caches = unroll(cell, params, xs, cell.initial_state(2, np.float32))
    assert {array.dtype for array in (hs, *caches[0])} == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", ["", "   \n"])
def test_an_empty_name_is_refused(name):
    with pytest.raises(ArgumentError) as caught:
        own_cell(name)
    assert str(caught.value) == (
        f"own_cell: name is {name!r}, expected a name because the cell is drawn from its letters. "
        'Try own_cell("Ada Lovelace").'
    )


@pytest.mark.parametrize(("name", "told"), [(7, "int"), (None, "NoneType"), (b"Ada", "bytes"), (["A"], "a list of 1")])
def test_a_name_is_a_string(name, told):
    with pytest.raises(DtypeError, match=f"^own_cell: name is {told}, expected a string because the cell is drawn"):
        own_cell(name)


@pytest.mark.parametrize("value", [0, -1, 3.0, True, "3"])
@pytest.mark.parametrize("size", ["input_size", "hidden_size"])
def test_sizes_are_whole_numbers(size, value):
    message = rf": {size} is {value!r}, expected a whole number of at least 1 because"
    with pytest.raises(ArgumentError, match="^own_cell" + message):
        own_cell("Ada", **{size: value})
    with pytest.raises(ArgumentError, match="^OwnCell" + message):
        OwnCell(**{"input_size": 3, "hidden_size": 4, "form": OwnForm(), size: value})


def test_equal_sizes_are_refused():
    with pytest.raises(ArgumentError, match=r"^own_cell: input_size = hidden_size = 4, expected two different sizes"):
        own_cell("Ada", input_size=4)
    with pytest.raises(ArgumentError, match=r"^OwnCell: input_size = hidden_size = 3, expected two different sizes"):
        OwnCell(3, 3, OwnForm())


@pytest.mark.parametrize(("parts", "message"), [
    ({"activation": "relu"}, "activation is 'relu', expected one of 'tanh', 'sigmoid', 'softplus'"),
    ({"gate": "forget"}, "gate is 'forget', expected one of None, 'input', 'output', 'reset'"),
    ({"residual": True}, "residual is True, expected one of None, 'state', 'weighted', 'input'"),
    ({"leak": 1.0}, "leak is 1.0, expected a finite number above 0.0 and below 1.0 because it is the share"),
    ({"leak": "constant"}, "leak is 'constant', expected a finite number above 0.0 and below 1.0 because it is"),
])  # fmt: skip
def test_parts_are_named(parts, message):
    with pytest.raises(ArgumentError, match=f"^OwnForm: {re.escape(message)}"):
        OwnForm(**parts)


def test_bad_calls():
    cell = own_cell("Ada")
    with pytest.raises(ArgumentError, match=r"^OwnCell: form is str, expected an OwnForm because it names the parts"):
        OwnCell(3, 4, "tanh")
    with pytest.raises(ArgumentError, match=r"with_backward: step_backward is a tuple of 2, expected a function"):
        cell.with_backward(((1,), 2), print)
    with pytest.raises(ArgumentError, match=r"param_grads is a dict of 0, .* Hand over param_grads itself"):
        cell.with_backward(print, {})
    for function in (own_cell_solution, own_cell_derivation):
        with pytest.raises(DtypeError, match=rf"^{function.__name__}: cell is str, expected an OwnCell because"):
            function("Ada")
    with pytest.raises(DtypeError, match=r"^OwnCell.init_params: rng is 0, expected a numpy\.random\.Generator"):
        cell.init_params(rng=0)
    with pytest.raises(DtypeError, match="dtype is int64, expected float64 or float32"):
        cell.init_params(rng=np.random.default_rng(0), dtype=np.int64)
    with pytest.raises(ArgumentError, match=r"OwnCell\.initial_state: batch_size is 0, expected a whole number"):
        cell.initial_state(0)
    with pytest.raises(AttributeError, match="cannot assign"):
        cell.form = OwnForm()
