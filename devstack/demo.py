"""`make demo`: sample data, eight nights and a web server on them, until Ctrl-C."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from typing import NoReturn
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

import psutil
import psycopg2

from devstack.postgres import BATCH, WEB
from devstack.stack import Stack, end_with_children
from devstack.state import ROOT, StackError, secret
from devstack.steps import say, step

DAYS = 8
WEB_PID = "web.pid"
# Ctrl-C, which a shell's background jobs start with ignored; `make stop`; a terminal that is closed.
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def demo(stack: Stack, port: int) -> None:
    """Run everything, say how to look at it, and stop all of it at Ctrl-C, SIGTERM or the terminal's end."""
    for ending in ENDINGS:
        signal.signal(ending, _interrupt)
    with _only_one(stack):
        _end_orphan(stack)
        _check_port(port)
        try:
            began = time.monotonic()
            say("Vitrina's demo:")
            stack.start()
            stack.migrate()
            _fill(stack)
            with _web_server(stack, port) as server:
                say(f"Ready after {time.monotonic() - began:.0f} s.")
                print(_what_to_try(f"http://127.0.0.1:{port}", stack), flush=True)
                server.wait()
                raise StackError("the web server ended by itself; its last lines say why")
        finally:
            for ending in ENDINGS:
                signal.signal(ending, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it running
            with step("stopping everything"):
                stack.stop()


def stop_demo(stack: Stack) -> None:
    """End the demo of this checkout, if one runs, and wait until it has stopped all that it started."""
    path = stack.folder / "demo.lock"
    if not path.exists():
        return
    with path.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with step("stopping the demo"):
                os.kill(int(lock.read()), signal.SIGTERM)
                fcntl.flock(lock, fcntl.LOCK_EX)
    _end_orphan(stack)


def _fill(stack: Stack) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    with step(f"sample data: {DAYS} days of raw events in S3"):
        stack.run(
            "spark-submit", "spark_jobs/sample_data.py", "--days", str(DAYS), "--until", str(yesterday), role=BATCH
        )
    first = _first_to_rank(stack, yesterday)
    with step(f"the nightly job, for {(yesterday - first).days + 1} of the days"):
        stack.run("spark-submit", "spark_jobs/nightly.py", "--from", str(first), "--to", str(yesterday), role=BATCH)
    with step("admin account and static files"):
        _create_admin(stack)
        stack.run_quietly("python", "manage.py", "collectstatic", "--no-input")


def _first_to_rank(stack: Stack, yesterday: date) -> date:
    """Return the first day that an earlier demo has not published; yesterday at the latest, for a night to be seen."""
    days = [yesterday - timedelta(days=back) for back in range(DAYS - 1, 0, -1)]
    with closing(psycopg2.connect(stack.postgres.url())) as connection, connection.cursor() as cursor:
        cursor.execute("select day from run where state = 'published'")
        published = {day for (day,) in cursor}
    return next((day for day in days if day not in published), yesterday)


def _create_admin(stack: Stack) -> None:
    """Make the account `admin`, or give it the password kept in secrets.json again."""
    script = (
        "import os; from django.contrib.auth.models import User; "
        "user, _ = User.objects.get_or_create(username='admin', defaults={'is_staff': True, 'is_superuser': True}); "
        "user.set_password(os.environ['ADMIN_PASSWORD']); user.save()"
    )
    os.environ["ADMIN_PASSWORD"] = secret(stack.folder, "admin")
    stack.run_quietly("python", "manage.py", "shell", "-c", script)


@contextmanager
def _web_server(stack: Stack, port: int) -> Iterator[subprocess.Popen[bytes]]:
    with (stack.folder / "web.log").open("w") as log:
        server = subprocess.Popen(
            ["gunicorn", "--config", "conf/gunicorn.conf.py", "--pid", str(stack.folder / WEB_PID), "webapp.wsgi"],
            cwd=ROOT,
            env={**stack.environment(WEB), "PORT": str(port)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        with step("web server"):
            _wait_until_ready(server, f"http://127.0.0.1:{port}/health/ready")
        yield server
    finally:
        server.terminate()
        server.wait()


def _end_orphan(stack: Stack) -> None:
    """End the web server of a demo that was killed, and so could not end it itself."""
    with suppress(OSError, psutil.Error):
        server = psutil.Process(int((stack.folder / WEB_PID).read_text()))
        if "webapp.wsgi" in server.cmdline():  # and no other program that has its pid now
            end_with_children(server.pid)


def _wait_until_ready(server: subprocess.Popen[bytes], url: str) -> None:
    for _ in range(150):
        try:
            with urlopen(url, timeout=5):
                return
        except URLError:
            if server.poll() is not None:
                break
            time.sleep(0.2)
    raise StackError(f"the web server does not answer at {url}; its log: .devstack/web.log")


def _what_to_try(site: str, stack: Stack) -> str:
    with urlopen(f"{site}/api/v1/advertisers?active=true&page_size=1", timeout=10) as answer:
        advertiser = quote(json.load(answer)["results"][0]["advertiser_id"])
    api = f"{site}/api/v1"
    secrets = ROOT / ".devstack" / "secrets.json"
    return f"""
Vitrina is at {site}/ until Ctrl-C. The admin is at {site}/admin/: user admin, its password is under "admin" in
{secrets}

Try, in another terminal:
  curl '{api}/recommendations/{advertiser}/TopProduct'
  curl '{api}/recommendations/{advertiser}/TopCTR'
  curl '{api}/history/{advertiser}?days=7'
  curl '{api}/stats'"""


@contextmanager
def _only_one(stack: Stack) -> Iterator[None]:
    with (stack.folder / "demo.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError("a demo of this checkout is running already: use it, or end it with `make stop`") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise StackError(f"port {port} is taken by another program; choose another: make demo PORT=8080") from None


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
