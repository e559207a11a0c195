"""The report: its table in text and in a notebook, and what it raises."""

import html.parser
import re
from dataclasses import replace

import numpy as np
import pytest

from rnn_from_scratch.cells import RNNCell
from rnn_from_scratch.diagnosis import check_cell
from rnn_from_scratch.diagnosis.rules import joined, renamed
from rnn_from_scratch.gradcheck import GradientError, check_gradients
from rnn_from_scratch.validate import ArgumentError

W, B = np.array([[0.7, -1.3], [2.1, 0.4], [0.2, -0.6]]), np.array([0.3, -0.9])
X = np.array([[1.0, 0.5, -2.0], [0.3, -1.1, 0.8]])
PARAMS = {"layer": {"W": W}, "b": B}


def loss(params):
    return (np.tanh(X @ params["layer"]["W"] + params["b"]) ** 2).sum()


def gradients():
    y = np.tanh(X @ W + B)
    d = 2.0 * y * (1.0 - y * y)
    return {"layer": {"W": X.T @ d}, "b": d.sum(axis=0)}


def test_raise_if_wrong_shows_the_table():
    grads = gradients()
    grads["b"] = 2.0 * grads["b"]
    report = check_gradients(loss, PARAMS, grads)
    with pytest.raises(GradientError) as caught:
        report.raise_if_wrong()
    assert isinstance(caught.value, AssertionError)
    assert str(report) in str(caught.value)


def test_what_is_raised_says_wrong_only_of_a_wrong_gradient():
    grads = {"layer": gradients()["layer"], "b": 2.0 * gradients()["b"]}
    with pytest.raises(GradientError, match=r"^a gradient is wrong"):
        check_gradients(loss, PARAMS, grads).raise_if_wrong()
    with pytest.raises(GradientError, match=r"^the check did not pass"):
        check_gradients(lambda w: (np.abs(w) ** 3).sum() + 1e13, B, 3 * np.abs(B) * B).raise_if_wrong()


def test_the_text_table():
    grads = gradients()
    grads["b"] = 2.0 * grads["b"]
    lines = str(check_gradients(loss, PARAMS, grads)).splitlines()
    assert re.split(r"\s{2,}", lines[0]) == [
        "array", "shape", "rel. error", "entry", "analytic", "numeric", "verdict"
    ]
    first, second = re.split(r"\s{2,}", lines[1]), re.split(r"\s{2,}", lines[2])
    assert (first[0], first[1], first[-1]) == ("layer.W", "3×2", "right")
    assert (second[0], second[1], second[-1]) == ("b", "2", "WRONG")
    assert float(second[4]) == pytest.approx(2.0 * float(second[5]), rel=1e-5)
    assert lines[-1] == "2 gradients checked by complex: 1 wrong"
    assert str(check_gradients(loss, PARAMS, gradients())).splitlines()[-1].startswith(
        "2 gradients checked by complex: all right, largest relative error "
    )


class Tables(html.parser.HTMLParser):
    """Collects the tags and what stands in them."""

    def __init__(self, text):
        super().__init__()
        self.opened, self.closed, self.scopes, self.words = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.opened.append(tag)
        self.scopes += [value for name, value in attributes if name == "scope"]

    def handle_endtag(self, tag):
        self.closed.append(tag)

    def handle_data(self, data):
        self.words.append(data)


def test_the_table_in_a_notebook():
    params = {"<b>W</b> & co": np.array([0.5, 1.5])}
    grads = {"<b>W</b> & co": np.array([1.0, 1.0]), "<i>": np.ones(1)}
    page = Tables(check_gradients(lambda p: (p["<b>W</b> & co"] ** 2).sum(), params, grads)._repr_html_())
    assert sorted(page.opened) == sorted(page.closed)
    assert page.opened.count("table") == page.opened.count("caption") == page.opened.count("thead") == 1
    assert page.scopes == ["col"] * 7 + ["row"]
    assert "i" not in page.opened
    assert "<b>W</b> & co" in page.words  # escaped: it is text, not a tag
    assert "WRONG" in page.words  # the verdict is a word
    assert any("'<i>', which is no parameter" in word for word in page.words)


def test_an_unknown_row_is_named():
    report = check_gradients(loss, PARAMS, gradients())
    with pytest.raises(KeyError, match=r"no row 'W'; it has layer\.W, b"):
        report["W"]


# The picture


def test_plot_shows_the_worst_array_entry_by_entry():
    params = {"W": np.arange(6.0).reshape(2, 3) + 1, "b": np.ones(2)}
    grads = {"W": 2 * params["W"], "b": 2 * params["b"]}
    grads["W"][1, 2] += 3.0
    report = check_gradients(lambda at: (at["W"] ** 2).sum() + (at["b"] ** 2).sum(), params, grads)
    axes = report.plot().axes[0]
    assert axes.get_title(loc="left").startswith("W: WRONG")
    shown = np.asarray(axes.images[0].get_array())
    assert shown.shape == (2, 3)
    assert np.unravel_index(np.argmax(shown), shown.shape) == (1, 2)
    assert float(report["W"].gradient[1, 2] - report["W"].measured[1, 2]) == pytest.approx(3.0)
    assert report.plot("b").axes[0].get_title(loc="left").startswith("b: right")


def test_plot_refuses_what_was_not_compared_entry_by_entry():
    report = check_gradients(lambda at: (at**2).sum(), np.ones(3), np.ones(2))
    with pytest.raises(ArgumentError, match="was not compared entry by entry"):
        report.plot()
    with pytest.raises(KeyError):
        report.plot("nothing")


def test_plot_of_a_cells_report_has_the_rows_own_names():
    report = check_cell(RNNCell(2, 3), rng=np.random.default_rng(0))
    for row in report.rows:
        axes = report.plot(row.name).axes[0]
        assert axes.get_title(loc="left").startswith(f"{row.name}: right, largest error ")
        assert axes.get_title(loc="left").endswith(" by complex")
        assert np.asarray(axes.images[0].get_array()).size == np.prod(row.shape)
    axes = report.plot("xs (masked)").axes[0]  # (T, N, D): a row for each step and sequence
    T, N, D = report["xs (masked)"].shape
    assert np.asarray(axes.images[0].get_array()).shape == (T * N, D)
    assert axes.get_yticklabels()[0].get_text() == "0, 0"
    assert axes.get_yticklabels()[1].get_text() in {f"{t}, {n}" for t in range(T) for n in range(N)}


def test_plot_names_the_method_of_its_own_row():
    params = {"safe": B, "unsafe": B}
    grads = {"safe": 2 * B, "unsafe": np.sign(B)}
    report = check_gradients(lambda p: (p["safe"] ** 2).sum() + np.abs(p["unsafe"]).sum(), params, grads)
    whole = joined([renamed(report, lambda name: f"{name} (masked)"), report], [])
    assert report.method == whole.method == "complex and central"  # each once, whatever was joined
    for name, method in (("safe (masked)", "complex"), ("unsafe", "central")):
        assert whole.plot(name).axes[0].get_title(loc="left").endswith(f" by {method}")


def test_plot_leaves_out_what_is_not_finite():
    grads = gradients()
    for bad in (np.nan, -np.inf):
        grads["layer"]["W"][1, 0] = bad
        shown = check_gradients(loss, PARAMS, grads).plot().axes[0].images[0].get_array()
        assert np.argwhere(np.ma.getmaskarray(shown)).tolist() == [[1, 0]]
    grads["layer"]["W"][:] = np.nan
    with pytest.raises(ArgumentError, match=r"GradientReport.plot: layer.W has no finite entry"):
        check_gradients(loss, PARAMS, grads).plot()
    empty = {"w": B, "e": np.zeros((0, 2))}
    report = check_gradients(lambda p: (p["w"] ** 2).sum(), empty, {"w": 2 * B, "e": np.zeros((0, 2))})
    with pytest.raises(ArgumentError, match="e has no finite entry"):
        report.plot("e")
    with pytest.raises(ArgumentError, match="has no finite entry to follow"):
        report.plot_steps("e")


# The explanation


def explained(text):
    grads = gradients()
    grads["b"] = 2.0 * grads["b"]
    return replace(check_gradients(loss, PARAMS, grads), explanation=text)


def test_an_explanation_stands_at_the_very_end_and_is_raised_with_the_report():
    report = explained("b is twice too large:\n  a factor of 2 is counted <twice> & once more")
    plain = str(replace(report, explanation=""))
    assert plain.endswith(": 1 wrong")  # without one nothing is added, not even a line
    assert str(report) == f"{plain}\n\n{report.explanation}"
    with pytest.raises(GradientError) as caught:
        report.raise_if_wrong()
    assert str(caught.value).endswith(report.explanation)
    page = report._repr_html_()
    assert page == replace(report, explanation="")._repr_html_() + (
        "<pre>b is twice too large:\n  a factor of 2 is counted &lt;twice&gt; &amp; once more</pre>"
    )
    assert check_gradients(loss, PARAMS, gradients()).explanation == ""


def test_explanations_survive_renaming_and_joining():
    one, other, none = explained("the first"), explained("the second"), explained("")
    assert renamed(one, str.upper).explanation == "the first"
    assert joined([one, none, one, other], []).explanation == "the first\n\nthe second"
    assert joined([none], ["a finding"]).explanation == ""
