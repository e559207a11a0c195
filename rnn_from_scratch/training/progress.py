"""A progress bar in a terminal or a notebook; elsewhere a plain line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

EVERY = 1.0  # seconds between plain lines


@contextmanager
def progress_bar(total: int, done: int = 0, unit: str = "update") -> Iterator[Callable[[int, float], None]]:
    """Give a function to call with (update from 1, loss): tqdm's bar; without a terminal or tqdm, lines on stderr."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        tqdm = None
    in_notebook = tqdm is not None and "notebook" in tqdm.__module__
    if tqdm is not None and (in_notebook or (sys.stderr is not None and sys.stderr.isatty())):
        with tqdm(total=total, initial=done, unit=unit, leave=False) as bar:

            def advance(update: int, loss: float) -> None:
                bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
                bar.update(update - bar.n)

            yield advance
        return
    last = time.monotonic()

    def tell(update: int, loss: float) -> None:
        nonlocal last
        if time.monotonic() - last > EVERY:
            with suppress(OSError):  # nobody reads it, or the disk is full: no reason to stop
                print(f"  {unit} {update} of {total}: loss {loss:.4f}", file=sys.stderr, flush=True)
            last = time.monotonic()

    yield tell
