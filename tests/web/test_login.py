"""Logging in, and the lockout of a name at an address after five wrong passwords."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.auth import hashers
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from tests.web.conftest import PASSWORD, make_user
from webapp.limits import LOGINS_PER_ADDRESS

pytestmark = pytest.mark.django_db
real_now = timezone.now  # django-axes imported it before the clock fixture replaces it


@pytest.fixture(autouse=True)
def running_clock(clock, monkeypatch):
    monkeypatch.setattr(timezone, "now", real_now)


def log_in(client, name="ann", password=PASSWORD, **headers):
    return client.post(reverse("admin:login"), {"username": name, "password": password, "next": "/admin/"}, **headers)


def fail(client, times, **rest):
    for _ in range(times):
        log_in(client, password="wrong", **rest)


def test_the_right_password_logs_in(client):
    make_user("ann")

    assert log_in(client)["Location"] == "/admin/"


def test_four_wrong_passwords_do_not_lock_out(client):
    make_user("ann")
    fail(client, 4)

    assert log_in(client).status_code == 302


def test_after_five_wrong_passwords_even_the_right_one_is_locked_out(client):
    make_user("ann")
    fail(client, 5)
    answer = log_in(client)

    assert answer.status_code == 429
    assert "try again with this name in 15 minutes" in answer.text


def test_a_lockout_ends_after_15_minutes(client):
    make_user("ann")
    fail(client, 5)
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=16))

    assert log_in(client).status_code == 302


def test_another_name_at_the_same_address_is_not_locked_out(client):
    make_user("ann")
    make_user("bob")
    fail(client, 5)

    assert log_in(client, "bob").status_code == 302


def test_the_same_name_at_another_address_is_not_locked_out(client):
    make_user("ann")
    fail(client, 5, REMOTE_ADDR="203.0.113.9")

    assert log_in(client).status_code == 302


def test_a_forged_forwarding_header_does_not_avoid_the_lockout(client):
    make_user("ann")
    for number in range(5):
        log_in(client, password="wrong", headers={"X-Forwarded-For": f"203.0.113.{number}"})

    assert log_in(client).status_code == 429


def test_behind_a_proxy_the_address_is_the_one_the_proxy_saw(client, settings):
    settings.PROXIES = 1
    make_user("ann")
    for number in range(5):
        log_in(client, password="wrong", headers={"X-Forwarded-For": f"10.0.0.{number}, 203.0.113.9"})

    assert log_in(client, headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 429
    assert log_in(client, headers={"X-Forwarded-For": "203.0.113.10"}).status_code == 302


def test_an_administrator_ends_a_lockout(client):
    make_user("ann")
    fail(client, 5)
    client.force_login(make_user("root", "administrator"))
    attempt = client.get("/admin/axes/accessattempt/").context["cl"].result_list[0]
    client.post(f"/admin/axes/accessattempt/{attempt.pk}/delete/", {"post": "yes"})
    client.logout()

    assert log_in(client).status_code == 302


def test_a_failed_attempt_stores_no_password(client):
    make_user("ann")
    log_in(client, password="almost my secret")
    client.force_login(make_user("root", is_superuser=True))
    attempt = client.get("/admin/axes/accessattempt/").context["cl"].result_list[0]

    assert "almost my secret" not in str(vars(attempt))


@pytest.mark.parametrize("name", ["a" * 256, "a" * 50_000, "😀" * 300])
def test_a_user_name_that_is_too_long_counts_as_any_other(client, name):
    answered = [log_in(client, name).status_code for _ in range(6)]

    assert answered == [200, 200, 200, 200, 429, 429]


@pytest.mark.parametrize(
    "headers",
    [
        {"user-agent": "x" * 5000},
        {"user-agent": "x\0y"},
        {"accept": "x" * 5000},
        {"referer": "\0"},
        {"cookie": "sessionid=" + "x" * 5000},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_no_header_breaks_an_attempt(client, headers):
    client.raise_request_exception = False

    assert log_in(client, headers=headers).status_code in (200, 400)


def test_a_nul_in_a_user_name_is_refused(client):
    assert log_in(client, "a\0b").status_code == 200
    assert client.post("/admin/login/?next=%00&%00=%00", {"username": "ann", "password": "x\0"}).status_code == 200


def test_a_session_cookie_with_a_nul_is_a_bad_request(client):
    client.raise_request_exception = False
    client.cookies["sessionid"] = "\0" * 32

    assert client.get("/admin/").status_code == 400


@pytest.mark.parametrize("charset", ["utf-7", "unicode_escape", "utf-16"])
def test_a_form_that_is_not_in_utf8_is_refused(client, charset):
    body = "--x\r\nContent-Disposition: form-data; name=username\r\n\r\n\\ud800 +2AA-\r\n--x--\r\n"
    kind = f"multipart/form-data; boundary=x; charset={charset}"

    assert client.post("/admin/login/", body, content_type=kind).status_code == 415


def test_a_failed_lockout_attempt_stores_nothing(client):
    fail(client, 9)

    assert AccessAttempt.objects.get().failures_since_start == 5


@pytest.fixture
def hashed(monkeypatch):
    """The passwords that were hashed."""
    passwords = []
    usual = hashers.MD5PasswordHasher.encode

    def encode(self, password, salt):
        passwords.append(password)
        return usual(self, password, salt)

    monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", encode)
    return passwords


def test_logins_are_limited_by_address_before_a_password_is_hashed(client, hashed):
    answered = [log_in(client, f"name-{n}").status_code for n in range(LOGINS_PER_ADDRESS + 2)]
    get_problem = log_in(client, "another")

    assert answered == [200] * LOGINS_PER_ADDRESS + [429, 429]
    assert len(hashed) == LOGINS_PER_ADDRESS
    assert int(get_problem["Retry-After"]) <= 60
    assert "Too many attempts from your address" in get_problem.text
    assert log_in(client, "another", REMOTE_ADDR="203.0.113.9").status_code == 200


@pytest.mark.parametrize(
    "forwarded", ["203.0.113.9:{}", "[2001:db8::{}]:443", "2001:db8::{}", "::ffff:203.0.113.9", "unknown", "x{}\0", ""]
)
def test_no_spelling_of_an_address_breaks_a_login_or_avoids_the_lockout(client, settings, forwarded):
    settings.PROXIES = 1
    answered = [
        log_in(client, "ann", headers={"X-Forwarded-For": forwarded.format(n)}).status_code for n in range(1, 7)
    ]

    assert answered == [200, 200, 200, 200, 429, 429]
