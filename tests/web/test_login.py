"""Logging in: a few wrong passwords and a name must wait, and only there where they were tried."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from tests.web.conftest import PASSWORD, make_user

pytestmark = pytest.mark.django_db
time_goes_on = timezone.now  # django-axes asks it too, and would not notice a stopped clock


@pytest.fixture(autouse=True)
def running_clock(clock, monkeypatch):
    monkeypatch.setattr(timezone, "now", time_goes_on)


def log_in(client, name="ann", password=PASSWORD, **headers):
    return client.post(reverse("admin:login"), {"username": name, "password": password, "next": "/admin/"}, **headers)


def fail(client, times, **rest):
    for _ in range(times):
        log_in(client, password="wrong", **rest)


def test_the_right_password_opens_the_door(client):
    make_user("ann")

    assert log_in(client)["Location"] == "/admin/"


def test_four_wrong_passwords_are_forgiven(client):
    make_user("ann")
    fail(client, 4)

    assert log_in(client).status_code == 302


def test_after_five_even_the_right_one_has_to_wait(client):
    make_user("ann")
    fail(client, 5)
    answer = log_in(client)

    assert answer.status_code == 429
    assert "may try again from here in 15 minutes" in answer.text


def test_the_wait_ends(client):
    make_user("ann")
    fail(client, 5)
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=16))

    assert log_in(client).status_code == 302


def test_colleagues_at_the_same_address_go_on(client):
    make_user("ann")
    make_user("bob")
    fail(client, 5)

    assert log_in(client, "bob").status_code == 302


def test_nobody_is_locked_out_from_afar(client):
    make_user("ann")
    fail(client, 5, REMOTE_ADDR="203.0.113.9")

    assert log_in(client).status_code == 302


def test_a_made_up_forwarding_header_is_no_way_around(client):
    make_user("ann")
    for number in range(5):
        log_in(client, password="wrong", headers={"X-Forwarded-For": f"203.0.113.{number}"})

    assert log_in(client).status_code == 429


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_saw(client, settings):
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    make_user("ann")
    for number in range(5):
        log_in(client, password="wrong", headers={"X-Forwarded-For": f"10.0.0.{number}, 203.0.113.9"})

    assert log_in(client, headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 429
    assert log_in(client, headers={"X-Forwarded-For": "203.0.113.10"}).status_code == 302


def test_an_administrator_ends_the_wait(client):
    make_user("ann")
    fail(client, 5)
    client.force_login(make_user("root", "administrator"))
    attempt = client.get("/admin/axes/accessattempt/").context["cl"].result_list[0]
    client.post(f"/admin/axes/accessattempt/{attempt.pk}/delete/", {"post": "yes"})
    client.logout()

    assert log_in(client).status_code == 302


def test_no_password_is_kept_of_a_failed_attempt(client):
    make_user("ann")
    log_in(client, password="almost my secret")
    client.force_login(make_user("root", is_superuser=True))
    attempt = client.get("/admin/axes/accessattempt/").context["cl"].result_list[0]

    assert "almost my secret" not in str(vars(attempt))
