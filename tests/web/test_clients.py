"""The clients of docs/clients.md, run as they are, against a real server behind a busy proxy."""

import json
import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.db import connection

from devstack.state import ROOT
from tests.web.keys import make_key, make_lists_of
from tests.web.server import fetch, server

BLOCKS = re.findall(r"^```(python|sh)\n(.*?)^```", (ROOT / "docs" / "clients.md").read_text(), re.MULTILINE | re.DOTALL)
PYTHON = "".join(code for language, code in BLOCKS if language == "python")
SHELL = "set -e\n" + "".join(code for language, code in BLOCKS if language == "sh")
PRODUCT = "product-of-SHOES4YOU"


@contextmanager
def busy_proxy(target):
    """A proxy that first responds 429 and 503, then passes requests on; yields its URL and the statuses it sent."""
    busy, sent = [429, 503], []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if busy:
                status, headers, body = busy.pop(0), {"Retry-After": "1"}, b""
            else:
                asked = {name.replace("-", "_"): value for name, value in self.headers.items() if name != "Host"}
                status, headers, body = target.request(self.path, **asked)
            sent.append(status)
            self.send_response(status)
            for name in ("ETag", "Content-Type", "Content-Encoding", "Retry-After"):
                if name in headers:
                    self.send_header(name, headers[name])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{proxy.server_port}/api/v1", sent
        proxy.shutdown()


@pytest.fixture
def run(tmp_path, stack, transactional_db, clock):
    """A function that runs a program with the variables of a client; returns its output and the statuses it was sent."""
    clock(datetime.now(UTC))  # the server's
    make_lists_of("SHOES4YOU")
    url, key = stack.postgres.url(connection.settings_dict["NAME"]), make_key("SHOES4YOU")

    def run(*command):
        with server(tmp_path, DATABASE_URL=url, API_PUBLIC="false") as running:
            fetch(f"{running.address}/health/live")
            with busy_proxy(running) as (address, sent):
                variables = {"PATH": os.environ["PATH"], "VITRINA_URL": address, "VITRINA_KEY": key}
                done = subprocess.run(
                    command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=60, check=False
                )
        assert done.returncode == 0, done.stderr
        return done.stdout, sent

    return run


def test_the_python_client_retries_reads_a_list_and_a_snapshot_and_keeps_what_has_not_changed(run):
    again = 'get("/recommendations/SHOES4YOU/TopCTR")\n'
    output, sent = run(sys.executable, "-c", f"{PYTHON}{again}print(json.dumps([shown, *lists.values()]))")

    assert sent == [429, 503, 200, 200, 304]
    assert [items[0]["product_id"] for items in json.loads(output)] == [PRODUCT] * 4


def test_the_shell_client_does_the_same(run, tmp_path):
    again = "get /recommendations/SHOES4YOU/TopCTR list.json\n"
    _, sent = run("sh", "-c", SHELL + again)
    lines = (tmp_path / "lists.ndjson").read_text().splitlines()

    assert sent == [429, 503, 200, 200, 304]
    assert json.loads((tmp_path / "list.json").read_text())["items"][0]["product_id"] == PRODUCT
    assert [json.loads(line)["items"][0]["product_id"] for line in lines] == [PRODUCT] * 3


def test_a_refused_request_ends_the_clients(run):
    with pytest.raises(AssertionError, match="404 Client Error"):
        run(sys.executable, "-c", f'{PYTHON}get("/recommendations/NOBODY/TopCTR")')
    with pytest.raises(AssertionError, match="404"):
        run("sh", "-c", f"{SHELL}get /recommendations/NOBODY/TopCTR list.json")
