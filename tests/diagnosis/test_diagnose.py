"""`diagnose` names mistakes that are put in one by one, keeps quiet about right functions, and never guesses loudly.

Students' functions here are the package's own backward pass with one thing exchanged; those written by hand, in other
styles, are in test_naming_students.py. How often the name is right is measured by benchmarks/diagnosing.py.
"""

import ast
import copy
import sys
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest

import rnn_from_scratch
from rnn_from_scratch.bptt import unroll_backward
from rnn_from_scratch.cells import GRUCell, LSTMCell, RNNCell
from rnn_from_scratch.diagnosis import diagnose
from rnn_from_scratch.diagnosis.naming import KINDS
from rnn_from_scratch.diagnosis.naming.dictionary import dictionary, in_part, source_line
from rnn_from_scratch.diagnosis.naming.labels import read_factor
from rnn_from_scratch.diagnosis.naming.problem import Problem, make_point
from rnn_from_scratch.diagnosis.naming.reference import Change, Point, cross_entropy, forward, gradients
from rnn_from_scratch.diagnosis.naming.shares import patterns, triangle
from rnn_from_scratch.layers import Recurrent
from rnn_from_scratch.models import SequenceModel
from rnn_from_scratch.validate import ArgumentError

CELLS = {"rnn": RNNCell(17, 6), "lstm": LSTMCell(17, 6), "gru": GRUCell(17, 6)}
BEFORE = GRUCell(17, 6, reset_after=False)
NAMES = ("W_xh", "W_hh", "b_h", "W_hy", "b_y")


def student(reference="rnn", change=None, edit=None, losses=None, beside=()):
    """Make a loss_and_grads from the reference, with a part exchanged or its gradients edited."""
    cell = CELLS.get(reference, reference)

    def loss_and_grads(params, xs, targets, state):
        at = forward(cell, Point(params, xs, targets, state))
        found = gradients(at, change)
        grads = {name: found[name] for name in (*params, *beside)}
        if edit is not None:
            grads = edit(grads, at)
        return at.losses if losses is None else losses(at), grads

    return loss_and_grads


def first(found):
    assert not found.ok, "it was accepted"
    return found.suspects[0]


# Right ones


@pytest.mark.parametrize("reference", [*CELLS, BEFORE, RNNCell(5, 3, "relu"), RNNCell(9, 4, "sigmoid"),
                                       LSTMCell(8, 3, peepholes=True)], ids=str)
@pytest.mark.parametrize("seed", [0, 1])
def test_a_right_one_is_accepted(reference, seed):
    found = diagnose(student(reference, beside=("xs", "h0")), reference, rng=np.random.default_rng(seed))
    assert found.ok
    assert found.suspects == ()
    assert str(found).startswith("Nothing is wrong, compared with ")


def test_the_package_s_model_is_accepted_in_its_own_words():
    model = SequenceModel(Recurrent(GRUCell(17, 6)), output_size=11)

    def loss_and_grads(params, xs, targets, state):
        inner = {name: params[name] for name in params if name not in ("W_hy", "b_y")}
        nested = {"recurrent": inner, "output": {name: params[name] for name in ("W_hy", "b_y")}}
        loss, grads, _ = model.loss_and_grads(nested, xs, targets, state, divide_by=1.0)
        return float(loss), {**grads["recurrent"], **grads["output"]}

    assert diagnose(loss_and_grads, "gru").ok


def test_a_total_is_as_good_as_losses_and_float32_is_no_mistake():
    assert diagnose(student(losses=lambda at: at.losses.sum())).ok
    single = diagnose(student(edit=lambda grads, at: {k: g.astype(np.float32) for k, g in grads.items()}))
    assert single.ok
    assert "float32" in str(single)


def test_float32_hides_no_mistake_of_size():
    found = diagnose(student(edit=lambda grads, at: {k: -g.astype(np.float32) for k, g in grads.items()}))
    assert first(found).kind == "sign"


def test_nothing_is_changed_and_twice_is_the_same_twice():
    seen = []

    def watching(params, xs, targets, state):
        seen.append(copy.deepcopy((params, xs, targets, state)))
        return student(edit=lambda grads, at: {**grads, "b_h": 0 * grads["b_h"]})(params, xs, targets, state)

    one = diagnose(watching, rng=np.random.default_rng(3))
    calls = len(seen)
    two = diagnose(watching, rng=np.random.default_rng(3))
    assert str(one) == str(two)
    assert one.suspects == two.suspects
    np.testing.assert_equal(seen[:calls], seen[calls:])
    sizes = {xs.shape[:2] for _, xs, _, _ in seen}
    assert {(1, 1), (1, 3), (2, 1)} <= sizes, "one step, one sequence"
    assert len({params["W_xh"].shape for params, *_ in seen}) == 1
    params, xs, _, state = seen[0]
    T, N, D = xs.shape
    H, K = params["W_hy"].shape
    assert len({T, N, D, H, K}) == 5, "all sizes differ"
    assert all(np.all(array != 0) for array in (params["b_h"], params["b_y"], *state)), "no zero hides a mistake"


# Tiers 4 and 5: one number, structured residuals


def scaled(factor, *names):
    return lambda grads, at: {k: g * factor(at) if not names or k in names else g for k, g in grads.items()}


@pytest.mark.parametrize(("edit", "kind", "parameter", "words"), [
    (scaled(lambda at: -1.0), "sign", None, "times −1"),
    (scaled(lambda at: 1 / len(at.xs)), "scale", None, "1/T"),
    (scaled(lambda at: 2 / at.losses.size), "scale", None, "2/(T·N)"),
    (scaled(lambda at: at.xs.shape[1], "b_h"), "scale", "b_h", "times N"),
    (scaled(lambda at: 1 / at.logits.shape[-1]), "scale", None, "1/K"),
    (scaled(lambda at: 0.37), "scale", None, "0.37"),
    (scaled(lambda at: 0.0, "W_hh"), "zero", "W_hh", "0 everywhere"),
    (scaled(lambda at: 0.0, "b_y"), "output-layer", "b_y", "0 everywhere"),
    (lambda grads, at: {**grads, "W_hh": grads["W_hh"].T.copy()}, "transposed", "W_hh", "transpose"),
    (lambda grads, at: {k: np.clip(g, -0.3, 0.3) for k, g in grads.items()}, "clipped", None, "±0.3"),
    (lambda grads, at: {k: g + 0.01 * at.params[k] for k, g in grads.items()}, "regulariser", None, "λ = 0.01"),
    (lambda grads, at: {**grads, "W_hy": grads["W_hy"] + 0.02 * np.sign(at.params["W_hy"])}, "regulariser", "W_hy",
     "sign θ"),
])
def test_what_the_numbers_alone_tell(edit, kind, parameter, words):
    for seed in (0, 1):
        suspect = first(diagnose(student(edit=edit), rng=np.random.default_rng(seed)))
        assert (suspect.kind, suspect.where.parameter, suspect.certain) == (kind, parameter, True)
        assert words in suspect.evidence


def test_clipping_by_norm_is_told_by_the_norm():
    def edit(grads, at):
        norm = np.sqrt(sum((g**2).sum() for g in grads.values()))
        return {k: 0.5 * g / norm for k, g in grads.items()}

    suspect = first(diagnose(student(edit=edit)))
    assert suspect.kind == "clipped"
    assert "norm 0.5" in suspect.evidence


def test_blocks_in_each_other_s_place_and_copies():
    def swap(grads, at):
        i, f, g, o = np.split(grads["b_h"], 4)
        return {**grads, "b_h": np.concatenate([f, i, g, o])}

    def copied(grads, at):
        i, _, g, o = np.split(grads["b_h"], 4)
        return {**grads, "b_h": np.concatenate([i, i, g, o])}

    suspect = first(diagnose(student("lstm", edit=swap), "lstm"))
    assert (suspect.kind, suspect.where.parameter, suspect.where.gate) == ("swapped", "b_h", "if")
    suspect = first(diagnose(student("lstm", edit=copied), "lstm"))
    assert (suspect.kind, suspect.where.parameter, suspect.where.gate) == ("wrong-gate", "b_h", "f")
    assert suspect.lines, "the line of b_h is known, since all else is right"


@pytest.mark.parametrize(("shape", "kind", "words"), [
    (lambda b, deltas: deltas.sum(axis=0), "not-summed-over-batch", "summed over the first axis it is right"),
    (lambda b, deltas: deltas.sum(axis=1), "not-summed-over-time", "summed over the first axis it is right"),
    (lambda b, deltas: b[None], "shape", "the numbers are right"),
    (lambda b, deltas: b[:-1], "shape", "expected (6,)"),
])
def test_another_shape_is_told_with_what_it_would_be(shape, kind, words):
    def edit(grads, at):
        dhs = at.dlogits @ at.params["W_hy"].T
        _, deltas = unroll_backward(at.cell, at.weights, dhs, at.caches)
        return {**grads, "b_h": shape(grads["b_h"], np.stack(deltas))}

    suspect = first(diagnose(student(edit=edit)))
    assert (suspect.kind, suspect.where.parameter) == (kind, "b_h")
    assert words in suspect.evidence


def test_a_factor_is_read_at_all_its_sizes():
    cell = RNNCell(17, 6)
    points = [forward(cell, make_point(cell, Problem(), sizes, np.random.default_rng(0))) for sizes in ((5, 3), (7, 2))]
    assert read_factor([(1 / 15, points[0]), (1 / 14, points[1])]) == "1/(T·N)"
    assert read_factor([(-3.0, points[0]), (-2.0, points[1])]) == "−N"
    assert read_factor([(0.5, points[0]), (0.5, points[1])]) == "1/2"
    assert read_factor([(0.5, points[0]), (0.25, points[1])]) is None, "a number that is no product of sizes"
    assert read_factor([(1.3, points[0]), (1.3, points[1])]) is None, "no power of two"


# Tier 6: shares of the losses


def test_the_shares_add_up_to_the_gradient():
    for cell in (*CELLS.values(), BEFORE):
        at = forward(cell, make_point(cell, Problem(), (4, 2), np.random.default_rng(1)))
        right = gradients(at)
        for name, shares in triangle(at).items():
            assert np.allclose(shares.sum(axis=(0, 1)), right[name], rtol=0, atol=1e-13), name
            later = np.triu(np.ones((4, 4)), 1).astype(bool)  # a loss knows nothing of a later use
            assert not shares[later].any()


@pytest.mark.parametrize("pattern", list(patterns(5)), ids=lambda pattern: pattern.name)
def test_every_pattern_of_shares_is_named(pattern):
    """Built from the shares themselves, at both of the sizes that are asked for."""
    def edit(grads, at):
        own = next((p for p in patterns(len(at.xs)) if p.name == pattern.name), None)
        if own is None:  # at this T the pattern makes no difference
            return grads
        shares = triangle(at)
        return {k: np.tensordot(own.weights, shares[k], 2) if k in ("W_xh", "W_hh", "b_h") else g
                for k, g in grads.items()}

    suspect = first(diagnose(student(edit=edit)))
    assert suspect.certain
    assert suspect.kind in {other.kind for other in patterns(5) if np.array_equal(other.weights, pattern.weights)}


def test_one_sequence_alone():
    def edit(grads, at):
        alone = gradients(at._replace(dlogits=at.dlogits * (np.arange(at.xs.shape[1]) == 0)[:, None]))
        return {**grads, "b_h": alone["b_h"]}

    suspect = first(diagnose(student(edit=edit)))
    assert (suspect.kind, suspect.where.parameter) == ("not-summed-over-batch", "b_h")
    assert "first sequence" in suspect.evidence


# Tiers 8 and 9: lines


@cache
def statements_of(file):
    """Return what stands at each line of a file, as ast writes it: statements, and entries of dictionaries."""
    texts = {}
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            texts.setdefault(node.lineno, set()).add(f"{ast.unparse(node.target)} = {ast.unparse(node.value)}")
        elif isinstance(node, ast.stmt):
            texts.setdefault(node.lineno, set()).add(ast.unparse(node))
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                texts.setdefault(value.lineno, set()).add(f"{ast.unparse(key)}: {ast.unparse(value)}")
                for inner in ast.walk(value):  # an entry over several lines
                    if hasattr(inner, "lineno"):
                        texts.setdefault(inner.lineno, set()).add(f"{ast.unparse(key)}: {ast.unparse(value)}")
    return texts


def test_the_dictionary_shows_lines_of_the_source_as_it_is():
    """Made from the syntax tree, so that it cannot fall out of step: each line stands where it says."""
    root = Path(rnn_from_scratch.__file__).parents[1]
    for cell in (*CELLS.values(), BEFORE):
        at = forward(cell, make_point(cell, Problem(), (3, 2), np.random.default_rng(0)))
        lines = {source_line(hypothesis) for hypothesis in dictionary(at)}
        assert {hypothesis.kind for hypothesis in dictionary(at)} <= set(KINDS)
        assert len({line.place for line in lines}) > 12
        for line in lines:
            file, _, number = line.place.partition(":")
            assert line.right in statements_of(root / file)[int(number)], line
            assert line.right != line.yours


def test_every_edit_of_the_dictionary_is_found_again_in_a_sample():
    """The edited line is among those shown; benchmarks/diagnosing.py does all of them."""
    for reference, cell in (("rnn", CELLS["rnn"]),):
        checked = 0
        at = forward(cell, make_point(cell, Problem(), (4, 2), np.random.default_rng(5)))
        right = gradients(at)
        for hypothesis in list(dictionary(at))[3::17]:
            if checked == 3:
                break
            try:
                with np.errstate(all="ignore"):
                    grads = gradients(at, hypothesis.change)
                    same = all(np.shape(grads[k]) == right[k].shape and np.allclose(grads[k], right[k]) for k in right)
            except Exception:  # an edit that cannot run
                continue
            if not same:
                with np.errstate(all="ignore"):
                    found = diagnose(student(reference, hypothesis.change, beside=("xs", "h0")), reference)
                place = source_line(hypothesis).place
                assert place in {line.place for suspect in found.suspects for line in suspect.lines}, hypothesis.says
                checked += 1
        assert checked == 3


def test_two_wrong_lines_are_two_suspects():
    """No single edit gives these numbers: each line is asked by itself, between the student's own values."""
    def step(cell, params, dstate, cache):
        (dh, dc_future), (_, _, i, f, g, o, _, tanh_c) = dstate, cache
        dc = dc_future + dh * o * (1 - tanh_c**2)
        delta = np.concatenate([
            dc * g, dc * g * f * (1 - f), dc * i * (1 - g**2), dh * tanh_c * o * (1 - o)  # i without σ′, f with g
        ], axis=1)
        return (delta @ params["W_hh"].T, dc * f), delta

    found = diagnose(student("lstm", Change(step=step)), "lstm")
    by_gate = {suspect.where.gate: suspect for suspect in found.suspects}
    assert by_gate["i"].kind == "activation-derivative"
    assert by_gate["f"].kind == "wrong-gate"
    assert by_gate["i"].certain
    assert by_gate["f"].certain
    assert any("delta_f" in line.right for line in by_gate["f"].lines)


def test_a_line_that_goes_back_is_written_as_a_sum_of_what_is_there():
    def step(cell, params, dstate, cache):
        (dh,), delta = cell.step_backward(params, dstate, cache)
        return (dh + 0.5 * delta,), delta

    suspect = first(diagnose(student("rnn", Change(step=step))))
    assert suspect.certain
    assert "0.5 · δ" in suspect.evidence


def test_two_mistakes_in_two_places_are_both_named():
    def edit(grads, at):
        return {**grads, "b_y": 0 * grads["b_y"], "W_hh": grads["W_hh"].T.copy()}

    kinds = {suspect.kind for suspect in diagnose(student(edit=edit)).suspects}
    assert {"output-layer", "transposed"} <= kinds


@pytest.mark.parametrize("reference", ["rnn", GRUCell(7, 3), RNNCell(9, 4, "relu")], ids=str)
def test_noise_gets_no_confident_name(reference):
    rng = np.random.default_rng(0)
    noise = {}

    def edit(grads, at):
        return {k: g + noise.setdefault((k, g.shape), rng.standard_normal(g.shape)) for k, g in grads.items()}

    found = diagnose(student(reference, edit=edit), reference)
    assert not found.ok
    assert not any(suspect.certain for suspect in found.suspects)
    assert "perhaps" in str(found)


def test_parts_of_an_edit_are_hypotheses_too():
    at = forward(CELLS["rnn"], make_point(CELLS["rnn"], Problem(), (3, 2), np.random.default_rng(0)))
    parts = list(in_part(at))
    assert {h.where.time for h in parts} >= {None, "every step but the last", "the first step"}
    assert len(parts) > 5 * 20


# Tier 1: how it behaves


def test_what_grows_settles_or_is_random():
    store = {}

    def grows(params, xs, targets, state):
        losses, grads = student()(params, xs, targets, state)
        for name, gradient in grads.items():
            store[name] = store.get(name, 0) + gradient
        return losses, dict(store)

    kept = []

    def settles(params, xs, targets, state):
        fits = kept and kept[0].shape == state[0].shape
        at = forward(CELLS["rnn"], Point(params, xs, targets, (kept[0],) if fits else state))
        kept[:] = [at.hs[-1]]
        found = gradients(at)
        return at.losses, {name: found[name] for name in params}

    rng = np.random.default_rng(0)

    def chance(params, xs, targets, state):
        losses, grads = student()(params, xs, targets, state)
        return losses, {**grads, "W_hh": grads["W_hh"] * (rng.random(grads["W_hh"].shape) > 0.5)}

    assert [first(diagnose(f)).kind for f in (grows, settles, chance)] == ["not-reset", "not-reset", "nondeterministic"]


def test_what_is_written_to_is_named_and_the_rest_is_checked_on():
    def writes(params, xs, targets, state):
        answer = student(edit=lambda grads, at: {**grads, "b_h": -grads["b_h"]})(params, xs, targets, state)
        xs *= 0.5
        return answer

    found = diagnose(writes)
    assert (found.suspects[0].kind, found.suspects[0].where.parameter) == ("mutates-input", "xs")
    assert ("sign", "b_h") in {(suspect.kind, suspect.where.parameter) for suspect in found.suspects}


# Tier 2: the forward pass


def swapped_gates(params, order):
    return {k: np.concatenate([np.split(v, 4, axis=-1)[j] for j in order], axis=-1) if k in ("W_xh", "W_hh", "b_h")
            else v for k, v in params.items()}


@pytest.mark.parametrize(("losses", "words"), [
    (lambda at: forward(at.cell, Point(at.params, at.xs, at.targets, tuple(0 * s for s in at.state))).losses,
     "h_0 and c_0 starts from zero"),
    (lambda at: forward(at.cell, Point(swapped_gates(at.params, (0, 1, 3, 2)), at.xs, at.targets, at.state)).losses,
     "ifog stand where ifgo"),
    (lambda at: cross_entropy(at.h_prev @ at.params["W_hy"] + at.params["b_y"], at.targets)[0], "read from h_{t−1}"),
    (lambda at: at.losses / np.log(2), "base 2"),
    (lambda at: at.losses * 0.25, "times 1/4"),
])
def test_another_forward_is_named(losses, words):
    suspect = first(diagnose(student("lstm", losses=losses), "lstm"))
    assert suspect.kind in ("forward-wrong", "scale")
    assert words in suspect.evidence


def test_a_single_edit_of_the_forward_is_shown_as_a_line():
    def losses(at):  # h = o c: tanh forgotten
        h, c, all_losses = *at.state, []
        for t, x in enumerate(at.xs):
            i, f, g, o = np.split(x @ at.params["W_xh"] + h @ at.params["W_hh"] + at.params["b_h"], 4, axis=1)
            i, f, o = (1 / (1 + np.exp(-a)) for a in (i, f, o))
            c = f * c + i * np.tanh(g)
            h = o * c
            logits = h @ at.params["W_hy"] + at.params["b_y"]
            all_losses.append(cross_entropy(logits[None], at.targets[t][None])[0][0])
        return np.stack(all_losses)

    suspect = first(diagnose(student("lstm", losses=losses), "lstm"))
    assert suspect.kind == "forward-wrong"
    assert any("lstm.py" in line.place and "tanh" in line.right for line in suspect.lines)


def test_the_mean_of_the_loss_beside_the_sum_s_gradient():
    suspect = first(diagnose(student(losses=lambda at: at.losses.mean())))
    assert suspect.kind == "scale"
    assert "15 times too large" in suspect.evidence


# Without a reference


def leaky(params, xs, targets, state, edit=lambda grads: grads, losses=lambda x: x):
    """A network that is none of the references: h = 0.7 h_prev + 0.3 tanh(…)."""
    h, hs, ns = state[0], [], []
    for x in xs:
        n = np.tanh(x @ params["W_xh"] + h @ params["W_hh"] + params["b_h"])
        ns.append((h, n))
        h = 0.7 * h + 0.3 * n
        hs.append(h)
    hs = np.stack(hs)
    each, dys = cross_entropy(hs @ params["W_hy"] + params["b_y"], targets)
    grads = {name: np.zeros_like(array) for name, array in params.items()}
    grads["W_hy"], grads["b_y"] = np.einsum("tnh,tnk->hk", hs, dys), dys.sum(axis=(0, 1))
    carry = 0.0
    for t in reversed(range(len(xs))):
        h_prev, n = ns[t]
        dh = dys[t] @ params["W_hy"].T + carry
        delta = 0.3 * dh * (1 - n**2)
        grads["W_xh"] += xs[t].T @ delta
        grads["W_hh"] += h_prev.T @ delta
        grads["b_h"] += delta.sum(axis=0)
        carry = 0.7 * dh + delta @ params["W_hh"].T
    return losses(each), edit(grads)


def test_without_a_reference_its_own_losses_are_the_truth():
    assert diagnose(leaky, None).ok
    assert diagnose(partial(leaky, losses=np.sum), None).ok
    assert first(diagnose(leaky, "rnn")).kind == "forward-wrong"


@pytest.mark.parametrize(("edit", "kind"), [
    (lambda grads: {k: -g for k, g in grads.items()}, "sign"),
    (lambda grads: {**grads, "W_hh": 0 * grads["W_hh"]}, "zero"),
    (lambda grads: {**grads, "W_hh": grads["W_hh"].T.copy()}, "transposed"),
    (lambda grads: {k: g / 5 for k, g in grads.items()}, "scale"),
    (lambda grads: {**grads, "b_h": grads["b_h"][None]}, "shape"),
])
def test_without_a_reference_the_generic_tiers_name_what_numbers_tell(edit, kind):
    assert first(diagnose(partial(leaky, edit=edit), None)).kind == kind


def test_without_a_reference_a_missing_carry_is_a_guess():
    def dropped(params, xs, targets, state):
        losses, _ = leaky(params, xs, targets, state)
        total = None
        for t in range(len(xs)):  # each step by itself, from the state before it
            h = state[0]
            for x in xs[:t]:
                h = 0.7 * h + 0.3 * np.tanh(x @ params["W_xh"] + h @ params["W_hh"] + params["b_h"])
            _, grads = leaky(params, xs[t : t + 1], targets[t : t + 1], (h,))
            total = grads if total is None else {k: total[k] + grads[k] for k in grads}
        return losses, total

    suspect = first(diagnose(dropped, None))
    assert (suspect.kind, suspect.certain) == ("carry-dropped", False)
    assert "T = 1" in suspect.evidence


# What is no answer


def explained(function, *words, reference="rnn"):
    found = diagnose(function, reference)
    suspect = first(found)
    for word in words:
        assert word in str(found), f"{word!r} is not in\n{found}"
    return suspect


def test_a_function_that_is_broken_gets_an_explanation():
    def raises(params, xs, targets, state):
        return xs[len(xs)], {}

    def none(params, xs, targets, state):
        student()(params, xs, targets, state)

    def other_keys(params, xs, targets, state):
        losses, grads = student()(params, xs, targets, state)
        return losses, {f"d{name}": g for name, g in grads.items()}

    def lists(params, xs, targets, state):
        losses, grads = student()(params, xs, targets, state)
        return losses, {name: g.tolist() for name, g in grads.items()}

    def not_finite(params, xs, targets, state):
        losses, grads = student()(params, xs, targets, state)
        return losses, {**grads, "b_h": grads["b_h"] / 0}

    def one_step(params, xs, targets, state):
        if len(xs) == 1:
            raise ValueError("need at least one array to stack")
        return student()(params, xs, targets, state)

    def endless(params, xs, targets, state):
        return endless(params, xs, targets, state)

    def complex_numbers(params, xs, targets, state):
        losses, grads = student()(params, xs, targets, state)
        return losses, {name: g + 0j for name, g in grads.items()}

    explained(raises, "IndexError", "return xs[len(xs)], {}", "T = 5, N = 3")
    assert explained(none, "NoneType", "return statement").kind == "shape"
    assert explained(other_keys, "dW_xh", "lacks W_xh").kind == "shape"
    assert explained(lists, "W_xh is a list of 17", "np.asarray").kind == "shape"
    explained(not_finite, "b_h holds 6 of 6 entries that are NaN or infinite")
    explained(one_step, "need at least one array to stack", "T = 1")
    explained(endless, "RecursionError")
    explained(complex_numbers, "complex128", "real numbers")
    explained(lambda *_: (np.zeros(7), {}), "lacks W_xh")
    explained(lambda p, xs, t, s: (np.zeros((7, 7)), dict(p)), "losses has shape (7, 7)", "(T, N) = (5, 3)")
    explained(lambda p: None, "TypeError")


def test_wrong_arguments_are_the_caller_s_errors():
    with pytest.raises(ArgumentError, match="loss_and_grads is 3"):
        diagnose(3)
    with pytest.raises(ArgumentError, match="'gru'"):
        diagnose(student(), "gated")
    with pytest.raises(ArgumentError, match="a cell such as GRUCell"):
        diagnose(student(), RNNCell)
    with pytest.raises(ArgumentError, match="default_rng"):
        diagnose(student(), rng=0)


# The page


def test_the_page_says_what_where_how_much_and_what_to_look_at():
    def step(cell, params, dstate, cache):
        _, delta = cell.step_backward(params, dstate, cache)
        return (delta @ params["W_hh"],), delta

    found = diagnose(student("rnn", Change(step=step)), "rnn")
    page = str(found)
    for words in ("Wrong: recurrent-matrix (every step but the last)", "Losses: those of the reference at all 6 points",
                  "With T = 1, N = 1: all right.", "W_xh, W_hh, b_h wrong", "dh_prev = delta @ params['W_hh'].T",
                  "dh_prev = delta @ params['W_hh']", "cells/rnn.py:", "look at: ", "one mistake can hide another"):
        assert words in page, words
    assert max(map(len, page.splitlines())) <= 140
    assert found._repr_html_().startswith("<pre>Wrong: recurrent-matrix")
    suspect = first(found)
    assert suspect.kind in KINDS
    assert str(suspect.where) == "every step but the last"


def test_every_kind_has_its_sentence():
    assert all(sentence.endswith(".") for sentence in KINDS.values())
    assert "unknown" in KINDS


def test_tracing_of_others_goes_on():
    """The dictionary traces the reference once: a debugger's or coverage's own trace comes back."""
    before = sys.gettrace()
    diagnose(student("gru", edit=lambda grads, at: {k: 2 * g for k, g in grads.items()}), "gru")
    assert sys.gettrace() is before
