"""Freeze the text of Python's own reference topics, what help("assignment") shows, from `pydoc_data.topics`.

    python tools/freeze_text.py            writes rnn_from_scratch/data/bundled/python_topics.txt
    python tools/freeze_text.py --check    recomputes it and compares; exits 1 where it differs

Python 3.11.7 wrote the file. Any version can write one; only that one can check it (another exits 2).

What is changed, in this order:

1. Typographic quotes, dashes and the ellipsis become ASCII; blanks at the ends of lines go, and several empty lines
   become one. A *paragraph* is what stands between empty lines.
2. A paragraph with any other character outside printable ASCII is left out.
3. Many topics hold others: "compound" holds "if", "try" and "while" whole. A model that was tested on a copy of what it
   was trained on would be praised for its memory. So the topics are read from the longest to the shortest: one that has
   half of its text or more in paragraphs read before is left out, and from the others every paragraph that was read
   before. Paragraphs count as the same where their words are; those under 40 characters count as no copy.
4. What is left stands in alphabetical order of the topics, with two empty lines between them, and nowhere else.
"""

import argparse
import platform
import re
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "rnn_from_scratch" / "data" / "bundled" / "python_topics.txt"
VERSION = "3.11.7"
ASCII = {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "--", "…": "..."}
SHORTEST_COPY = 40  # characters, blanks joined
BETWEEN_TOPICS = "\n\n\n"


def paragraphs(text: str) -> list[str]:
    """Return what stands between empty lines, in ASCII where that is possible."""
    for letter, plain in ASCII.items():
        text = text.replace(letter, plain)
    found = re.split(r"\n(?:[ \t]*\n)+", text.strip("\n"))
    lines = ["\n".join(line.rstrip() for line in paragraph.split("\n")) for paragraph in found]
    return [paragraph for paragraph in lines if all(c == "\n" or " " <= c <= "~" for c in paragraph)]


def words(paragraph: str) -> str:
    """Return a paragraph's words with one blank between them."""
    return " ".join(paragraph.split())


def freeze(topics: Mapping[str, str]) -> str:
    """Return the text of all topics, each paragraph once."""
    split = {name: paragraphs(text) for name, text in topics.items()}
    lengths = {name: sum(len(words(one)) for one in parts) for name, parts in split.items()}
    seen: set[str] = set()
    kept: dict[str, list[str]] = {}
    for name in sorted(split, key=lambda name: (-lengths[name], name)):
        copied = sum(len(words(one)) for one in split[name] if words(one) in seen)
        if 2 * copied >= lengths[name]:
            continue
        kept[name] = []
        for one in split[name]:
            if words(one) not in seen:
                kept[name].append(one)
            if len(words(one)) >= SHORTEST_COPY:
                seen.add(words(one))
    return BETWEEN_TOPICS.join("\n\n".join(kept[name]) for name in sorted(kept)) + "\n"


def main() -> int:
    """Write the file, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="recompute and compare instead of writing")
    check = parser.parse_args().check
    from pydoc_data.topics import topics

    text = freeze(topics)
    if not check:
        DATA.write_text(text, encoding="ascii", newline="\n")
        print(f"{DATA.relative_to(ROOT)}: {len(text)} characters")
        return 0
    if platform.python_version() != VERSION:
        print(f"The saved text is from Python {VERSION}, this is {platform.python_version()}: nothing can be compared.")
        return 2
    same = DATA.read_text(encoding="ascii") == text
    print(f"{DATA.relative_to(ROOT)}: {'the same' if same else 'differs'}")
    return 0 if same else 1


if __name__ == "__main__":
    raise SystemExit(main())
