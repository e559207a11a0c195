"""What the tests of the article's rows share."""

import numpy as np
import pytest

from rnn_from_scratch.gradcheck import verdict


@pytest.fixture(scope="session")
def measured():
    """What `same_forward` has measured so far."""
    return {}


@pytest.fixture
def same_forward(monkeypatch, measured):
    """Measure derivatives by the complex step once for all tests of wrong backward passes under one forward pass.

    They do not depend on the backward pass, and they are nearly all that such a test computes. Two losses that agree to
    the last bit at one array of random numbers are taken for the same function of it; another forward pass is another.
    """
    anew = verdict.numerical_gradient

    def once(loss, array, method):
        key = method, array.shape, array.tobytes(), np.complex128(loss(array.copy())).tobytes()
        if key not in measured:
            measured[key] = anew(loss, array, method)
        return measured[key].copy()

    monkeypatch.setattr(verdict, "numerical_gradient", once)
