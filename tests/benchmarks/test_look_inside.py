"""The networks of notebook 17: their start is the claim's, and what is saved is as good as the claim says."""

import numpy as np
import pytest

from benchmarks import look_inside
from benchmarks.machine import RESULTS, load_result
from rnn_from_scratch.arrays import leaves
from rnn_from_scratch.article.claims import c12
from rnn_from_scratch.training import load_params


def test_a_short_run_starts_where_the_saved_one_did(tmp_path):
    paths = look_inside.save_networks(tmp_path, updates=1)
    assert [path.name for path in paths] == ["look_inside_rnn.npz", "look_inside_lstm.npz"]
    for path in paths:
        found, saved = load_params(path), load_params(RESULTS / path.name)
        assert found.keys() == saved.keys() == {"before", "after"}
        for (name, array), (other_name, other) in zip(leaves(found["before"]), leaves(saved["before"]), strict=True):
            assert name == other_name
            np.testing.assert_allclose(array, other, rtol=1e-12, atol=1e-15)  # an orthogonal matrix comes from a QR
        assert any((array != other).any() for (_, array), (_, other) in zip(
            leaves(found["before"]), leaves(found["after"]), strict=True))


@pytest.mark.parametrize("name", c12.CELLS)
def test_the_saved_networks_are_the_claims(name):
    """Their figures are those of the claim's first seed."""
    params = load_params(RESULTS / f"look_inside_{name.lower()}.npz")["after"]
    row = load_result("claim_c12")["cells"][name][look_inside.SEED]
    rng = np.random.default_rng([look_inside.SEED, 12])
    fit, test = (c12.asides(rng=rng, T=c12.TEST_STEPS, N=c12.TEST_SEQUENCES) for _ in range(2))
    loss, _, _ = c12.model_of(name).loss_and_grads(params, test.signs[:-1], test.signs[1:])
    assert abs(loss - row["loss"]) < 2e-3
    assert c12.right_brackets(params, c12.run_text(name, params, test), test) == row["right"] == 1.0
    units = c12.units(name, params, fit, test)
    np.testing.assert_allclose(units["shown"], row["units"]["shown"], atol=0.02)
