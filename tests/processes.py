"""The job as a process: start nightly.py with spark-submit, then wait for it, watch it or kill it."""

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


class JobResult(NamedTuple):
    """A job's exit code, its last report if there is any, and what it printed: its reports, then its log."""

    code: int
    report: dict[str, Any] | None
    output: str

    def next_steps(self) -> list[list[str]]:
        """Return the lines of each next step that the log ends with: what to do, and the commands."""
        return [
            [line.strip() for line in step.splitlines()]
            for step in re.findall(r"next: (.*\n(?:    .*\n)*)", self.output)
        ]


class Job:
    """A spark-submit in its own process group."""

    def __init__(
        self,
        *command: str,
        environment: Mapping[str, str],
        largest_file: int | None = None,
        folder: Path = ROOT,
        terminal: int | None = None,
    ) -> None:
        """Start `spark-submit command...` in `folder`. Files cannot grow beyond `largest_file` bytes, as on a full disk.

        If given, the terminal gets its output.
        """
        self.output, self.errors = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            ["spark-submit", *command],
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=self.output if terminal is None else terminal,
            stderr=self.errors if terminal is None else terminal,
            start_new_session=True,
        )
        if largest_file is not None:
            resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (largest_file, largest_file))

    def is_running(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        """Kill the JVM and Python with SIGKILL."""
        if self.is_running():
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def wait(self, seconds: float = 300) -> JobResult:
        """Wait for the job to end; TimeoutExpired after `seconds`."""
        code = self.process.wait(seconds)
        output, errors = self._read(self.output), self._read(self.errors)
        last_line = next(reversed(output.splitlines()), "")
        return JobResult(code, json.loads(last_line) if last_line.startswith("{") else None, output + errors)

    def _read(self, file: Any) -> str:
        file.seek(0)
        return file.read()


def error_messages(output: str) -> list[str]:
    """Return the messages of the job's error lines."""
    return re.findall(r"(?:nightly.py|\d{4}-\d{2}-\d{2} failed): (.*)", output)
