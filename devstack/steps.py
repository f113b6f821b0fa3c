"""Report progress and run commands. Standard library only: the set-up uses it before anything is installed.

Everything goes to standard error, so that `eval "$(make -s env)"` reads only the exports.
"""

from __future__ import annotations  # an older Python must get far enough to print why it is refused

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

LOG = Path(__file__).resolve().parent.parent / "setup.log"


class SetupError(Exception):
    """Something is missing on this machine; the message says what, and what to do about it."""


def say(line: str) -> None:
    """Print one line of progress. The work goes on if the terminal has been closed."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Print the name of a step before it runs, and its duration afterwards."""
    say(f"- {what}")
    began = time.monotonic()
    yield
    say(f"    done in {time.monotonic() - began:.1f} s")


def run(command: list[Any], name: str, hint: str = "", env: dict[str, str] | None = None) -> None:
    """Run a command quietly. If it fails, write its output to LOG and raise SetupError."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env, check=False)
    if done.returncode:
        LOG.write_text(done.stdout)
        raise SetupError(f"{name} failed{f': {hint}' if hint else ''} (its output is in {LOG})")


def apt_install(*packages: str) -> None:
    """Install Debian packages, as root."""
    with step(f"installing {', '.join(packages)} with apt-get"):
        subprocess.run(["apt-get", "update", "-qq"], stdout=subprocess.DEVNULL, check=False)
        run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages], "apt-get")
