"""Make bleu.json from sacreBLEU: `python tests/reference/make_bleu.py` writes, `--check` recomputes and compares.

It needs a virtual environment of its own with sacrebleu==2.6.0 (which brings numpy); the tests read the file and need
no sacreBLEU. The file holds the corpora, the scores of each under many choices, and lines with their 13a tokens.
References stand as in this package, a list for each hypothesis; here they are turned into sacreBLEU's streams.
"""

from __future__ import annotations

import itertools
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import sacrebleu
from sacrebleu.metrics import BLEU

FILE = Path(__file__).with_name("bleu.json")

GUIDE = [  # Papineni et al. (2002), example 1
    "It is a guide to action that ensures that the military will forever heed Party commands.",
    "It is the guiding principle which guarantees the military forces always being under the command of the Party.",
    "It is the practical guide for the army always to heed the directions of the party.",
]
CORPORA: dict[str, dict[str, list[Any]]] = {
    "papineni": {
        "hypotheses": [
            "It is a guide to action which ensures that the military always obeys the commands of the party.",
            "It is to insure the troops forever hearing the activity guidebook that party direct.",
            "the the the the the the the.",
        ],
        "references": [GUIDE, GUIDE, ["The cat is on the mat.", "There is a cat on the mat."]],
    },
    "punctuation": {
        "hypotheses": [
            'He said: "It costs $3.14, not 1,000.50!" (really?)',
            "A well-known 2-year-old's rock-'n'-roll; don't & won't",
            "Wait... what?! e-mail me@example.org, 50% off -- from 10-12.5 to -7",
            "x = a[i]*{b} <skipped>^ c_d | ~e \\ f/g `h` #1 +2",
            "The end.5 ,5 5, .5 5. U.S.A. and so on,",
        ],
        "references": [
            ['He said: "It costs $3.14, not 1000.50!" (really?)'],
            ["A well known 2-year-old's rock 'n' roll; do n't &amp; wo n't"],
            ["Wait ... what? e-mail me@example.org, 50 % off - from 10 - 12.5 to -7"],
            ["x = a [i] * {b} ^ c_d | ~ e \\ f / g `h` # 1 + 2"],
            ["The end .5 , 5 5 , .5 5 . U.S.A . and so on ,"],
        ],
    },
    "entities": {
        "hypotheses": [
            "if a &lt; b &amp;&amp; c &gt; d then &quot;yes&quot;", "&amp;lt;b&amp;gt; is &amp;amp; not &apos;",
        ],
        "references": [['if a < b && c > d then "yes"', "if a<b&&c>d: 'yes'"], ["<b> is & not &apos;"]],
    },
    "chinese": {
        "hypotheses": ["循环神经网络能处理序列数据。", "今天天气很好，我们去公园散步吧！", "梯度 消失 了 。"],
        "references": [
            ["循环神经网络可以处理序列数据。", "循环神经网络能够处理时间序列。"],
            ["今天天气真好，我们去公园走走吧！"],
            ["梯度 爆炸 了 。", "梯度消失了。"],
        ],
    },
    "other scripts": {
        "hypotheses": [
            "Der schnelle braune Fuchs läuft über die Straße – „schön“, oder?",
            "«Ça va?» demanda-t-elle à l’hôtel …",
            "full\u3000width １２，３４ and\u00a0no\u2009break spaces",
            "أهلا وسهلا ١٢٫٥ ،بكم",
            "e\u0301 is not é, 🙂🙂 is two",
        ],
        "references": [
            ["Der flinke braune Fuchs läuft über die Straße – „schön“, oder?"],
            ["« Ça va ? » demanda-t-elle à l’hôtel…", "«Ça va?» a-t-elle demandé à l'hôtel ..."],
            ["full width １２，３４ and no break spaces"],
            ["أهلا وسهلا ١٢٫٥ ، بكم"],
            ["é is not é, 🙂 is one"],
        ],
    },
    "empty lines": {
        "hypotheses": ["", "a cat sat on the mat", "   ", "the end of the story", ""],
        "references": [["nothing here"], ["a cat sat on a mat"], [""], ["", "the end of a story"], ["", ""]],
    },
    "all empty": {"hypotheses": ["", ""], "references": [["a b c"], ["d"]]},
    "nothing at all": {"hypotheses": [""], "references": [[""]]},
    "short": {
        "hypotheses": ["yes", "no way", "I do not"], "references": [["yes"], ["no way out"], ["I do", "we do not"]],
    },
    "two tokens": {"hypotheses": ["of the"], "references": [["the hall of the king and of the queen"]]},
    "identical": {
        "hypotheses": ["a b c d", "the cat is here today", "x"],
        "references": [["a b c d"], ["the dog", "the cat is here today"], ["x"]],
    },
    "identical but short": {"hypotheses": ["a b c", "d"], "references": [["a b c"], ["d"]]},
    "no match": {"hypotheses": ["a b c d e f", "g"], "references": [["p q r s t"], ["h", "i j"]]},
    "words without pairs": {"hypotheses": ["d c b a e g f"], "references": [["a b c d e f g h"]]},
    "a tie of lengths": {
        "hypotheses": ["a b c d e f", "g h i j k"],
        "references": [["a b c d e f g h", "a b c d"], ["g h i", "g h i j k l m", "g"]],
    },
    "closest is shorter": {"hypotheses": ["a b c d e f g"], "references": [["a b c d e f", "a b c d e f g h i j k l"]]},
    "clipping over references": {
        "hypotheses": ["a a a b b b a b a b c"],
        "references": [["a a b c c", "b b b a", "a b a b a"]],
    },
    "tokenised already": {
        "hypotheses": ["Hello , world .", "It 's 5 o 'clock , is n't it ?", "New-York 's 3.5 %"],
        "references": [["Hello , World ."], ["It 's five o 'clock , is n't it ?"],
                       ["New York 's 3.5 %", "New-York 's 3.5"]],
    },
    "line breaks": {
        "hypotheses": ["a hyphen-\nated word\nand more\t tabs ", "ends with a hyphen-\n",
                       "carriage\r\nreturn\x0band\x1cothers"],
        "references": [["a hyphenated word and more tabs"], ["ends with a hyphen-"], ["carriage return and others"]],
    },
}  # fmt: skip


def random_corpus(seed: int, sentences: int, words: str) -> dict[str, list[Any]]:
    """Return sentences over a few words and noisy copies of them, with one to four references each."""
    rng = np.random.default_rng(seed)
    hypotheses, references = [], []
    for _ in range(sentences):
        base = rng.choice(list(words), rng.integers(1, 15))
        noisy = [
            [str(rng.choice(list(words))) if rng.random() < 0.25 else str(word) for word in base if rng.random() > 0.1]
            for _ in range(rng.integers(1, 5))
        ]
        hypotheses.append(" ".join(base))
        references.append([" ".join(one) for one in noisy])
    return {"hypotheses": hypotheses, "references": references}


CORPORA["random, few words"] = random_corpus(1, 12, "abc")
CORPORA["random, many words"] = random_corpus(2, 25, "abcdefghijklmnopqrstuvw")

SMOOTHINGS: list[dict[str, Any]] = [
    {"smoothing": "none"}, {"smoothing": "exp"}, {"smoothing": "floor"}, {"smoothing": "add-k"},
    {"smoothing": "floor", "smoothing_value": 0.01}, {"smoothing": "add-k", "smoothing_value": 0.5},
]  # fmt: skip
LINES = [
    *(line for corpus in CORPORA.values() for line in corpus["hypotheses"]),
    *("a" + mark + "b " + mark + " 1" + mark + "2 " + mark * 3 for mark in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    "...", ".", "-", "1-", "-1", "a.-1,b-.2", "1,.2", ",,1,,", "1.a", "a.1", "  spaces  ", "<skipped>", "&amp;quot;",
    "x<skip<skipped>ped>y", "&am&amp;p;", "é.ü,ß", "٣.٤", "٣.5 5.٣", "٣-1", "２.５",
    "a-\n\nb", "-\n-\n", "\n", "‐ – — ’ … 、。",
]  # fmt: skip


def choices() -> list[tuple[str, int | None, dict[str, Any]]]:
    """Return (corpus, sentence or None for all of it, options) for each case."""
    made: list[tuple[str, int | None, dict[str, Any]]] = []
    for name, corpus in CORPORA.items():
        made += [(name, None, {}), (name, None, {"effective_order": True})]
        made += [(name, None, {"tokenize": tokenize}) for tokenize in ("none", "char", "13a")]
        if not name.startswith("random"):
            made += [(name, index, {}) for index in range(len(corpus["hypotheses"]))]
    smoothed = ["papineni", "empty lines", "all empty", "short", "two tokens", "no match", "words without pairs",
                "identical but short", "random, few words"]  # fmt: skip
    for name, smoothing, effective in itertools.product(smoothed, SMOOTHINGS, (False, True)):
        made.append((name, None, {**smoothing, "effective_order": effective}))
    for name, smoothing in itertools.product(["papineni", "short", "empty lines"], SMOOTHINGS):
        made += [(name, index, smoothing) for index in range(3)]
    made += [("short", index, {"effective_order": False}) for index in range(3)]
    for name, order in itertools.product(["papineni", "short", "random, many words"], (1, 2, 3, 6)):
        made += [(name, None, {"max_order": order}), (name, None, {"max_order": order, "effective_order": True})]
    made += [("chinese", index, {"tokenize": "char", **smoothing}) for index in range(3) for smoothing in SMOOTHINGS]
    return made


def compute(name: str, sentence: int | None, options: dict[str, Any]) -> dict[str, Any]:
    corpus = CORPORA[name]
    chosen = {"smooth_method": options.get("smoothing", "exp"), "smooth_value": options.get("smoothing_value"),
              "tokenize": options.get("tokenize", "13a")}  # fmt: skip
    if sentence is not None:  # sacreBLEU's own default of effective order, unless one is chosen
        if "effective_order" in options:
            chosen["use_effective_order"] = options["effective_order"]
        found = sacrebleu.sentence_bleu(corpus["hypotheses"][sentence], corpus["references"][sentence], **chosen)
    else:
        streams = list(itertools.zip_longest(*corpus["references"]))
        metric = BLEU(
            **chosen, force=True, effective_order=options.get("effective_order", False),
            max_ngram_order=options.get("max_order", 4),
        )
        found = metric.corpus_score(corpus["hypotheses"], streams)
    return {
        "corpus": name, "sentence": sentence, "options": options, "score": found.score, "precisions": found.precisions,
        "brevity_penalty": found.bp, "system_length": found.sys_len, "reference_length": found.ref_len,
        "counts": found.counts, "totals": found.totals, "line": str(found),
    }  # fmt: skip


def make() -> dict[str, Any]:
    tokens = [[line, BLEU(tokenize="13a")._preprocess_segment(line).split()] for line in dict.fromkeys(LINES)]
    return {
        "sacrebleu": sacrebleu.__version__, "corpora": CORPORA, "tokens": tokens,
        "cases": [compute(*choice) for choice in choices()],
    }


def same(one: Any, other: Any) -> bool:
    """Compare, floats to 1e-10."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return math.isclose(one, other, rel_tol=0.0, abs_tol=1e-10)
    return bool(one == other)


def main() -> int:
    made = make()
    counted = f"{len(made['cases'])} scores and {len(made['tokens'])} lines from sacreBLEU {sacrebleu.__version__}"
    if "--check" not in sys.argv:
        # One line a case or corpus: a change shows as such in a diff.
        parts = [f'"{key}": {pretty(value)}' for key, value in made.items()]
        FILE.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")
        print(f"{FILE.name}: {counted}")
        return 0
    saved = json.loads(FILE.read_text(encoding="utf-8"))
    made = json.loads(json.dumps(made))
    wrong = [key for key in ("corpora", "tokens", "cases") if not same(made[key], saved[key])]
    told = f"{wrong} differ" if wrong else "the same"
    print(f"{FILE.name}, made with {saved['sacrebleu']}, against {counted}: {told}")
    return int(bool(wrong))


def pretty(value: Any) -> str:
    if isinstance(value, dict):
        return "{\n" + ",\n".join(f' "{key}": {on_one_line(one)}' for key, one in value.items()) + "\n}"
    if isinstance(value, list):
        return "[\n" + ",\n".join(f" {on_one_line(one)}" for one in value) + "\n]"
    return on_one_line(value)


def on_one_line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())
