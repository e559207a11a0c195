"""Freeze month names, weekday names and date patterns from CLDR, by way of Babel.

    python tools/freeze_dates.py            writes two files
    python tools/freeze_dates.py --check    recomputes them and compares; exits 1 where one differs

rnn_from_scratch/data/bundled/dates.json is what the package reads. tests/data/dates_babel.json is what Babel itself
writes for twelve dates in every format, for tests/data/test_dates.py. Babel is needed here alone: any version to write
the files, the one that wrote them to check them (it exits 2 with another).

Each locale is read in a process of its own. In one process, Babel 2.18 answers "ja_JP" with Chinese stand-alone month
names if "zh_CN" was read before it: what one locale takes over from the root is then kept for the others.
"""

import argparse
import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "rnn_from_scratch" / "data" / "bundled" / "dates.json"
VALUES = ROOT / "tests" / "data" / "dates_babel.json"
LOCALES = [
    "en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT", "pt_BR", "nl_NL", "sv_SE", "pl_PL", "ru_RU", "fi_FI",
    "zh_CN", "ja_JP",
]  # fmt: skip
LENGTHS = ["full", "long", "medium", "short"]
NAMES = {  # pattern letters: what Babel calls these names
    "MMMM": ("months", "format", "wide"), "MMM": ("months", "format", "abbreviated"),
    "LLLL": ("months", "stand-alone", "wide"), "LLL": ("months", "stand-alone", "abbreviated"),
    "EEEE": ("days", "format", "wide"), "EEE": ("days", "format", "abbreviated"),
    "cccc": ("days", "stand-alone", "wide"), "ccc": ("days", "stand-alone", "abbreviated"),
}  # fmt: skip
# Every month, every weekday, days of one and of two digits, both ends of the window, two leap days.
DATES = [
    date(1970, 1, 1), date(1972, 2, 29), date(1998, 3, 17), date(2009, 4, 8), date(2069, 5, 31), date(1985, 6, 8),
    date(2021, 7, 19), date(1999, 8, 12), date(2000, 9, 3), date(2036, 10, 10), date(1976, 11, 30), date(2069, 12, 31),
]  # fmt: skip


def read_locale(identifier: str) -> dict:
    """Return one locale's names, its patterns and what Babel writes with them (in this process: see above)."""
    from babel import Locale
    from babel.dates import format_date

    locale = Locale.parse(identifier)
    if locale.default_numbering_system != "latn":
        raise SystemExit(f"{identifier} writes its numbers in other digits than 0 to 9")
    names = {}
    for letters, (kind, context, width) in NAMES.items():
        table = getattr(locale, kind)[context][width]
        names[letters] = [table[key] for key in (range(1, 13) if kind == "months" else range(7))]  # Monday is 0
    patterns = {length: locale.date_formats[length].pattern for length in LENGTHS}
    for skeleton, pattern in sorted(locale.datetime_skeletons.items()):
        if re.fullmatch(r"yM+E*d+", skeleton) and pattern.pattern not in patterns.values():
            patterns[skeleton] = pattern.pattern
    twice = [name for n, name in enumerate(patterns) if patterns[name] in list(patterns.values())[:n]]
    for name in twice:  # "medium" is "long" in Chinese: one format
        del patterns[name]
    values = {name: [format_date(day, pattern, locale) for day in DATES] for name, pattern in patterns.items()}
    return {"names": names, "patterns": patterns, "values": values}


def freeze() -> tuple[str, str]:
    """Return the text of both files."""
    import babel
    from babel.core import get_cldr_version

    data = {"babel": babel.__version__, "cldr": get_cldr_version(), "licence": "Unicode-3.0, see NOTICE", "locales": {}}
    values = {"babel": babel.__version__, "dates": [day.isoformat() for day in DATES], "texts": {}}
    for identifier in LOCALES:
        command = [sys.executable, __file__, "--one", identifier]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True)
        found = json.loads(done.stdout)
        values["texts"][identifier] = found.pop("values")
        data["locales"][identifier] = found
    return written(data), written(values)


def written(content: dict) -> str:
    """Return json with one list or string a line, and letters as they are."""
    text = json.dumps(content, ensure_ascii=False, indent=1)
    return re.sub(r"\[[^\[\]]*\]", lambda match: re.sub(r"\n +|\n", " ", match[0]), text) + "\n"


def main() -> int:
    """Write both files, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="recompute and compare instead of writing")
    parser.add_argument("--one", metavar="LOCALE", help="print one locale (the script calls itself)")
    chosen = parser.parse_args()
    if chosen.one:
        sys.stdout.reconfigure(encoding="utf-8")
        print(json.dumps(read_locale(chosen.one)))
        return 0
    texts = dict(zip((DATA, VALUES), freeze(), strict=True))
    if not chosen.check:
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8", newline="\n")
            print(f"{path.relative_to(ROOT)}: {len(text.encode())} bytes")
        return 0
    saved, found = (json.loads(text)["babel"] for text in (DATA.read_text(encoding="utf-8"), texts[DATA]))
    if saved != found:
        print(f"The saved data are from Babel {saved}, this is {found}: nothing can be compared.")
        return 2
    differing = [path for path, text in texts.items() if path.read_text(encoding="utf-8") != text]
    for path in texts:
        print(f"{path.relative_to(ROOT)}: {'differs' if path in differing else 'the same'}")
    return 1 if differing else 0


if __name__ == "__main__":
    raise SystemExit(main())
