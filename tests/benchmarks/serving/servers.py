"""The servers to compare: Vitrina's gunicorn as in production, and the original's uvicorn."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import psutil

from devstack.postgres import WEB, Postgres
from devstack.stack import stop_with_children
from devstack.state import ROOT, StackError, free_port, secret
from tests.benchmarks.contestants import BENCH_PYTHON


@dataclass(frozen=True)
class Server:
    """A running server."""

    name: str
    address: str
    pid: int


@contextmanager
def running(name: str, command: list[str], checkout: Path, variables: Mapping[str, str], log: Path) -> Iterator[Server]:
    """Start the command with a free PORT, wait until it responds, and stop it with its children at the end."""
    port = str(free_port())
    with log.open("w") as output:
        process = subprocess.Popen(
            [part.replace("PORT", port) for part in command],
            cwd=checkout,
            env={**os.environ, **variables, "PORT": port},
            stdout=output,
            stderr=output,
        )
    try:
        wait_until_up(process, f"http://127.0.0.1:{port}/", log)
        yield Server(name, f"http://127.0.0.1:{port}", process.pid)
    finally:
        stop_with_children(process.pid)
        process.wait()


def wait_until_up(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    for _ in range(300):
        try:
            with urlopen(address, timeout=5):  # noqa: S310
                return
        except HTTPError:  # it responds
            return
        except URLError:
            if process.poll() is not None:
                break
            time.sleep(0.1)
    raise StackError(f"a server did not start; its log is {log}")


def vitrina(
    postgres: Postgres, workers: int = 2, checkout: Path = ROOT, name: str = "Vitrina"
) -> AbstractContextManager[Server]:
    """Run a checkout's production server with the role vitrina_web; CACHE_URL comes from the environment."""
    variables = {
        "DATABASE_URL": postgres.url(role=WEB),
        "SECRET_KEY": secret(postgres.folder, "SECRET_KEY"),
        "DEBUG": "false",
        "ALLOWED_HOSTS": "127.0.0.1",
        "HTTPS_ONLY": "false",
        "API_PUBLIC": "false",
        "WEB_CONCURRENCY": str(workers),
        "REQUESTS_PER_KEY": "999999999",  # count requests, but never refuse one
        "STATIC_ROOT": str(static_files(postgres)),
    }
    command = [sys.executable, "-m", "gunicorn", "--config", "conf/gunicorn.conf.py"]
    return running(name, command, checkout, variables, postgres.folder.parent / f"{name}.log")


def static_files(postgres: Postgres) -> Path:
    """Return the value of STATIC_ROOT."""
    return postgres.folder.parent / "static"


def original(postgres: Postgres) -> AbstractContextManager[Server]:
    """Run the original, also with two workers."""
    module = "tests.benchmarks.serving.original:app"
    command = [str(BENCH_PYTHON), "-m", "uvicorn", module, "--workers", "2", "--port", "PORT"]
    variables = {"DATABASE_URL": postgres.url(role=WEB)}
    return running("original", command, ROOT, variables, postgres.folder.parent / "original.log")


def cpu_seconds(*pids: int) -> float:
    """Return the CPU seconds of the processes and all their children so far, including those that have ended."""
    total = 0.0
    for pid in pids:
        parent = psutil.Process(pid)
        for process in [parent, *parent.children(recursive=True)]:
            try:
                total += sum(process.cpu_times()[:4])
            except psutil.NoSuchProcess:
                continue
    return total
