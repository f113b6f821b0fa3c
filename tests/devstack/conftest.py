"""A separate stack for each test, in a folder that PostgreSQL's account can read when the tests run as root."""

import shutil
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from devstack.stack import Stack


@pytest.fixture
def folder():
    """An empty folder with a space in its name, removed at the end."""
    made = Path(tempfile.mkdtemp(prefix="vitrina devstack ", dir="/var/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def own_stack(folder):
    """A Stack that is not started yet."""
    stack = Stack(folder)
    yield stack
    stack.stop()


@pytest.fixture
def postgres(own_stack):
    """The PostgreSQL of own_stack."""
    return own_stack.postgres


@pytest.fixture
def s3(own_stack):
    """The S3 server of own_stack."""
    return own_stack.s3


def is_gone(process):
    """Return whether a process ends within ten seconds; a zombie has ended."""
    for _ in range(100):
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.1)
    return False


def processes_with(argument):
    """Return the running processes with exactly this argument."""
    found = []
    for process in psutil.process_iter():
        try:
            if argument in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found
