"""A pytest plugin that starts PostgreSQL and S3 for the tests before Django reads its settings, and stops them at the end."""

import os
import shutil
import tempfile
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
from psycopg2.sql import SQL, Identifier

from devstack.postgres import Postgres
from devstack.stack import Stack
from devstack.state import secret

STACK = pytest.StashKey[Stack]()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config):
    """Start both services. A wrapper runs before pytest-django, which reads the settings in the same hook."""
    folder = Path(tempfile.mkdtemp(prefix="vitrina-tests-", dir="/var/tmp"))
    folder.chmod(0o755)  # PostgreSQL runs as another account when we are root
    stack = Stack(folder)
    early_config.stash[STACK] = stack
    stack.start()
    os.environ.update(stack.exports())
    # The tests' JVMs are too short-lived for the optimizing compiler, which would take a third of their time. With the
    # other one alone, Java keeps 48 MB of compiled code: too little for a session of many nights, which compiled it again.
    os.environ["SPARK_SUBMIT_OPTS"] = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=512m"
    return (yield)


def pytest_unconfigure(config):
    """Stop both services and delete their files."""
    if stack := config.stash.get(STACK, None):
        stack.stop()
        shutil.rmtree(stack.folder, ignore_errors=True)


def hash_cheaply(postgres: Postgres, role: str) -> None:
    """Store the role's password with one iteration. Java's baseline compiler needs 30 ms for 4,096, at each connection."""
    url = f"postgres://postgres:{secret(postgres.folder, 'postgres')}@127.0.0.1:{postgres.port()}/postgres"
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("set scram_iterations = 1")
        cursor.execute(SQL("alter role {} password %s").format(Identifier(role)), [secret(postgres.folder, role)])
