"""Servers of a test's own, in a folder that PostgreSQL's account can reach when we are root; stopped at the end."""

import shutil
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from devstack.stack import Stack


@pytest.fixture
def folder():
    """An empty folder outside of root's closed ones, removed at the end."""
    made = Path(tempfile.mkdtemp(prefix="vitrina devstack ", dir="/var/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def own_stack(folder):
    """A Stack that is not started yet, in a path with spaces."""
    stack = Stack(folder)
    yield stack
    stack.stop()


@pytest.fixture
def postgres(own_stack):
    """PostgreSQL of this test's own, not started yet."""
    return own_stack.postgres


@pytest.fixture
def s3(own_stack):
    """An S3 server of this test's own, not started yet."""
    return own_stack.s3


def is_gone(process):
    """Tell whether a process has ended, within seconds; one that nobody has asked about yet is a zombie, and ended."""
    for _ in range(100):
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.1)
    return False


def processes_with(argument):
    """Return the living processes that have exactly this among their arguments."""
    found = []
    for process in psutil.process_iter():
        try:
            if argument in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found
