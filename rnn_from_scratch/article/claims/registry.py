"""The thirteen claims in one list: what the article says, which experiment tests it, how long or short to run that."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ... import validate


class Claim(NamedTuple):
    """One claim of the article and its experiment."""

    id: str
    section: str
    claim: str  # in our words
    question: str
    notebook: str
    quick: dict[str, Any]  # arguments of a run of seconds
    whole: dict[str, Any]  # and of the command's whole run, where the module's own takes longer
    clock: bool = False  # whether it measures time by the wall's clock, and so must run alone

    @property
    def saved(self) -> str:
        """The name of its saved result under benchmarks/results."""
        return "compression" if self.id == "C2" else f"claim_{self.id.lower()}"

    def run(self, *, quick: bool = False, report: Callable[[str], None] | None = None) -> dict[str, Any]:
        """Run the experiment and return its result, with a verdict in words."""
        module = importlib.import_module(f"{__package__}.{self.id.lower()}")
        result: dict[str, Any] = module.run(**(self.quick if quick else self.whole), report=report)
        return result


CLAIMS: dict[str, Claim] = {claim.id: claim for claim in (
    Claim(
        "C1", "§1", "RNNs remember long-range dependencies", "do recurrent networks remember long-range dependencies?",
        "11", {"seeds": (0,), "tuning_seeds": (100,), "lags": (5, 40), "kinds": ("RNN, radius 0.8", "RNN, orthogonal"),
               "updates": 300},
        {"tuning_seeds": (100,), "lags": (10, 40, 80), "tasks": ("noise",),
         "kinds": ("RNN, radius 0.8", "RNN, orthogonal", "LSTM, forget bias 1", "LSTM, chrono start")},
    ),
    Claim(
        "C2", "§1.2, §4.3", "fewer parameters are faster", "are fewer parameters faster?", "16",
        {"seeds": (0,), "rates": (0.01,), "updates": 40, "units": 32, "points": ((64, 8, True),), "rounds": 3},
        {"rates": (0.01, 0.03)},
    ),
    Claim(
        "C3", "§1.2", "more parallelism trains and infers faster", "is doing more at once faster?", "16",
        {"batches": (1, 16), "learners": (4, 64), "rates": (0.03,), "seeds": (0,), "shapes": ((1000, 8), (1000, 2048)),
         "sizes": ((1, 1000, 32, 32),), "threaded": ((64, 50, 128, 256),), "rounds": 3}, {}, clock=True,
    ),
    Claim(
        "C4", "§1.2, §4.1, §4.2", "more efficient algorithms are faster",
        "are more efficient algorithms faster, with equal gradients?", "16",
        {"sizes": ((1, 100, 10, 5), (16, 100, 10, 32)), "lengths": (1, 10, 30), "rounds": 3}, {}, clock=True,
    ),
    Claim(
        "C5", "§2.3", "batch gradient descent trains faster, above all with large batches",
        "does batch gradient descent train faster?", "05",
        {"seeds": (0,), "batch_sizes": (8, 512), "rates": (0.1, 0.3), "rounds": 20},
        {"seeds": tuple(range(5)), "rates": (0.03, 0.1, 0.3, 1.0)}, clock=True,
    ),
    Claim(
        "C6", "§2.4", "the TRNN trains faster on long sequences", "does a TRNN train faster on long sequences?", "08",
        {"seeds": (0,), "rates": (0.01,), "seconds": 0.5, "rounds": 3},
        {"seeds": tuple(range(5)), "rates": (0.003, 0.01, 0.03), "seconds": 1.0},
    ),
    Claim(
        "C7", "§2.5", "truncating (clipping) the gradient avoids explosion", "does clipping avoid explosion?", "07",
        {"seeds": (0,), "rates": (0.03, 0.1), "updates": 300}, {},
    ),
    Claim(
        "C8", "§5 Q1", "gates cure vanishing and exploding gradients",
        "do gates cure vanishing and exploding gradients?", "11", {"seeds": (0,)}, {},
    ),
    Claim(
        "C9", "§5 Q2", "a small learning rate avoids overfitting but is slow, a large one overfits",
        "does a small learning rate avoid overfitting?", "06",
        {"seeds": (0, 1), "rates": (0.03, 0.3), "sizes": (64,)}, {},
    ),
    Claim(
        "C10", "§5 Q3", "missing values: deletion loses data, filling costs accuracy, a model can predict them",
        "which way with missing values costs how much?", "15",
        {"seeds": (0,), "missing": (0.2, 0.6), "sequences": 100, "filling_updates": 100, "forecast_updates": 60},
        {"missing": (0.2, 0.6)},
    ),
    Claim(
        "C11", "§5 Q4, §4.4", "LSTM and GRU, attention, a TRNN, depth and better optimisation help with long sequences",
        "do gates, attention, a TRNN and depth help with long sequences?", "13",
        {"seeds": (0,), "lags": (25, 100), "kinds": ("RNN", "RNN with attention", "LSTM (chrono start)"),
         "seconds": 1.0},
        {"lags": (25, 100), "seconds": 2.0},
    ),
    Claim(
        "C12", "§4.5", "visualisation makes hidden states and outputs explainable",
        "is what looking shows what the network uses?", "17",
        {"seeds": (0, 1, 2), "names": ("RNN",), "updates": 700}, {"seeds": tuple(range(5))},
    ),
    Claim(
        "C13", "§5 Q2", "the right learning rate depends on the model's complexity and the amount of data",
        "does the right learning rate depend on the model and the data?", "06",
        {"seeds": (0, 1), "widths": (4, 16), "sizes": (32, 256), "rates": (0.03, 0.1, 0.3)}, {},
    ),
)}


def chosen(ids: Sequence[str]) -> list[Claim]:
    """Return the claims of these ids (all without any), in the article's order; refuse one that there is not."""
    wanted = [name.upper() for name in ids]
    for name in wanted:
        if name not in CLAIMS:
            validate.fail("claims", f"{name!r} is no claim", f"one of {', '.join(CLAIMS)}")
    return [claim for name, claim in CLAIMS.items() if not wanted or name in wanted]
