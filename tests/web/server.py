"""gunicorn with conf/gunicorn.conf.py as a process, from this checkout or an older one."""

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
    """The command line of the server."""
    return [sys.executable, "-m", "gunicorn", "--config", str(checkout / "conf" / "gunicorn.conf.py")]


class Server(NamedTuple):
    address: str
    process: subprocess.Popen

    def connect(self):
        """A socket connected to the server, for tests that write raw requests."""
        return socket.create_connection(("127.0.0.1", int(self.address.rpartition(":")[2])), timeout=20)

    def request(self, path, method="GET", **headers):
        """The response's status, headers and body."""
        connection = http.client.HTTPConnection(self.address.removeprefix("http://"), timeout=20)
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = connection.getresponse()
        return response.status, response.headers, response.read()


@contextmanager
def server(tmp_path, checkout=ROOT, **variables):
    """Run the server from a folder outside the project; its log is tmp_path/log."""
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
    """The response's body, once the server is up."""
    for _ in range(100):
        try:
            with urlopen(address, timeout=10) as response:  # noqa: S310
                return response.read().decode()
        except URLError:
            time.sleep(0.1)
    pytest.fail("the server did not start")
