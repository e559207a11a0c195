"""What the commands share: how they print, and how an argument is refused."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import suppress
from typing import Any, NoReturn

PROGRAM = "python -m rnn_from_scratch"


class Parser(argparse.ArgumentParser):
    """argparse with an error of one line."""

    def error(self, message: str) -> NoReturn:
        """Print one line and exit with 2."""
        print(f"{self.prog}: {message} (try --help)", file=sys.stderr)
        raise SystemExit(2)


def counted(number: int, thing: str) -> str:
    """Return "1 row" or "2 rows"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def as_json(value: Any) -> str:
    """Return a value as JSON to read."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def tell(line: str) -> None:
    """Print what is known already; a reader who has gone is noticed at the end."""
    with suppress(BrokenPipeError):
        print(line, flush=True)
