"""Logins and addresses that break servers, against a real gunicorn behind a proxy."""

import json
import os
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest
from django.db import connection

from devstack.state import ROOT
from tests.web.server import fetch, server
from webapp.limits import LOGINS_PER_ADDRESS

pytestmark = pytest.mark.long

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ODD = ["203.0.113.9:1234", "[2001:db8::1]:443", "2001:db8::2", "::ffff:203.0.113.9", "unknown", "garbage", ""]


@pytest.fixture(scope="module")
def static_files(tmp_path_factory):
    """A folder with the static files that the login page needs."""
    folder = str(tmp_path_factory.mktemp("static"))
    command = [sys.executable, str(ROOT / "manage.py"), "collectstatic", "--no-input", "--verbosity", "0"]
    subprocess.run(command, env={**os.environ, "STATIC_ROOT": folder}, check=True)
    return folder


@pytest.fixture
def running(tmp_path, stack, transactional_db, static_files):
    url = stack.postgres.url(connection.settings_dict["NAME"])
    variables = {"PROXIES": "1", "API_PUBLIC": "true", "REQUESTS_PER_ADDRESS": "3", "STATIC_ROOT": static_files}
    with server(tmp_path, DATABASE_URL=url, **variables) as running:
        fetch(f"{running.address}/health/live")
        yield running


@pytest.fixture
def log_in(running):
    """A function that posts the login form and returns the status."""

    def post(name, forwarded, **headers):
        with closing(HTTPConnection(running.address.removeprefix("http://"), timeout=20)) as client:
            client.request("GET", "/admin/login/")
            page = client.getresponse()
            cookie, text = page.headers["Set-Cookie"].partition(";")[0], page.read().decode()
            token = text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
            body = urlencode({"username": name, "password": "wrong", "csrfmiddlewaretoken": token})
            all_headers = {**FORM, "Cookie": cookie, "X-Forwarded-For": forwarded, **headers}
            client.request("POST", "/admin/login/", body, all_headers)
            return client.getresponse().status

    return post


def logged(tmp_path):
    lines = (json.loads(line) for line in (tmp_path / "log").read_text().splitlines() if line.startswith("{"))
    return [line for line in lines if line["logger"] == "gunicorn.access"]


def test_no_user_name_and_no_address_is_an_internal_error(running, log_in, tmp_path):
    names = ["x" * 300, "😀" * 300, "a\0b"]

    assert [log_in(name, f"203.0.113.{n}") for n, name in enumerate(names, start=20)] == [200] * 3
    assert {log_in("somebody", forwarded) for forwarded in ODD} <= {200, 429}
    assert log_in("somebody", "203.0.113.1", **{"User-Agent": "x" * 5000}) == 200
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_logins_of_an_address_are_limited(log_in):
    answered = [log_in(f"name-{n}", f"203.0.113.9:{n + 1}") for n in range(2 * LOGINS_PER_ADDRESS + 1)]

    assert answered[0] == 200
    assert 429 in answered  # not necessarily the last one, since the minute may turn in between


def test_the_access_log_has_the_address_of_the_client(running, tmp_path):
    for number, forwarded in enumerate([*ODD, "made up, 203.0.113.10"]):
        running.request(f"/nowhere/{number}", X_Forwarded_For=forwarded)
    running.process.terminate()
    running.process.wait(timeout=30)
    addresses = {line["path"].removeprefix("/nowhere/"): line["address"] for line in logged(tmp_path)}

    assert [addresses[str(number)] for number in range(len(ODD) + 1)] == [
        *("203.0.113.9", "2001:db8::1", "2001:db8::2", "203.0.113.9"),
        *("127.0.0.1", "127.0.0.1", "127.0.0.1", "203.0.113.10"),
    ]


def test_a_network_of_ipv6_addresses_shares_a_limit(running):
    answered = [running.request("/models", X_Forwarded_For=f"[2001:db8::{n}]:{n}")[0] for n in range(1, 9)]

    assert answered[0] == 200
    assert 429 in answered


def test_a_session_cookie_with_a_nul_is_a_bad_request(running, tmp_path):
    cookie = 'sessionid="' + r"\000" * 32 + '"'

    assert running.request("/admin/", Cookie=cookie)[0] == 400
    assert "Traceback" not in (tmp_path / "log").read_text()
