"""A program run to its end as a process, and what it took: seconds, CPU, memory."""

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
"""Seconds between two looks at the memory: a look takes 3 ms, which whoever is measured must not feel."""


class Measured(NamedTuple):
    """What a process took, with all that it started."""

    wall: float
    """Seconds from its start to its end."""
    cpu: float
    """Seconds of CPU, user's and system's."""
    memory: int
    """Bytes at the peak: the resident sets of all its processes added up, so that what they share counts once for each."""
    others: float
    """Cores that everything else on the machine kept busy meanwhile, PostgreSQL and S3 among it."""
    said: str
    """Standard output and standard error, in order."""


Laps = dict[str, list[Measured]]
"""The repetitions of several programs, by name."""


class Failed(Exception):
    """A measured program did not end well; its figures would mean nothing."""


def measure(command: Sequence[str], environment: Mapping[str, str]) -> Measured:
    """Run `command` from the checkout's root, in `environment` alone; Failed where its exit code is not 0."""
    with tempfile.TemporaryFile("w+") as output:
        began, busy = time.monotonic(), _busy()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
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
        output.seek(0)
        said = output.read()
    if process.returncode:
        raise Failed(f"`{' '.join(command)}` ended with exit code {process.returncode}: {last_line(said)}\n{said}")
    cpu = used.ru_utime + used.ru_stime
    return Measured(wall, cpu, memory.peak, max(0.0, busy - cpu) / wall, said)


def _busy() -> float:
    """Return the seconds that all cores together have not been idle."""
    times = psutil.cpu_times()
    return times.user + times.system + times.nice if hasattr(times, "nice") else times.user + times.system


class _Memory:
    """A thread that looks at a process and its descendants until it is told to stop."""

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

    A child within 1 % of its parent's address space is the parent still: Java has one for a moment before each
    program it starts.
    """
    family: dict[int, Any] = {root.pid: root.memory_info()}
    for child in root.children(recursive=True):  # parents before their children
        with suppress(psutil.NoSuchProcess):  # ended since it was listed
            memory, parent = child.memory_info(), family.get(child.ppid())
            if parent is None or abs(memory.vms - parent.vms) > parent.vms / 100:
                family[child.pid] = memory
    return sum(memory.rss for memory in family.values())
