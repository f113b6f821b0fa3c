"""Say what is being done and how long it took. Standard library only: the set-up uses it before anything is installed.

All of it goes to standard error, so that `eval "$(make -s env)"` reads nothing but the exports.
"""

from __future__ import annotations  # so that an older Python gets as far as being refused politely

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress


def say(line: str) -> None:
    """Print one line of progress; where the terminal is gone, what is being done matters more than saying so."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Name a step before it runs, and its seconds after it."""
    say(f"- {what}")
    began = time.monotonic()
    yield
    say(f"    done in {time.monotonic() - began:.1f} s")
