"""The servers that are held against each other: Vitrina's gunicorn as in production, and the original's uvicorn."""

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
from devstack.stack import end_with_children
from devstack.state import ROOT, StackError, free_port, secret
from tests.benchmarks.contestants import THEIR_PYTHON


@dataclass(frozen=True)
class Server:
    """A server that answers at `address`."""

    name: str
    address: str
    pid: int


@contextmanager
def running(name: str, command: list[str], checkout: Path, variables: Mapping[str, str], log: Path) -> Iterator[Server]:
    """Start the command with PORT among its variables, wait until it answers, and end it and its children."""
    port = str(free_port())
    with log.open("w") as words:
        process = subprocess.Popen(
            [part.replace("PORT", port) for part in command],
            cwd=checkout,
            env={**os.environ, **variables, "PORT": port},
            stdout=words,
            stderr=words,
        )
    try:
        wait_until_up(process, f"http://127.0.0.1:{port}/", log)
        yield Server(name, f"http://127.0.0.1:{port}", process.pid)
    finally:
        end_with_children(process.pid)
        process.wait()


def wait_until_up(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    for _ in range(300):
        try:
            with urlopen(address, timeout=5):  # noqa: S310
                return
        except HTTPError:  # it answers
            return
        except URLError:
            if process.poll() is not None:
                break
            time.sleep(0.1)
    raise StackError(f"a server did not start; its log says why: {log}")


def vitrina(
    postgres: Postgres, workers: int = 2, checkout: Path = ROOT, name: str = "Vitrina"
) -> AbstractContextManager[Server]:
    """The production server of a checkout, as role vitrina_web; CACHE_URL is the environment's."""
    variables = {
        "DATABASE_URL": postgres.url(role=WEB),
        "SECRET_KEY": secret(postgres.folder, "SECRET_KEY"),
        "DEBUG": "false",
        "ALLOWED_HOSTS": "127.0.0.1",
        "HTTPS_ONLY": "false",
        "API_PUBLIC": "false",
        "WEB_CONCURRENCY": str(workers),
        "REQUESTS_PER_KEY": "999999999",  # the limit is not what is measured; the counting is
        "STATIC_ROOT": str(static_files(postgres)),
    }
    command = [sys.executable, "-m", "gunicorn", "--config", "conf/gunicorn.conf.py"]
    return running(name, command, checkout, variables, postgres.folder.parent / f"{name}.log")


def static_files(postgres: Postgres) -> Path:
    """The folder of what `collectstatic` collects."""
    return postgres.folder.parent / "static"


def original(postgres: Postgres) -> AbstractContextManager[Server]:
    """The original with two workers, too."""
    module = "tests.benchmarks.serving.original:app"
    command = [str(THEIR_PYTHON), "-m", "uvicorn", module, "--workers", "2", "--port", "PORT"]
    variables = {"DATABASE_URL": postgres.url(role=WEB)}
    return running("original", command, ROOT, variables, postgres.folder.parent / "original.log")


def seconds_of_cpu(*pids: int) -> float:
    """What the processes and all their children, those that have ended too, have used so far."""
    spent = 0.0
    for pid in pids:
        parent = psutil.Process(pid)
        for process in [parent, *parent.children(recursive=True)]:
            try:
                spent += sum(process.cpu_times()[:4])
            except psutil.NoSuchProcess:
                continue
    return spent
