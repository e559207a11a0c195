"""Make sklearn_metrics.json from scikit-learn: `python tests/reference/make_metrics.py` writes, `--check` compares.

It needs a virtual environment of its own with scikit-learn==1.9.1 (which brings numpy); the tests read the file and
need no scikit-learn. NaN is written as null.
"""

from __future__ import annotations

import json
import math
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
from sklearn import metrics

FILE = Path(__file__).with_name("sklearn_metrics.json")
SCORES = {"precision": metrics.precision_score, "recall": metrics.recall_score, "f1": metrics.f1_score}
AVERAGES = ("macro", "micro", "weighted", None)
WORDS = np.array(["noun", "verb", "adjective", "ADV", "名词"])


def plain(value: Any) -> Any:
    """Return numbers as JSON holds them."""
    if isinstance(value, np.ndarray | list):
        return [plain(entry) for entry in value]
    return None if math.isnan(value) else float(value)


def labels_of(rng: np.random.Generator, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw targets and predictions: some classes rare, never predicted or never true; every fifth pair are words."""
    K, n = int(rng.integers(2, 6)), int(rng.choice([1, 2, 5, 20, 80]))
    shares = rng.dirichlet(np.full(K, 0.5), 2)
    targets = rng.choice(K, n, p=shares[0])
    right = rng.random(n) < rng.choice([0.0, 0.3, 0.7, 0.95, 1.0])
    predictions = np.where(right, targets, rng.choice(K, n, p=shares[1]))
    if index % 5 == 4:
        return WORDS[targets], WORDS[predictions]
    if index % 5 == 3:  # classes that are not 0 … K − 1
        return targets * 7 - 3, predictions * 7 - 3
    return targets, predictions


def classification(targets: np.ndarray, predictions: np.ndarray) -> dict[str, Any]:
    """Score one pair under every choice that scikit-learn has a value for."""
    known = np.unique(np.concatenate([targets, predictions]))
    case: dict[str, Any] = {
        "targets": targets.tolist(), "predictions": predictions.tolist(), "labels": known.tolist(),
        "confusion": metrics.confusion_matrix(targets, predictions, labels=known).tolist(),
        "accuracy": float(metrics.accuracy_score(targets, predictions)),
        "balanced": plain(np.nanmean(metrics.recall_score(targets, predictions, average=None, zero_division=np.nan))),
        "scores": [],
    }
    for name, score in SCORES.items():
        for zero in (0.0, 1.0, math.nan):
            for average in AVERAGES:
                value = score(targets, predictions, average=average, zero_division=zero)
                case["scores"].append([name, average, None, plain(zero), plain(value)])
            if len(known) == 2:
                for label in known.tolist():
                    value = score(targets, predictions, average="binary", pos_label=label, zero_division=zero)
                    case["scores"].append([name, "binary", label, plain(zero), plain(value)])
    return case


def regression(targets: np.ndarray, predictions: np.ndarray) -> dict[str, Any]:
    """Score one pair, as one output or as several."""
    case: dict[str, Any] = {"targets": targets.tolist(), "predictions": predictions.tolist()}
    functions = {
        "mse": metrics.mean_squared_error, "rmse": metrics.root_mean_squared_error,
        "mae": metrics.mean_absolute_error, "r2": metrics.r2_score,
    }
    for name, function in functions.items():
        case[name] = plain(function(targets.ravel(), predictions.ravel()))
        if targets.ndim == 2:
            case[f"{name} per output"] = plain(function(targets, predictions, multioutput="raw_values"))
    return case


def make() -> dict[str, Any]:
    """Return everything the file holds."""
    rng = np.random.default_rng(20)
    pairs = [labels_of(rng, index) for index in range(80)]
    pairs += [  # edges: one class, all wrong, each class once, two classes of which one is never predicted
        (np.array([0]), np.array([0])), (np.array([0, 0, 0]), np.array([0, 0, 0])),
        (np.array([1, 1]), np.array([0, 0])), (np.array([0, 1, 2, 3]), np.array([3, 2, 1, 0])),
        (np.array([0] * 97 + [1] * 3), np.zeros(100, int)), (np.array([0] * 97 + [1] * 3), np.ones(100, int)),
        (np.array([-1, 2**40, -1]), np.array([-1, -1, 2**40])),
    ]
    numbers = []
    for index in range(40):
        shape = (int(rng.choice([2, 3, 10, 40])), *((int(rng.integers(1, 5)),) if index % 2 else ()))
        targets = rng.normal(rng.choice([0.0, 5.0, -300.0]), rng.choice([1e-3, 1.0, 1e3]), shape)
        numbers.append((targets, targets + rng.choice([0.0, 0.1, 1.0, 10.0]) * rng.standard_normal(shape)))
    numbers += [(np.array([3.0, -0.5, 2.0, 7.0]), np.array([2.5, 0.0, 2.0, 8.0])),
                (np.array([1.0, 2.0, 3.0]), np.array([3.0, 2.0, 1.0])),
                (np.array([1e100, -1e100]), np.array([0.0, 1e99])), (np.array([1e-100, 3e-100]), np.zeros(2))]
    return {
        "scikit-learn": sklearn.__version__, "numpy": np.__version__,
        "classification": [classification(*pair) for pair in pairs],
        "regression": [regression(*pair) for pair in numbers],
    }


def main() -> int:
    """Write the file, or compare it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of every class without predictions
        made = json.loads(json.dumps(make()))
    if "--check" not in sys.argv:
        FILE.write_text(json.dumps(made, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
        print(f"{FILE.name}: {len(made['classification'])} + {len(made['regression'])} pairs")
        return 0
    saved = json.loads(FILE.read_text(encoding="utf-8"))
    same = all(saved[part] == made[part] for part in ("classification", "regression"))
    print(f"{FILE.name}, made with scikit-learn {saved['scikit-learn']}: " + ("the same" if same else "differs"))
    return int(not same)


if __name__ == "__main__":
    sys.exit(main())
