"""gunicorn with conf/gunicorn.conf.py, as a process."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "gunicorn", "--config", str(ROOT / "conf" / "gunicorn.conf.py")]


def free_port():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


@contextmanager
def server(tmp_path, **variables):
    """The server, started from a folder that is not the project's; gives its address."""
    port = free_port()
    environment = {**os.environ, "PORT": str(port), "WEB_CONCURRENCY": "1", **variables}
    process = subprocess.Popen(COMMAND, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=20)


def fetch(address):
    """The answer's body, once the server is up."""
    for _ in range(100):
        try:
            with urlopen(address, timeout=10) as answer:  # noqa: S310
                return answer.read().decode()
        except URLError:
            time.sleep(0.1)
    pytest.fail("the server did not start")


def test_it_serves_the_app_from_any_folder(tmp_path):
    with server(tmp_path) as address:
        assert fetch(f"{address}/health/live") == '{"status":"alive"}'


def test_a_wrong_configuration_stops_it_with_one_sentence(tmp_path):
    ended = subprocess.run(
        COMMAND, cwd=tmp_path, env={**os.environ, "SECRET_KEY": ""}, capture_output=True, text=True, timeout=30
    )

    assert ended.returncode == 2
    assert "SECRET_KEY is not set" in ended.stderr
    assert "Traceback" not in ended.stderr
