"""The checks of §5 Q5 pass for the right measures, with every seed tried, and fail for near misses of each."""

import math

import numpy as np
import pytest

from rnn_from_scratch.article import verify
from rnn_from_scratch.metrics import classification, regression, text

SCORES = {name: getattr(classification, name) for name in ("accuracy", "precision", "recall", "f1")}
mae, corpus_bleu = regression.mae, text.corpus_bleu


def failed():
    return {row.equation.split(" = ")[0] for row in verify(["Q5"], ["complex"], seed=1) if not row.ok}


@pytest.mark.parametrize("seed", range(6))
def test_the_package_passes(seed):
    rows = verify(["Q5"], ["central", "complex"], seed)
    assert [row.equation.split(" = ")[0] for row in rows] == ["accuracy", "precision", "recall", "F1", "MAE", "BLEU"]
    assert all(row.ok and not row.errors for row in rows), rows


def test_all_is_proven_here():
    assert failed() == set()


def exchanged(name):
    """The arguments in the wrong order."""
    return lambda targets, predictions, *rest, **choices: SCORES[name](predictions, targets, *rest, **choices)


def without_mask(name):
    return lambda targets, predictions, mask=None, **choices: SCORES[name](targets, predictions, **choices)


def other(name):
    return lambda *arguments, **choices: SCORES[name](*arguments, **choices)


def arithmetic(*arguments, **choices):
    """The arithmetic mean of precision and recall for the harmonic one."""
    return (SCORES["precision"](*arguments, **choices) + SCORES["recall"](*arguments, **choices)) / 2


def always(average):
    return lambda *arguments, **choices: SCORES["f1"](*arguments, **{**choices, "average": average})


@pytest.mark.parametrize(("name", "wrong", "row"), [
    ("accuracy", without_mask("accuracy"), "accuracy"),
    ("accuracy", lambda t, p, m: 1 - SCORES["accuracy"](t, p, m), "accuracy"),
    ("precision", exchanged("precision"), "precision"), ("precision", without_mask("precision"), "precision"),
    ("precision", other("recall"), "precision"), ("precision", other("f1"), "precision"),
    ("recall", exchanged("recall"), "recall"), ("recall", without_mask("recall"), "recall"),
    ("recall", other("precision"), "recall"),
    ("f1", arithmetic, "F1"), ("f1", without_mask("f1"), "F1"), ("f1", other("precision"), "F1"),
    ("f1", always("macro"), "F1"), ("f1", always("weighted"), "F1"),
])
def test_a_wrong_score_fails_its_row(name, wrong, row, monkeypatch):
    monkeypatch.setattr(classification, name, wrong)
    assert failed() == {row}


@pytest.mark.parametrize("wrong", [
    lambda t, p, m: regression.rmse(t, p, m), lambda t, p, m: mae(t, np.nan_to_num(p)),
    lambda t, p, m: mae(t, p, m) / 2, lambda t, p, m: abs(float((p - t)[m].mean())),
    lambda t, p, m: float(np.median(np.abs(p - t)[m])),
])
def test_a_wrong_mae_fails_its_row(wrong, monkeypatch):
    monkeypatch.setattr(regression, "mae", wrong)
    assert failed() == {"MAE"}


def without_brevity(hypotheses, references, **choices):
    found = corpus_bleu(hypotheses, references, **choices)
    return found._replace(score=found.score / found.brevity_penalty)


def mean_of_sentences(hypotheses, references, **choices):
    each = [corpus_bleu([one], [own], **choices) for one, own in zip(hypotheses, references, strict=True)]
    return each[0]._replace(score=sum(one.score for one in each) / len(each))


def arithmetic_mean(hypotheses, references, **choices):
    found = corpus_bleu(hypotheses, references, **choices)
    return found._replace(score=found.brevity_penalty * sum(found.precisions) / 4)


@pytest.mark.parametrize("wrong", [
    without_brevity, mean_of_sentences, arithmetic_mean,
    lambda hypotheses, references, **choices: corpus_bleu(hypotheses, references, **{**choices, "max_order": 3}),
    lambda hypotheses, references, **choices: corpus_bleu(hypotheses, [own[:1] for own in references], **choices),
    lambda hypotheses, references, **choices: corpus_bleu(hypotheses, references, smoothing="add-k"),
])
def test_a_wrong_bleu_fails_its_row(wrong, monkeypatch):
    monkeypatch.setattr(text, "corpus_bleu", wrong)
    assert failed() == {"BLEU"}


def test_the_definition_of_bleu_gives_a_value_known_by_hand():
    from rnn_from_scratch.article.metric_proofs import _bleu_by_definition

    words = {word: index for index, word in enumerate(["there", "is", "a", "small", "cat", "on", "the", "mat"])}
    hypothesis = [words[word] for word in ["there", "is", "a", "cat", "on", "the", "mat"]]
    score = _bleu_by_definition([hypothesis], [[list(words.values())]])
    assert score == pytest.approx(100 * math.exp(-1 / 7) * (7 / 7 * 5 / 6 * 3 / 5 * 1 / 4) ** 0.25, abs=1e-12)
