"""The local PostgreSQL survives repeated starts, stops and kills, and requires its password."""

import os
import re
import subprocess
import sys
from contextlib import closing
from urllib.parse import urlsplit

import psutil
import psycopg2
import pytest

from devstack.state import ROOT, StackError, unprivileged_account
from tests.devstack.conftest import is_gone, processes_with

START = (
    "import sys; from pathlib import Path; from devstack.postgres import Postgres; Postgres(Path(sys.argv[1])).start()"
)


def query(url, statement):
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else None


def server_of(postgres):
    return psutil.Process(int((postgres.data / "postmaster.pid").read_text().split()[0]))


def kill(server):
    server.kill()
    assert is_gone(server)


def test_a_second_start_keeps_the_running_server(postgres):
    first = postgres.start()
    server = server_of(postgres)

    assert postgres.start() == first
    assert server_of(postgres) == server


def test_stopping_twice_is_no_error_and_the_server_is_gone(postgres):
    url = postgres.start()
    server = server_of(postgres)
    postgres.stop()
    postgres.stop()

    assert not postgres.is_running()
    assert is_gone(server)
    with pytest.raises(psycopg2.OperationalError, match="Connection refused"):
        psycopg2.connect(url)


def test_stopping_a_server_that_was_never_started_is_no_error(postgres):
    postgres.stop()

    assert not postgres.is_running()


def test_data_are_kept_between_runs(postgres):
    query(postgres.start(), "create table kept as select 1 as n")
    postgres.stop()

    assert query(postgres.start(), "select n from kept") == [(1,)]


def test_after_kill_9_it_is_not_running_and_the_next_start_finds_the_data(postgres):
    query(postgres.start(), "create table kept as select 1 as n")
    kill(server_of(postgres))

    assert not postgres.is_running()
    assert query(postgres.start(), "select n from kept") == [(1,)]


def test_another_process_that_reuses_the_pid_of_a_killed_server_is_not_mistaken_for_it(postgres):
    query(postgres.start(), "create table kept as select 1 as n")
    kill(server_of(postgres))
    account = unprivileged_account()
    with subprocess.Popen(["sleep", "60"], user=account.uid if account else None) as other:
        pid_file = postgres.data / "postmaster.pid"
        pid_file.write_text(re.sub(r"^\d+", str(other.pid), pid_file.read_text()))
        was_running = postgres.is_running()
        kept = query(postgres.start(), "select n from kept")
        other.kill()

    assert not was_running
    assert kept == [(1,)]


def test_concurrent_starts_create_one_server(postgres):
    starters = [
        subprocess.Popen([sys.executable, "-c", START, postgres.folder], cwd=ROOT, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    errors = [starter.communicate(timeout=120)[1] for starter in starters]

    assert [starter.returncode for starter in starters] == [0, 0, 0], errors
    assert processes_with(str(postgres.data)) == [server_of(postgres)]


def test_the_server_outlives_the_process_that_started_it(postgres):
    subprocess.run([sys.executable, "-c", START, postgres.folder], cwd=ROOT, check=True, timeout=120)

    assert query(postgres.url(), "select 1") == [(1,)]


def test_a_server_that_does_not_start_is_reported_in_one_line_with_its_log(postgres):
    postgres.start()
    postgres.stop()
    (postgres.data / "PG_VERSION").write_text("9\n")

    with pytest.raises(StackError, match=r"^PostgreSQL did not start: .*\(its log: .*postgres\.log\)$") as problem:
        postgres.start()
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize("role", ["vitrina", "postgres"])
@pytest.mark.parametrize("password", ["wrong", ""])
def test_a_connection_needs_the_right_password(stack, role, password):
    port = urlsplit(stack.postgres.url()).port

    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(host="127.0.0.1", port=port, user=role, password=password, dbname="postgres", passfile="/none")


def test_it_listens_on_loopback_only(stack):
    listening = {each.laddr.ip for each in server_of(stack.postgres).net_connections("all") if each.status == "LISTEN"}
    unix_sockets = [each for each in server_of(stack.postgres).net_connections("unix") if each.laddr]

    assert listening == {"127.0.0.1"}
    assert not unix_sockets


def test_the_owner_can_create_roles_and_databases_and_is_no_superuser(stack):
    url = stack.postgres.url()

    assert query(url, "select rolsuper, rolcreaterole, rolcreatedb from pg_roles where rolname = current_user") == [
        (False, True, True)
    ]


def test_its_log_is_where_status_says(stack):
    assert "database system is ready to accept connections" in stack.postgres.log.read_text()


def test_it_runs_as_another_account_if_we_are_root(stack):
    assert server_of(stack.postgres).uids().effective == (
        stack.postgres.account.uid if os.geteuid() == 0 else os.geteuid()
    )
