"""The V curve marks the best step; δ is counted from step 1."""

import numpy as np

from rnn_from_scratch import plots


def test_v_curve_marks_the_best_step_and_both_sides():
    h = np.logspace(-12, 0, 13)
    (axes,) = plots.v_curve(h, {"float64": 1e-16 / h + h**2, "complex": np.where(h < 1e-3, 0, h**2)}).axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "float64\nbest h = 1e−6" in names
    assert "complex\nexactly 0 at 9 of 13 steps" in names
    best = [line for line in axes.get_lines() if line.get_markersize() == 12]
    assert [float(line.get_xdata()[0]) for line in best] == [h[6]]
    sides = {text.get_text().split(":")[0]: text.get_position()[0] for text in axes.texts}
    assert sides["← rounding"] < 0.5 < sides["truncation"]
    # The captions are above the highest point of the data.
    assert axes.transAxes.inverted().transform(axes.transData.transform((1, 1.0)))[1] < 0.85


def test_v_curve_marks_usual_steps_and_slopes():
    h = np.logspace(-12, 0, 25)
    y = 1e-16 / h + h**2
    y[-1] = np.nan  # a gap
    (axes,) = plots.v_curve(
        h, {"central": y, "complex": np.full(25, 1e-16)}, defaults={"central": 3e-6, "complex": 1e-20},
        branches={"slope −1": (-1, 1e-9, 1e-7), "slope 2": (2, 1e-2, 1e-4), "out of sight": (0, 1e-3, 1e-90)},
    ).axes
    (usual,) = [line for line in axes.get_lines() if line.get_markeredgecolor() == "#000000"]
    assert usual.get_xdata()[0] == 3e-6
    between = np.exp(np.interp(np.log(3e-6), np.log(h[:-1]), np.log(y[:-1])))
    np.testing.assert_allclose(usual.get_ydata()[0], between)  # on the curve
    names = [text.get_text() for text in axes.texts]
    assert any(name.startswith("central\nbest h = ") and name.endswith("\nusual h = 3e−6") for name in names)
    assert any(name.endswith("\nusual h = 1e−20 (further left)") for name in names)
    guides = [line for line in axes.get_lines() if line.get_linewidth() == 9]
    slopes = [np.polyfit(np.log(line.get_xdata()), np.log(line.get_ydata()), 1)[0] for line in guides]
    np.testing.assert_allclose(slopes, [-1, 2], rtol=1e-6)
    for line, (x, at) in zip(guides, ((1e-9, 1e-7), (1e-2, 1e-4)), strict=True):  # through their points
        np.testing.assert_allclose(np.interp(np.log(x), np.log(line.get_xdata()), np.log(line.get_ydata())), np.log(at))
    assert {"slope −1", "slope 2"} <= {text.get_text() for text in axes.texts}
    assert "out of sight" not in {text.get_text() for text in axes.texts}


def test_deltas_by_step_counts_from_one():
    norms = 0.739357 ** np.arange(20)[::-1]
    (axes,) = plots.deltas_by_step(norms).axes
    np.testing.assert_array_equal(axes.get_lines()[0].get_xdata(), np.arange(1, 21))
    np.testing.assert_array_equal(axes.get_lines()[0].get_ydata(), norms)
    assert axes.get_yscale() == "log"
    assert axes.get_xticks()[0] == 1
    assert axes.get_xticks()[-1] == 20
    assert not axes.texts
    for norms, logy in (([-1.0, 1.0], False), ([0.0, 0.0], True)):  # no logarithm of zeros alone
        assert plots.deltas_by_step(norms, logy=logy).axes[0].get_yscale() == "linear"
