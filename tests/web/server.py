"""gunicorn with conf/gunicorn.conf.py, as a process; a module of its own, since an older checkout's is started, too."""

import http.client
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from devstack.state import ROOT, free_port


def command(checkout: Path = ROOT) -> list[str]:
    """What starts it."""
    return [sys.executable, "-m", "gunicorn", "--config", str(checkout / "conf" / "gunicorn.conf.py")]


class Server(NamedTuple):
    address: str
    process: subprocess.Popen

    def connect(self):
        """A connection to it, for whoever writes the request."""
        return socket.create_connection(("127.0.0.1", int(self.address.rpartition(":")[2])), timeout=20)

    def ask(self, path, method="GET", **headers):
        """The answer: its status, headers and body."""
        asked = http.client.HTTPConnection(self.address.removeprefix("http://"), timeout=20)
        asked.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = asked.getresponse()
        return answer.status, answer.headers, answer.read()


@contextmanager
def server(tmp_path, checkout=ROOT, **variables):
    """The server, started from a folder that is not the project's; its log is tmp_path/log."""
    port = free_port()
    environment = {**os.environ, "PORT": str(port), "WEB_CONCURRENCY": "1", **variables}
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command(checkout), cwd=tmp_path, env=environment, stdout=log, stderr=log)
    try:
        yield Server(f"http://127.0.0.1:{port}", process)
    finally:
        process.terminate()
        process.wait(timeout=30)


def fetch(address):
    """The answer's body, once the server is up."""
    for _ in range(100):
        try:
            with urlopen(address, timeout=10) as answer:  # noqa: S310
                return answer.read().decode()
        except URLError:
            time.sleep(0.1)
    pytest.fail("the server did not start")
