"""gunicorn with conf/gunicorn.conf.py, as a process."""

import json
import os
import runpy
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime

import psutil
import psycopg2
import pytest
from django.db import connection

from devstack.state import ROOT
from tests.web.conftest import make_publication
from tests.web.keys import make_key
from tests.web.server import command, fetch, server

CONFIGURATION = ROOT / "conf" / "gunicorn.conf.py"


@pytest.fixture
def database_url(stack, transactional_db):
    """Django's test database, as another process names it."""
    return stack.postgres.url(connection.settings_dict["NAME"])


def test_it_serves_the_app_from_any_folder(tmp_path):
    with server(tmp_path) as running:
        assert fetch(f"{running.address}/health/live") == '{"status":"alive"}'


def test_a_configuration_error_stops_it_with_one_sentence(tmp_path):
    ended = subprocess.run(
        command(), cwd=tmp_path, env={**os.environ, "SECRET_KEY": ""}, capture_output=True, text=True, timeout=30
    )

    assert ended.returncode == 2
    assert "SECRET_KEY is not set" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(("cache", "workers"), [("", 1), ("redis://127.0.0.1:6379/0", 2)])
def test_there_are_several_workers_only_with_a_shared_cache(monkeypatch, cache, workers):
    monkeypatch.setenv("CACHE_URL", cache)
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)

    assert runpy.run_path(str(CONFIGURATION))["workers"] == workers


@contextmanager
def table_locked(url, table):
    """Make readers of the table wait."""
    with closing(psycopg2.connect(url)) as holder, holder.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        holder.rollback()


def wait_for_blocked_query():
    """Wait until another connection waits for a lock."""
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    pytest.fail("no query waits for a lock")


def test_a_request_in_progress_is_served_before_the_server_stops(tmp_path, database_url):
    make_publication()
    with server(tmp_path, DATABASE_URL=database_url) as running, ThreadPoolExecutor() as pool:
        fetch(f"{running.address}/health/live")
        with table_locked(database_url, "top_product"):
            request = pool.submit(running.request, "/recommendations/A/TopProduct")
            wait_for_blocked_query()
            running.process.send_signal(signal.SIGTERM)
            time.sleep(1)
        status, _, _ = request.result()

        assert status == 200
        assert running.process.wait(timeout=20) == 0


def test_a_query_beyond_the_statement_timeout_is_cancelled_also_if_the_url_has_other_options(tmp_path, database_url):
    make_publication()
    url = f"{database_url}?options=-c%20search_path%3Dpublic"
    with server(tmp_path, DATABASE_URL=url, STATEMENT_TIMEOUT="1") as running:
        fetch(f"{running.address}/health/live")
        with table_locked(database_url, "top_product"):
            status, _, body = running.request("/recommendations/A/TopProduct")

    assert (status, json.loads(body)["type"]) == (503, "database-unavailable")


def test_each_request_is_logged_as_json_with_its_request_id(tmp_path):
    with server(tmp_path) as running:
        fetch(f"{running.address}/health/live")
        _, headers, _ = running.request('/nowhere?a="b"', authorization="Api-Key 0123456789ab.secret")
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    [line] = [line for line in lines if line.get("path") == "/nowhere"]

    assert (line["status"], line["method"], line["request_id"]) == (404, "GET", headers["X-Request-ID"])
    assert line["query"] == 'a=\\"b\\"'
    assert "secret" not in str(lines)


def test_head_sends_no_body(tmp_path, database_url):
    make_publication()
    with server(tmp_path, DATABASE_URL=database_url) as running:
        fetch(f"{running.address}/health/live")
        for path in ("/recommendations/A/TopProduct", "/snapshots/2026-03-09", "/nowhere"):
            with running.connect() as line:
                line.sendall(f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
                answer = b"".join(iter(lambda: line.recv(65536), b""))

            assert answer.endswith(b"\r\n\r\n")


def test_metrics_are_the_sums_over_all_workers(tmp_path, database_url, clock):
    clock(datetime.now(UTC))  # the server's
    key = make_key()
    with server(tmp_path, DATABASE_URL=database_url, WEB_CONCURRENCY="2") as running:
        for _ in range(20):
            fetch(f"{running.address}/health/live")
        _, _, metrics = running.request("/metrics", authorization=f"Api-Key {key}")
    counted = [line for line in metrics.decode().splitlines() if "before_middlewares_total " in line]

    assert "django_http_requests_before_middlewares_total 21.0" in counted


def connections_by_worker(running):
    """The number of open connections of each worker."""
    workers = psutil.Process(running.process.pid).children()
    return [
        sum(each.status == psutil.CONN_ESTABLISHED for each in worker.net_connections("tcp4")) for worker in workers
    ]


def connection_in_use(running):
    """A connection that stays open after one request."""
    line = running.connect()
    line.sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert line.recv(1024).startswith(b"HTTP/1.1 200")
    return line


def wait_until_closed(running, left):
    """Wait until the workers have at most so many connections left."""
    while sum(connections_by_worker(running)) > left:
        time.sleep(0.01)


def wait_for_all_workers(running):
    """Wait until every worker has accepted a connection, then close them."""
    with ExitStack() as opened:
        for _ in range(1000):
            opened.enter_context(closing(connection_in_use(running)))
            if all(connections_by_worker(running)):
                break
    wait_until_closed(running, 0)


def test_a_new_connection_goes_to_the_worker_with_the_fewest(tmp_path):
    """Nearly always: a worker that has connections waits up to a millisecond before it accepts another one.

    By chance an idle worker gets half. The best of three rounds counts, because a busy machine delays it by more than that.
    """
    with server(tmp_path, WEB_CONCURRENCY="2") as running, ExitStack() as kept:
        fetch(f"{running.address}/health/live")
        wait_for_all_workers(running)
        _, idle = psutil.Process(running.process.pid).children()
        idle.suspend()
        for _ in range(10):
            kept.enter_context(closing(connection_in_use(running)))
        idle.resume()
        accepted = [count_accepted_by_second(running, connections=40) for _ in range(3)]

    assert max(accepted) >= 30


def count_accepted_by_second(running, connections):
    """Open and close connections one by one, and return how many of them the second worker accepted."""
    accepted = 0
    for _ in range(connections):
        before = connections_by_worker(running)
        with closing(connection_in_use(running)):
            accepted += connections_by_worker(running)[1] - before[1]
        wait_until_closed(running, sum(before))
    return accepted
