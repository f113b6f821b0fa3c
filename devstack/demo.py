"""`make demo`: sample data, the nightly job for all its days, and the web server, until Ctrl-C."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

import psutil

from devstack.postgres import BATCH, WEB
from devstack.stack import Stack, stop_with_children
from devstack.state import ROOT, StackError, secret
from devstack.steps import say, step

DAYS = 8  # Trending compares a day with the seven before it
REPORTS, JOB_LOG = "nightly.jsonl", "nightly.log"
LINES_OF_A_FAILURE = 12
WEB_PID = "web.pid"
# Ctrl-C (set explicitly, because a shell ignores it for background jobs), `make stop`, and a closed terminal.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def demo(stack: Stack, port: int) -> None:
    """Start everything, print what to try, and stop everything on any of STOP_SIGNALS."""
    for number in STOP_SIGNALS:
        signal.signal(number, _interrupt)
    with _only_one(stack):
        _stop_orphan(stack)
        _check_port(port)
        try:
            began = time.monotonic()
            say("Starting the Vitrina demo")
            stack.start()
            stack.migrate()
            _load_sample_data(stack)
            with _web_server(stack, port) as server:
                say(f"Ready after {time.monotonic() - began:.0f} s.")
                print(_what_to_try(f"http://127.0.0.1:{port}", stack), flush=True)
                server.wait()
                raise StackError("the web server stopped unexpectedly; its log is .devstack/web.log")
        finally:
            for number in STOP_SIGNALS:
                signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not interrupt the clean-up
            with step("stopping everything"):
                stack.stop()


def stop_demo(stack: Stack) -> None:
    """Stop this checkout's demo if it is running, and wait until everything it started has stopped."""
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
    _stop_orphan(stack)


def _load_sample_data(stack: Stack) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    first = yesterday - timedelta(days=DAYS - 1)
    reports, log = stack.folder / REPORTS, stack.folder / JOB_LOG
    log.unlink(missing_ok=True)
    with step(f"sample data: {DAYS} days of raw events in S3"):
        _run_job(stack, reports, "sample_data.py", "--days", str(DAYS), "--until", str(yesterday))
    # All days each time: S3 is empty after a stop, and the lists need the daily counts of the days before. If S3 has kept
    # running, the job skips what it has ranked.
    with step(f"nightly job for {DAYS} days, {first} to {yesterday}"):
        _run_job(stack, reports, "nightly.py", "--from", str(first), "--to", str(yesterday))
        say(f"    {summary_of(reports)}")
        say(f"    its reports, in JSON: {_in_checkout(reports)}; its log: {_in_checkout(log)}")
    with step("admin account and static files"):
        _create_admin(stack)
        stack.run_quietly("python", "manage.py", "collectstatic", "--no-input")


def _run_job(stack: Stack, reports: Path, program: str, *options: str) -> None:
    """Run a program of the job. Its standard output replaces `reports`, and the rest is added to the log."""
    log = stack.folder / JOB_LOG
    with reports.open("w") as output, log.open("a") as errors:
        try:
            stack.run("spark-submit", f"spark_jobs/{program}", *options, role=BATCH, stdout=output, stderr=errors)
        except StackError:
            say("".join(f"    {line}\n" for line in log.read_text().splitlines()[-LINES_OF_A_FAILURE:]).rstrip())
            raise


def summary_of(reports: Path) -> str:
    """Return what became of the days, such as `8 published: 949,000 events, 1,120 lists`."""
    ended = [json.loads(line) for line in reports.read_text().splitlines()]
    states = Counter(report["state"] for report in ended)
    text = ", ".join(f"{days} {state}" for state, days in states.items())
    counts = [report["counts"] for report in ended if report["state"] == "published"]
    if not counts:
        return text
    events, lists = (sum(each[name] for each in counts) for name in ("events", "lists"))
    return f"{text}: {events:,} events, {lists:,} lists"


def _in_checkout(path: Path) -> str:
    """Return the path as seen from the checkout, where .devstack may be a link."""
    return f".devstack/{path.name}"


def _create_admin(stack: Stack) -> None:
    """Create the user `admin`, or reset its password to the one in secrets.json."""
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


def _stop_orphan(stack: Stack) -> None:
    """Stop the web server that a killed demo has left running."""
    with suppress(OSError, psutil.Error):
        server = psutil.Process(int((stack.folder / WEB_PID).read_text()))
        if "webapp.wsgi" in server.cmdline():  # another process may have reused the pid
            stop_with_children(server.pid)


def _wait_until_ready(server: subprocess.Popen[bytes], url: str) -> None:
    for _ in range(150):
        try:
            with urlopen(url, timeout=5):
                return
        except URLError:
            if server.poll() is not None:
                break
            time.sleep(0.2)
    raise StackError(f"the web server does not respond at {url}; its log is .devstack/web.log")


def _what_to_try(site: str, stack: Stack) -> str:
    with urlopen(f"{site}/api/v1/advertisers?active=true&page_size=1", timeout=10) as response:
        advertiser = quote(json.load(response)["results"][0]["advertiser_id"])
    api = f"{site}/api/v1"
    secrets = ROOT / ".devstack" / "secrets.json"
    links = {
        f"{site}/": "which lists are published, and requests to try",
        f"{site}/admin/": f'the admin; log in as admin; the password is the entry "admin" in {secrets}',
        f"{api}/docs/": "the API, where you can try every request",
    }
    lines = "\n".join(f"  {url:<{len(api) + 6}}  {meaning}" for url, meaning in links.items())
    return f"""
Vitrina is running until you press Ctrl-C:
{lines}

Try in another terminal:
  curl '{api}/recommendations/{advertiser}/ExpectedCTR'
  curl '{api}/recommendations/{advertiser}/ExpectedCTR?explore=2'
  curl '{api}/recommendations/{advertiser}/TopProduct'
  curl '{api}/recommendations/{advertiser}/TopCTR?window=7'
  curl '{api}/recommendations/{advertiser}/Trending'
  curl '{api}/history/{advertiser}?days=7'
  curl '{api}/stats'"""


@contextmanager
def _only_one(stack: Stack) -> Iterator[None]:
    with (stack.folder / "demo.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError("a demo of this checkout is already running; stop it with `make stop`") from None
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
