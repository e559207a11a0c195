"""The confusion matrix writes each count with the share of its true class, and colours by that share."""

import numpy as np
import pytest

from rnn_from_scratch import plots
from rnn_from_scratch.plots.confusion import _percent


def _at(axes):
    return {tuple(text.get_position()): text.get_text() for text in axes.texts}


def test_counts_shares_and_sums_stand_in_their_places():
    (axes,) = plots.confusion_matrix([[970, 0], [21, 9]], ["no", "yes"]).axes
    assert _at(axes) == {  # (column, row)
        (0, 0): "970\n100 %", (1, 0): "0\n0 %", (0, 1): "21\n70 %", (1, 1): "9\n30 %", (1.6, 0): "of 970",
        (1.6, 1): "of 30",
    }
    np.testing.assert_allclose(axes.images[0].get_array(), [[1.0, 0.0], [0.7, 0.3]])
    assert axes.get_ylabel() == "true"
    assert axes.get_xlabel() == "predicted"
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["no", "yes"]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["no", "yes"]


def test_the_colour_of_a_share_is_the_same_in_every_picture():
    images = [plots.confusion_matrix(matrix).axes[0].images[0] for matrix in ([[1, 1], [1, 1]], [[9, 0], [0, 9]])]
    colours = [image.cmap(image.norm(0.5)) for image in images]
    assert colours[0] == colours[1]
    grey = [float(np.dot(images[0].cmap(images[0].norm(share))[:3], (0.299, 0.587, 0.114))) for share in (0, 0.5, 1)]
    assert grey[0] - grey[1] > 0.2  # in grey too
    assert grey[1] - grey[2] > 0.2


def test_frames_are_on_the_diagonal_and_a_class_without_targets_is_empty():
    (axes,) = plots.confusion_matrix([[5, 0, 1], [0, 0, 0], [3, 12, 1900]]).axes
    assert [(line.get_xdata().mean().round(), line.get_ydata().mean().round()) for line in axes.lines] == [
        (0, 0), (2, 2)]
    written = _at(axes)
    assert not any(row == 1 and column < 2.5 for column, row in written)
    assert written[2.6, 1] == "of 0"
    assert np.ma.getmaskarray(axes.images[0].get_array())[1].all()


def test_more_than_eight_classes_are_shares_alone():
    matrix = np.eye(9, dtype=int) * 3 + 1
    axes, scale = plots.confusion_matrix(matrix).axes
    np.testing.assert_allclose(axes.images[0].get_array(), matrix / 12)
    assert scale.get_ylabel() == "share of the true class"


@pytest.mark.parametrize(("share", "text"), [
    (0.0, "0 %"), (1.0, "100 %"), (0.5, "50 %"), (0.004, "0.4 %"), (0.9962, "99.6 %"), (1e-5, "< 0.1 %"),
    (1 - 1e-5, "> 99.9 %"),
])
def test_a_share_is_told_from_none_and_all(share, text):
    assert _percent(share) == text
