"""What the tests of the cells share: a cell over a sequence, beside loops over single numbers."""

import numpy as np
import pytest

from rnn_from_scratch.arrays import leaves, tree_map
from rnn_from_scratch.bptt import unroll, unroll_backward


def draw_point(cell, seed, T=3, N=2):
    """Draw everything that a cell takes; x_proj is what is added to `project`, so that its slope is delta."""
    draw = np.random.default_rng(seed).standard_normal
    params = {name: draw(shape) for name, shape in cell.param_shapes().items()}
    xs, state = draw((T, N, cell.input_size)), [draw(part.shape) for part in cell.initial_state(N)]
    point = {"params": params, "xs": xs, "state": state, "x_proj": np.zeros(cell.project(params, xs).shape)}
    return point, draw((T, N, cell.hidden_size)), [draw(part.shape) for part in state]


def by_the_cell(cell, point, dhs, dfinal):
    params, xs = point["params"], point["xs"]
    hs, final, caches = unroll(cell, params, xs, tuple(point["state"]))
    dstates, deltas = unroll_backward(cell, params, dhs, caches, tuple(dfinal))
    dxs, grads = cell.param_grads(params, xs, caches, deltas)
    slopes = {"params": grads, "xs": dxs, "state": list(dstates[0]), "x_proj": np.stack(deltas)}
    return {"hs": hs, "final": list(final), "slopes": slopes}


def by_loops(step, point, dhs, dfinal):
    """Run `step` over each sequence alone; slopes are complex steps through the loops, one number after the other."""

    def run(at):
        params = {name: array.tolist() for name, array in at["params"].items()}
        xs, offsets = at["xs"].tolist(), at["x_proj"].tolist()
        hs, final = np.zeros(dhs.shape, complex), [np.zeros(part.shape, complex) for part in dfinal]
        for n in range(dhs.shape[1]):
            state = [part[n].tolist() for part in at["state"]]
            for t in range(dhs.shape[0]):
                state = step(params, xs[t][n], state, offsets[t][n])
                hs[t, n] = state[0]
            for part, numbers in zip(final, state, strict=True):
                part[n] = numbers
        return hs, final

    def loss(at):
        hs, final = run(at)
        return (dhs * hs).sum() + sum((d * part).sum() for d, part in zip(dfinal, final, strict=True))

    nudged, slopes = tree_map(lambda array: array.astype(complex), point), tree_map(np.zeros_like, point)
    for (_, array), (_, slope) in zip(leaves(nudged), leaves(slopes), strict=True):
        for index in np.ndindex(array.shape):
            array[index] += 1e-20j
            slope[index] = loss(nudged).imag / 1e-20
            array[index] = array[index].real
    hs, final = run(point)
    return {"hs": hs.real, "final": [part.real for part in final], "slopes": slopes}


@pytest.fixture
def same_as_loops():
    """A function that compares a cell, forward and backward, with one step written in loops.

    The step takes (params, x, state, offset), the numbers of one sequence in lists, and returns the state after.
    The offset is added to the pre-activations.
    """

    def compare(cell, step, seed):
        point, dhs, dfinal = draw_point(cell, seed)
        found = dict(leaves(by_the_cell(cell, point, dhs, dfinal)))
        expected = dict(leaves(by_loops(step, point, dhs, dfinal)))
        assert set(found) == set(expected)
        for name, wanted in expected.items():
            assert np.abs(wanted).max() > 0.01, f"{name} is almost 0 everywhere and proves nothing"
            np.testing.assert_allclose(found[name], wanted, rtol=1e-12, atol=1e-13, err_msg=name)

    return compare
