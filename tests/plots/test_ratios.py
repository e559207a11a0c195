"""Each dot stands at its ratio, and the means in the lists are geometric."""

import numpy as np

from rnn_from_scratch import plots


def test_dots_stand_at_their_ratios_and_gaps_stay_empty():
    figure = plots.ratio_dots(
        ["small", "large"],
        {"training": {"RNN": [0.25, 1.0], "LSTM": [float("nan"), 2.0]}, "inference": {"RNN": [0.1, 0.1]}},
        xlabel="ours / theirs", ylabel="size",
    )  # fmt: skip
    training, inference = figure.axes
    even, rnn, lstm = training.lines
    assert list(even.get_xdata()) == [1.0, 1.0]  # where both are equally fast
    np.testing.assert_array_equal(rnn.get_xdata(), [0.25, 1.0])
    np.testing.assert_array_equal(lstm.get_xdata(), [np.nan, 2.0])
    assert list(rnn.get_ydata()) == [0, 1]
    assert training.get_xscale() == "log"
    assert training.yaxis.get_inverted()  # the first on top
    assert [tick.get_text() for tick in training.get_yticklabels()] == ["small", "large"]
    assert [text.get_text() for text in training.texts] == ["geometric mean: RNN 0.5, LSTM 2"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["RNN", "LSTM"]
    assert inference.lines[1].get_color() == rnn.get_color() != lstm.get_color()
    assert inference.get_title(loc="left") == "inference"
    for axes in figure.axes:
        low, high = axes.get_xlim()
        assert low < 0.25 < 2.0 <= high


def test_a_mean_slightly_above_one_is_not_called_one():
    figure = plots.ratio_dots(["a"], {"training": {"LSTM": [1.043]}}, xlabel="ours / theirs", ylabel="size")
    assert figure.axes[0].texts[0].get_text() == "geometric mean: LSTM 1.04"
