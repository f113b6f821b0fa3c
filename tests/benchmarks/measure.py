"""Run a program and measure its time, CPU and memory."""

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import psutil

from devstack.state import ROOT, last_line

INTERVAL = 0.1
"""Seconds between two memory samples. A sample takes 3 ms, which must not slow the measured program down."""


class Measured(NamedTuple):
    """What a process and its children used."""

    wall: float
    """Seconds from its start to its end."""
    cpu: float
    """Seconds of CPU time, user and system."""
    memory: int
    """Peak of the processes' resident sets added up, in bytes; shared memory counts once per process."""
    others: float
    """Cores that everything else on the machine, including PostgreSQL and S3, kept busy meanwhile."""
    output: str
    """Standard output and standard error, in order."""


Laps = dict[str, list[Measured]]
"""The repetitions of several programs, by name."""


class Failed(Exception):
    """A measured program failed, so its figures mean nothing."""


def measure(command: Sequence[str], environment: Mapping[str, str]) -> Measured:
    """Run `command` from the checkout's root with only the variables of `environment`; Failed if its exit code is not 0."""
    with tempfile.TemporaryFile("w+") as file:
        began, busy = time.monotonic(), _busy()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        memory = _Memory(process.pid)
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        finally:
            wall, busy = time.monotonic() - began, _busy() - busy
            memory.stop()
        process.returncode = os.waitstatus_to_exitcode(status)
        file.seek(0)
        output = file.read()
    if process.returncode:
        raise Failed(f"`{' '.join(command)}` failed with exit code {process.returncode}: {last_line(output)}\n{output}")
    cpu = used.ru_utime + used.ru_stime
    return Measured(wall, cpu, memory.peak, max(0.0, busy - cpu) / wall, output)


def _busy() -> float:
    """Return the busy seconds of all cores together."""
    times = psutil.cpu_times()
    return times.user + times.system + times.nice if hasattr(times, "nice") else times.user + times.system


class _Memory:
    """A thread that samples the memory of a process and its descendants until stop() is called."""

    def __init__(self, pid: int) -> None:
        self.peak = 0
        self._root = psutil.Process(pid)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            with suppress(psutil.NoSuchProcess):
                self.peak = max(self.peak, _resident(self._root))
            if self._ended.wait(INTERVAL):
                return


def _resident(root: psutil.Process) -> int:
    """Return the resident bytes of a process and its descendants.

    A child whose address space is within 1 % of its parent's is not counted: before Java starts a program, it has such a
    copy of itself for a moment.
    """
    family: dict[int, Any] = {root.pid: root.memory_info()}
    for child in root.children(recursive=True):  # parents come before their children
        with suppress(psutil.NoSuchProcess):  # it has ended since it was listed
            memory, parent = child.memory_info(), family.get(child.ppid())
            if parent is None or abs(memory.vms - parent.vms) > parent.vms / 100:
                family[child.pid] = memory
    return sum(memory.rss for memory in family.values())
