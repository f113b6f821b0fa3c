"""Both services together, the commands that start and stop them, and their passwords and ports."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import psutil
import psycopg2
import pytest

from devstack.__main__ import parser
from devstack.demo import stop_demo, summary_of
from devstack.stack import Stack, stop_with_children
from devstack.state import ROOT, StackError, free_port, last_line, secret
from tests.devstack.conftest import is_gone

WITH_OWN_STATE_FOLDER = """
import sys
from pathlib import Path
from devstack import __main__ as commands
folder = Path(sys.argv.pop(1))
commands.state_folder = lambda: folder
sys.exit(commands.main())
"""


def devstack(folder, *arguments):
    """Run `python -m devstack` with its state in `folder` instead of .devstack/, where a demo may be running."""
    return subprocess.run(
        [sys.executable, "-c", WITH_OWN_STATE_FOLDER, folder, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_start_status_and_stop_can_be_repeated_at_any_time(own_stack, folder):
    down = devstack(folder, "status").stdout
    devstack(folder, "stop")
    started = [devstack(folder, "start").returncode for _ in range(2)]
    up = devstack(folder, "status").stdout
    stopped = [devstack(folder, "stop").returncode for _ in range(2)]

    assert started == stopped == [0, 0]
    assert [line.split()[1] for line in down.splitlines()] == ["down", "down"]
    assert [line.split()[1] for line in up.splitlines()] == ["up,", "up,"]
    assert devstack(folder, "status").stdout == down


def test_status_prints_the_address_and_the_log_of_each_service(stack):
    postgres, s3 = stack.status().splitlines()

    assert postgres == f"PostgreSQL  up,   127.0.0.1:{stack.postgres.port()}   log: {stack.postgres.log}"
    assert s3 == f"S3          up,   {stack.s3.endpoint()}   log: {stack.s3.log}"
    assert stack.postgres.log.exists() and stack.s3.log.exists()


def test_env_starts_the_services_migrates_and_prints_only_exports(own_stack, folder):
    printed = devstack(folder, "env").stdout
    print_both = "import os, sys; print(sys.prefix); print(os.environ['DATABASE_URL'])"
    program = f'eval "$1"; python -c "{print_both}"; spark-submit --version'
    shell = subprocess.run(
        ["sh", "-c", program, "sh", printed],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )

    assert all(line.startswith("export ") for line in printed.splitlines())
    assert shell.stdout.splitlines() == [sys.prefix, own_stack.postgres.url()]
    assert "version 4." in shell.stderr
    with psycopg2.connect(own_stack.postgres.url()) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from run")
        assert cursor.fetchone() == (0,)


def test_a_command_that_fails_is_reported_with_its_exit_code(stack):
    with pytest.raises(
        StackError, match=r"^`sh -c exit 3` failed with exit code 3; see its last lines for the reason$"
    ):
        stack.run("sh", "-c", "exit 3")


def test_a_quiet_command_that_fails_is_reported_with_its_last_line(stack):
    with pytest.raises(StackError, match=r"failed: the reason$"):
        stack.run_quietly("sh", "-c", "echo noise; echo the reason >&2; exit 1")


def test_a_command_can_write_to_files(stack, tmp_path):
    with (tmp_path / "out").open("w") as output, (tmp_path / "err").open("w") as errors:
        stack.run("sh", "-c", "echo report; echo log >&2", stdout=output, stderr=errors)

    assert [(tmp_path / name).read_text() for name in ("out", "err")] == ["report\n", "log\n"]


COUNTS = {"events": 1000, "lists": 70}


@pytest.mark.parametrize(
    ("reports", "summary"),
    [
        ([("published", COUNTS)] * 2, "2 published: 2,000 events, 140 lists"),
        (
            [("unchanged", {}), ("published", COUNTS)],
            "1 unchanged, 1 published: 1,000 events, 70 lists",
        ),
        ([("unchanged", {})] * 8, "8 unchanged"),
    ],
)
def test_the_demo_says_in_one_line_what_became_of_the_days(tmp_path, reports, summary):
    path = tmp_path / "nightly.jsonl"
    path.write_text("".join(json.dumps({"state": state, "counts": counts}) + "\n" for state, counts in reports))

    assert summary_of(path) == summary


def test_stopping_a_process_stops_its_children(tmp_path):
    parent = psutil.Popen(["sh", "-c", "sleep 300 & sleep 300"])
    while len(parent.children(recursive=True)) < 2:
        time.sleep(0.05)
    family = parent.children(recursive=True)
    stop_with_children(parent.pid)

    assert all(is_gone(each) for each in [parent, *family])


def test_stopping_a_process_that_has_ended_is_no_error():
    with psutil.Popen(["true"]) as ended:
        ended.wait()
    stop_with_children(ended.pid)


def test_a_demo_on_a_port_in_use_says_so_and_starts_nothing(own_stack, folder):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        ended = devstack(folder, "demo", "--port", str(port))

    assert ended.returncode == 1
    assert ended.stderr == (f"devstack: port {port} is taken by another program; choose another: make demo PORT=8080\n")
    assert not own_stack.is_running()


@pytest.mark.parametrize("port", ["65536", "0", "http", "-1"])
def test_an_invalid_port_is_refused(capsys, port):
    with pytest.raises(SystemExit) as end:
        parser().parse_args(["demo", f"--port={port}"])

    assert end.value.code == 2
    assert f"'{port}' is not a port from 1 to 65535" in capsys.readouterr().err


def test_a_second_demo_is_refused_and_does_not_stop_the_first(own_stack, folder):
    own_stack.s3.start()
    with held(folder / "demo.lock"):
        ended = devstack(folder, "demo", "--port", str(free_port()))

    assert ended.returncode == 1
    assert ended.stderr == "devstack: a demo of this checkout is already running; stop it with `make stop`\n"
    assert own_stack.s3.is_running()


@contextmanager
def held(path):
    """Run a process that holds the lock file as the demo does, with its pid in it."""
    program = (
        "import fcntl, os, sys, time; lock = open(sys.argv[1], 'a+'); fcntl.flock(lock, fcntl.LOCK_EX);"
        " lock.write(str(os.getpid())); lock.flush(); print('held', flush=True); time.sleep(300)"
    )
    with subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.PIPE) as holder:
        assert holder.stdout and holder.stdout.readline() == b"held\n"
        yield holder
        holder.kill()


def test_stop_terminates_the_demo_and_waits_for_it(folder):
    with held(folder / "demo.lock") as demo:
        stop_demo(Stack(folder))

        assert demo.wait(10) == -signal.SIGTERM


def test_stop_without_a_demo_is_no_error_even_if_a_killed_one_left_its_lock_file(folder):
    stop_demo(Stack(folder))
    (folder / "demo.lock").write_text("1")  # the pid of init, which must not be signalled

    stop_demo(Stack(folder))


def test_a_secret_is_created_once_and_kept(folder):
    first = secret(folder, "some")

    assert secret(folder, "some") == first
    assert secret(folder, "other") != first
    assert secret(folder, "some") == first


def test_secrets_are_long_and_differ_between_checkouts(folder, tmp_path):
    assert len(secret(folder, "some")) >= 32
    assert secret(folder, "some") != secret(tmp_path, "some")


@pytest.mark.parametrize("mask", [0o000, 0o022])
def test_only_its_owner_can_read_the_secrets_file(folder, mask):
    before = os.umask(mask)
    try:
        secret(folder, "some")
        secret(folder, "other")
    finally:
        os.umask(before)
    kept = folder / "secrets.json"

    assert kept.stat().st_mode & 0o777 == 0o600
    assert set(json.loads(kept.read_text())) == {"some", "other"}


def test_a_free_port_can_be_listened_on():
    with socket.create_server(("127.0.0.1", free_port())):
        pass


@pytest.mark.parametrize(("text", "last"), [("a\nb\n\n  \n", "b"), ("", "no output"), ("\n", "no output")])
def test_the_last_line_is_the_last_one_that_is_not_empty(text, last):
    assert last_line(text) == last
