"""gunicorn with conf/gunicorn.conf.py, as a process."""

import json
import os
import runpy
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta

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


def test_a_wrong_configuration_stops_it_with_one_sentence(tmp_path):
    ended = subprocess.run(
        command(), cwd=tmp_path, env={**os.environ, "SECRET_KEY": ""}, capture_output=True, text=True, timeout=30
    )

    assert ended.returncode == 2
    assert "SECRET_KEY is not set" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(("cache", "workers"), [("", 1), ("redis://127.0.0.1:6379/0", 2)])
def test_there_are_several_workers_only_where_they_can_count_together(monkeypatch, cache, workers):
    monkeypatch.setenv("CACHE_URL", cache)
    monkeypatch.delenv("WEB_CONCURRENCY", raising=False)

    assert runpy.run_path(str(CONFIGURATION))["workers"] == workers


@contextmanager
def table_locked(url, table):
    """Lets whoever reads the table wait."""
    with closing(psycopg2.connect(url)) as holder, holder.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        holder.rollback()


def someone_waits():
    """Wait until a query of another connection waits for a lock."""
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.05)
    pytest.fail("nobody waits")


def test_a_request_under_way_is_answered_before_the_server_stops(tmp_path, database_url):
    make_publication()
    with server(tmp_path, DATABASE_URL=database_url) as running, ThreadPoolExecutor() as pool:
        fetch(f"{running.address}/health/live")
        with table_locked(database_url, "top_product"):
            asked = pool.submit(running.ask, "/recommendations/A/TopProduct")
            someone_waits()
            running.process.send_signal(signal.SIGTERM)
            time.sleep(1)
        status, _, _ = asked.result()

        assert status == 200
        assert running.process.wait(timeout=20) == 0


def test_a_query_that_takes_too_long_is_ended_by_the_server(tmp_path, database_url):
    make_publication()
    with server(tmp_path, DATABASE_URL=database_url, STATEMENT_TIMEOUT="1") as running:
        fetch(f"{running.address}/health/live")
        with table_locked(database_url, "top_product"):
            status, _, body = running.ask("/recommendations/A/TopProduct")

    assert (status, json.loads(body)["type"]) == (503, "database-unavailable")


def test_each_request_is_one_line_of_json_under_the_id_of_its_answer(tmp_path):
    with server(tmp_path) as running:
        fetch(f"{running.address}/health/live")
        _, headers, _ = running.ask('/nowhere?a="b"', authorization="Api-Key 0123456789ab.secret")
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


def test_several_workers_count_together_for_metrics(tmp_path, database_url):
    key = make_key(lifetime=timedelta(days=3650))  # of the tests' stopped clock; the server has the real one
    with server(tmp_path, DATABASE_URL=database_url, WEB_CONCURRENCY="2") as running:
        for _ in range(20):
            fetch(f"{running.address}/health/live")
        _, _, figures = running.ask("/metrics", authorization=f"Api-Key {key}")
    counted = [line for line in figures.decode().splitlines() if "before_middlewares_total " in line]

    assert "django_http_requests_before_middlewares_total 21.0" in counted


def held_by_workers(running):
    """How many connections each worker has open."""
    workers = psutil.Process(running.process.pid).children()
    return [
        sum(each.status == psutil.CONN_ESTABLISHED for each in worker.net_connections("tcp4")) for worker in workers
    ]


def connection_in_use(running):
    """A connection on which a question was asked and answered, and that is left open."""
    line = running.connect()
    line.sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert line.recv(1024).startswith(b"HTTP/1.1 200")
    return line


def wait_until_all_work(running):
    """Until every worker has taken a connection; then they are closed."""
    with ExitStack() as opened:
        for _ in range(1000):
            opened.enter_context(closing(connection_in_use(running)))
            if all(held_by_workers(running)):
                break
    while any(held_by_workers(running)):
        time.sleep(0.01)


def test_new_connections_go_to_the_worker_that_has_the_fewest(tmp_path):
    with server(tmp_path, WEB_CONCURRENCY="2") as running, ExitStack() as kept:
        fetch(f"{running.address}/health/live")
        wait_until_all_work(running)
        _, paused = psutil.Process(running.process.pid).children()
        paused.suspend()
        for _ in range(6):
            kept.enter_context(closing(connection_in_use(running)))
        paused.resume()
        for _ in range(6):
            kept.enter_context(closing(connection_in_use(running)))

        _, of_paused = held_by_workers(running)

    assert of_paused >= 5
