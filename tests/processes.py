"""The job as a process: nightly.py started by spark-submit, then waited for, watched, or killed."""

import json
import os
import re
import resource
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from devstack.state import ROOT


class Ended(NamedTuple):
    """How a job ended: exit code, the last line's JSON if it is some, and what it said.

    spark-submit sends a Python program's standard error to standard output, so "what it said" is one stream in order.
    """

    code: int
    report: dict[str, Any] | None
    said: str


class Job:
    """One spark-submit of nightly.py in a process group of its own."""

    def __init__(
        self, *command: str, environment: Mapping[str, str], largest_file: int | None = None, folder: Path = ROOT
    ) -> None:
        """Start `spark-submit command...` in `folder`; no file of its grows over `largest_file` bytes, as on a full disk."""
        self.output, self.errors = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            ["spark-submit", *command],
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=self.errors,
            start_new_session=True,
        )
        if largest_file is not None:
            resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (largest_file, largest_file))

    def is_running(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        """End JVM and Python as `kill -9` does."""
        if self.is_running():
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def wait(self, seconds: float = 300) -> Ended:
        """Wait for the end; TimeoutExpired after `seconds`."""
        code = self.process.wait(seconds)
        output, errors = self._words_in(self.output), self._words_in(self.errors)
        last_line = next(reversed(output.splitlines()), "")
        return Ended(code, json.loads(last_line) if last_line.startswith("{") else None, output + errors)

    def _words_in(self, file: Any) -> str:
        file.seek(0)
        return file.read()


def complaints(said: str) -> list[str]:
    """Return what the job's own error lines say."""
    return re.findall(r"(?:nightly.py|\d{4}-\d{2}-\d{2} failed): (.*)", said)
