"""Freeze names of colours and their values from xkcd's colour survey, by way of matplotlib.

    python tools/freeze_colors.py            writes rnn_from_scratch/data/bundled/colors.txt
    python tools/freeze_colors.py --check    recomputes it and compares; exits 1 where it differs

The list is matplotlib.colors.XKCD_COLORS, without the prefix "xkcd:", in alphabetical order: a name, a tab, a value.
They are what many people typed when they were shown a colour, and some of it is for no classroom. A name is left out

1. if one of its words is in RUDE: what bodies put out, in whatever words;
2. if it is in ABOUT_PEOPLE: a pigment whose name is easily read as a word about people's skin.

Everything else stays: "ugly", "sickly" and "gross" are what people said of a colour, misspelt names ("light lavendar")
are what they typed, and brands are no insults. No value was changed.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "rnn_from_scratch" / "data" / "bundled" / "colors.txt"
RUDE = {"barf", "bile", "booger", "diarrhea", "piss", "poo", "poop", "puke", "shit", "snot", "vomit"}
ABOUT_PEOPLE = {"indian red"}


def freeze(colors: Mapping[str, str]) -> str:
    """Return one line a colour."""
    names = {name.removeprefix("xkcd:"): value.lower() for name, value in colors.items()}
    kept = sorted(name for name in names if not RUDE & set(name.split()) and name not in ABOUT_PEOPLE)
    return "".join(f"{name}\t{names[name]}\n" for name in kept)


def main() -> int:
    """Write the file, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="recompute and compare instead of writing")
    chosen = parser.parse_args()
    from matplotlib.colors import XKCD_COLORS

    text = freeze(XKCD_COLORS)
    if not chosen.check:
        DATA.write_text(text, encoding="ascii", newline="\n")
        print(f"{DATA.relative_to(ROOT)}: {text.count(chr(10))} of {len(XKCD_COLORS)} colours, {len(text)} bytes")
        return 0
    same = DATA.read_text(encoding="ascii") == text
    print(f"{DATA.relative_to(ROOT)}: {'the same' if same else 'differs'}")
    return 0 if same else 1


if __name__ == "__main__":
    raise SystemExit(main())
