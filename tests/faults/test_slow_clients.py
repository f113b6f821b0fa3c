"""Slow and hostile clients against a real gunicorn: nobody else has to wait for them."""

import socket
import threading
import time
from contextlib import ExitStack, closing, contextmanager, suppress

import pytest
from django.db import connection

from devstack.state import ROOT
from tests.web.conftest import make_publication
from tests.web.server import fetch, server

pytestmark = pytest.mark.long

BATCH = b"POST /recommendations/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
LIVE = b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n"
# What a client has sent already, and what it goes on sending, a byte at a time.
SLOW_CLIENTS = {
    "says nothing": (b"", b""),
    "request line": (b"GET /health", b"/" * 1000),
    "header fields": (LIVE + b"X-Slow: ", b"x" * 1000),
    "body": (BATCH + b"Content-Length: 1000\r\n\r\n", b" " * 1000),
    "chunks": (BATCH + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 200),
}
LARGE = 12_000_000  # bytes, more than the buffers of a connection hold


@pytest.fixture
def database_url(stack, transactional_db):
    return stack.postgres.url(connection.settings_dict["NAME"])


@contextmanager
def server_with(tmp_path, settings, **variables):
    """The server with a few lines after its configuration."""
    folder = tmp_path / "conf"
    folder.mkdir()
    usual = ROOT / "conf" / "gunicorn.conf.py"
    (folder / "gunicorn.conf.py").write_text(
        f"import runpy\nglobals().update(runpy.run_path({str(usual)!r}))\nfrom webapp import limits\n{settings}\n"
    )
    with server(tmp_path, checkout=tmp_path, **variables) as running:
        yield running


def seconds_for(running, path):
    began = time.monotonic()
    status, _, _ = running.request(path)
    assert status == 200
    return time.monotonic() - began


def connect_slow_reader(running, path):
    """Ask for a large response and read nothing of it."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(("127.0.0.1", int(running.address.rpartition(":")[2])))
    client.sendall(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n".encode()
    )
    return client


def read_to_end(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1_000_000)
    received = bytearray()
    with suppress(ConnectionResetError):
        while piece := client.recv(1_000_000):
            received += piece
    return bytes(received)


def test_200_slow_connections_delay_neither_a_health_check_nor_a_list(tmp_path, database_url):
    make_publication()
    with server(tmp_path, DATABASE_URL=database_url) as running, ExitStack() as opened:
        fetch(f"{running.address}/health/live")
        seconds_for(running, "/recommendations/A/TopProduct")
        clients = [
            (opened.enter_context(closing(running.connect())), sent, iter(rest))
            for sent, rest in SLOW_CLIENTS.values()
            for _ in range(40)
        ]
        for client, sent, _ in clients:
            client.sendall(sent)
        done = threading.Event()

        def trickle():
            while not done.wait(0.1):
                for client, _, rest in clients:
                    client.sendall(bytes([byte]) if (byte := next(rest, None)) else b"")

        trickling = threading.Thread(target=trickle)
        trickling.start()
        try:
            slowest = max(
                seconds_for(running, path)
                for _ in range(10)
                for path in ("/health/live", "/recommendations/A/TopProduct", "/health/live")
            )
        finally:
            done.set()
            trickling.join()

    assert slowest < 1


def test_slow_readers_of_a_snapshot_delay_nobody_else(tmp_path, database_url):
    run = make_publication()
    # 12 MB of lists, more than the buffers of a connection hold
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO advertiser (advertiser_id) SELECT 'B' || n FROM generate_series(1, %s) n", [1900])
        cursor.execute(
            "INSERT INTO top_product (run_id, date, advertiser_id, product_id, rank, views)"
            " SELECT %s, %s, 'B' || n, repeat('😀', 60) || rank, rank, 5"
            " FROM generate_series(1, %s) n, generate_series(1, 20) rank",
            [run.pk, run.day, 1900],
        )
    with server(tmp_path, DATABASE_URL=database_url) as running, ExitStack() as opened:
        fetch(f"{running.address}/health/live")
        readers = [
            opened.enter_context(closing(connect_slow_reader(running, f"/snapshots/{run.day}"))) for _ in range(10)
        ]
        for _ in range(20):  # until all have filled their buffers; snapshots are work, too
            slowest = max(seconds_for(running, path) for path in ("/health/live", "/recommendations/A/TopProduct"))
            if slowest < 1:
                break
        assert slowest < 1

        with connection.cursor() as cursor:  # the snapshots fail in the middle
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid != pg_backend_pid()"
                " AND application_name = 'vitrina-web'"
            )
        assert any(b"HTTP/1.1 200" in read_to_end(client) for client in readers)
        assert seconds_for(running, "/recommendations/A/TopProduct") < 1


@pytest.fixture
def large_file(tmp_path):
    """The variable that names a folder of static files, one of which a connection's buffers cannot hold."""
    folder = tmp_path / "static"
    folder.mkdir()
    (folder / "large").write_bytes(bytes(LARGE))
    return {"STATIC_ROOT": str(folder)}


def test_too_many_slow_readers_are_cut_off(tmp_path, large_file):
    with server(tmp_path, **large_file) as running, ExitStack() as opened:
        fetch(f"{running.address}/health/live")
        readers = [opened.enter_context(closing(connect_slow_reader(running, "/static/large"))) for _ in range(40)]
        time.sleep(2)
        assert seconds_for(running, "/health/live") < 1
        complete = sum(len(read_to_end(reader)) > LARGE for reader in readers)

    assert complete == 16


def test_a_slow_reader_that_keeps_reading_gets_everything(tmp_path, large_file):
    with server(tmp_path, **large_file) as running:
        fetch(f"{running.address}/health/live")
        with closing(connect_slow_reader(running, "/static/large")) as reader:
            received = b""
            for _ in range(4):
                time.sleep(0.4)
                received += reader.recv(65536)
            received += read_to_end(reader)

    assert len(received.partition(b"\r\n\r\n")[2]) == LARGE


@pytest.mark.parametrize("setting", ["STALL_DEADLINE = 1", "RESPONSE_DEADLINE = 2"])
def test_a_reader_that_stalls_is_cut_off(tmp_path, large_file, setting):
    with server_with(tmp_path, f"limits.{setting}", **large_file) as running:
        fetch(f"{running.address}/health/live")
        with closing(connect_slow_reader(running, "/static/large")) as reader:
            for _ in range(8):  # never enough for the second deadline
                time.sleep(0.5)
                reader.recv(1000) if "RESPONSE" in setting else None

            assert len(read_to_end(reader)) < LARGE


@pytest.mark.parametrize("kind", ["request line", "body", "chunks"])
def test_a_request_that_is_not_complete_in_time_is_refused(tmp_path, kind):
    sent, rest = SLOW_CLIENTS[kind]
    with server_with(tmp_path, "limits.REQUEST_DEADLINE = 2") as running:
        fetch(f"{running.address}/health/live")
        with closing(running.connect()) as client:
            client.sendall(sent)
            for byte in rest[:8]:
                time.sleep(0.1)
                client.sendall(bytes([byte]))
            response = read_to_end(client)

    assert response.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b'"status": 408' in response


def test_when_there_are_too_many_connections_the_oldest_are_closed(tmp_path):
    with server_with(tmp_path, "worker_connections = 20") as running, ExitStack() as opened:
        fetch(f"{running.address}/health/live")
        for number in range(100):
            client = opened.enter_context(closing(running.connect()))
            client.sendall(b"GET /" if number % 2 else b"")

        assert seconds_for(running, "/health/live") < 1


def test_clients_that_do_not_close_their_end_delay_nobody(tmp_path):
    with server(tmp_path) as running, ExitStack() as opened:
        fetch(f"{running.address}/health/live")
        for _ in range(100):
            client = opened.enter_context(closing(running.connect()))
            client.sendall(LIVE + b"Connection: close\r\n\r\n")
        time.sleep(0.5)

        assert seconds_for(running, "/health/live") < 1


def test_places_of_slow_readers_come_back(tmp_path, large_file):
    with server(tmp_path, WEB_THREADS="2", **large_file) as running:
        fetch(f"{running.address}/health/live")
        for _ in range(30):
            with closing(connect_slow_reader(running, "/static/large")), closing(running.connect()) as client:
                client.sendall(b"GET nonsense\r\n\r\n")
                time.sleep(0.05)
        with ExitStack() as opened:
            for _ in range(16):
                opened.enter_context(closing(connect_slow_reader(running, "/static/large")))
            time.sleep(1.5)

            assert max(seconds_for(running, "/health/live") for _ in range(10)) < 1
        assert max(seconds_for(running, "/health/live") for _ in range(10)) < 1
