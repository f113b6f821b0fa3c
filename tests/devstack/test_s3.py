"""The local S3 server survives repeated starts, stops and kills."""

import os
import subprocess
import sys

import psutil
import pytest
from botocore.exceptions import EndpointConnectionError

from devstack.state import ROOT, StackError
from tests.devstack.conftest import is_gone, processes_with

START = "import sys; from pathlib import Path; from devstack.s3 import S3; S3(Path(sys.argv[1])).start()"


def put(s3, key="a"):
    s3.client().put_object(Bucket=s3.bucket, Key=key, Body=b"content")


def keys(s3):
    return [each["Key"] for each in s3.client().list_objects_v2(Bucket=s3.bucket).get("Contents", [])]


def test_a_second_start_keeps_the_running_server_and_its_objects(s3):
    first = s3.start()
    put(s3)

    assert s3.start() == first
    assert keys(s3) == ["a"]


def test_stopping_twice_is_no_error_and_the_server_is_gone(s3):
    s3.start()
    client = s3.client()
    s3.stop()
    s3.stop()

    assert not s3.is_running()
    with pytest.raises(EndpointConnectionError):
        client.list_buckets()


def test_stopping_loses_the_objects(s3):
    s3.start()
    put(s3)
    s3.stop()
    s3.start()

    assert keys(s3) == []


def test_a_start_succeeds_even_if_the_arguments_of_the_new_process_cannot_be_read_yet(s3, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(psutil.Process, "cmdline", lambda self: [])
        s3.start()

    assert s3.is_running()


def test_the_next_start_works_after_kill_9(s3):
    s3.start()
    server = s3._process()
    server.kill()

    assert is_gone(server)
    assert not s3.is_running()

    s3.start()
    put(s3)

    assert keys(s3) == ["a"]


def test_another_process_that_reuses_the_pid_of_a_stopped_server_is_not_mistaken_for_it(s3):
    s3.start()
    content = s3.pid_file.read_text()
    pid = s3._process().pid
    s3.stop()
    s3.pid_file.write_text(content.replace(str(pid), str(os.getpid())))

    assert not s3.is_running()
    s3.stop()  # would kill this test process if it were mistaken for the server


@pytest.mark.parametrize("content", ["", '{"pid": 1, "sta', "{}"])
def test_an_incomplete_pid_file_means_no_server(s3, content):
    s3.folder.mkdir()
    s3.pid_file.write_text(content)

    assert not s3.is_running()


def test_concurrent_starts_create_one_server(s3):
    starters = [
        subprocess.Popen([sys.executable, "-c", START, s3.folder], cwd=ROOT, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    errors = [starter.communicate(timeout=120)[1] for starter in starters]

    assert [starter.returncode for starter in starters] == [0, 0, 0], errors
    assert s3.is_running()
    assert len(processes_with(s3.endpoint().rsplit(":", 1)[1])) == 1


def test_it_listens_on_loopback_only(stack):
    listening = {
        each.laddr.ip for each in stack.s3._process().net_connections("inet") if each.status == psutil.CONN_LISTEN
    }

    assert listening == {"127.0.0.1"}


def test_a_server_that_does_not_start_is_reported_in_one_line_with_its_log(s3):
    with pytest.raises(StackError, match=r"^the S3 server did not start: .*\(its log: .*s3\.log\)$") as problem:
        s3.start(PYTHONHOME="/nonexistent")

    assert "\n" not in str(problem.value)
