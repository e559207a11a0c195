"""What every exhibit of the museum tells: the wrong backward pass, the right one, and where the wrong one was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from ...arrays import Array, Params, State
from ..naming.suspects import KINDS as NAMES

LossAndGrads: TypeAlias = Callable[[Params, Array, Array, State], tuple[Array, Params]]

KINDS = tuple(kind for kind in NAMES if kind != "unknown")  # what an exhibit can be called
REFERENCES = ("rnn", "lstm", "gru", "gru-before")


@dataclass(frozen=True)
class Exhibit:
    """A backward pass that was published wrong, written anew, with the right one beside it.

    Both are called as `loss_and_grads(params, xs, targets, state) -> (losses, grads)`:

    params : {"W_xh", "W_hh", "b_h", "W_hy", "b_y"}
        Shapes and order of the gates as in the cell that `reference` names.
    xs, targets, state
        (T, N, D) float64; (T, N) int; (h0,) or (h0, c0), each (N, H).
    losses, grads
        (T, N), softmax cross-entropy at every step, unreduced; the gradients of its sum under the names of params,
        and where the story needs them under "xs", "h0" and "c0" too.

    The two functions differ in their names and in `line_wrong` and `line_right` (several lines are separated by a
    newline). What an original had beside that mistake, other mistakes included, was left out.

    Fields: `name` the key in EXHIBITS; `title` one line; `provenance` who published it, and as what; `source` where
    to read it; `confirmed` what was seen there, and in which version; `wrong_for` how long it stood, or "unknown";
    `what` goes wrong; `missed_by` which test or text should have seen it, and why it did not; `kind` one of KINDS;
    `reference` one of REFERENCES; `where` the arrays, gates and steps that come out wrong.

    Source: the exhibits' own; tests/diagnosis/test_museum.py proves each wrong and each right.
    """

    name: str
    title: str
    provenance: str
    source: str
    confirmed: str
    wrong_for: str
    what: str
    missed_by: str
    kind: str
    reference: str
    where: str
    wrong: LossAndGrads
    right: LossAndGrads
    line_wrong: str
    line_right: str
