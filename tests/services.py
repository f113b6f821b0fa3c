"""A pytest plugin: PostgreSQL and S3 of the tests' own, there before Django reads its settings, gone at the end."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from devstack.stack import Stack

STACK = pytest.StashKey[Stack]()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config):
    """Start both; a wrapper, since pytest-django reads the settings in the same hook."""
    folder = Path(tempfile.mkdtemp(prefix="vitrina-tests-", dir="/var/tmp"))
    folder.chmod(0o755)  # PostgreSQL runs as another account when we are root
    stack = Stack(folder)
    early_config.stash[STACK] = stack
    stack.start()
    os.environ.update(stack.exports())
    # A test's JVM does not live long enough to earn back what its optimizing compiler costs: a third of its time.
    os.environ["SPARK_SUBMIT_OPTS"] = "-XX:TieredStopAtLevel=1"
    return (yield)


def pytest_unconfigure(config):
    """Stop both and leave nothing behind."""
    if stack := config.stash.get(STACK, None):
        stack.stop()
        shutil.rmtree(stack.folder, ignore_errors=True)
