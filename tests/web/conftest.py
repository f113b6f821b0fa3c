"""Rows and requests for the tests of the web app: `make_publication(day)`, `get_json("/stats")`, `get_problem("/nope")`."""

import json
import socket
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.db import connections
from django.utils import timezone

from webapp.curation.models import HiddenProduct
from webapp.lists import response_cache
from webapp.rankings.models import (
    Advertiser,
    AdvertiserCounts,
    ExpectedCTR,
    Run,
    TopCTR,
    TopCTRWindow,
    TopProduct,
    TopProductWindow,
    Trending,
)

NOW = datetime(2026, 3, 10, 7, 0, tzinfo=UTC)
YESTERDAY = date(2026, 3, 9)
DEFAULTS = {"top": 20, "ctr_prior_weight": 0, "min_impressions": 1, "trend_prior_weight": 20, "half_life_days": 7}
PASSWORD = "a long enough secret"
SCORES: dict[type, dict[str, Any]] = {
    TopProduct: {"views": 5},
    TopCTR: {"clicks": 1, "impressions": 4, "ctr": 0.25, "score": 0.2},
    Trending: {"views": 5, "usual": 2.5, "score": 2},
    ExpectedCTR: {
        "clicks": 1,
        "impressions": 4,
        "decayed_clicks": 1.5,
        "decayed_impressions": 7.5,
        "ctr": 0.2,
        "score": 0.1,
        "score_low": 0.02,
        "score_high": 0.3,
    },
    TopProductWindow: {"views": 35},
    TopCTRWindow: {"clicks": 7, "impressions": 28, "ctr": 0.25, "score": 0.2},
}


def pytest_itemcollected(item):
    """Put the operation into the id of a schemathesis test: pytest 9.2 gives them all one id, which xdist runs once."""
    if operation := getattr(item, "operation_label", None):
        item._id = item.id.with_params(operation)


def days_ago(number):
    """That many days before yesterday, the day whose lists are due."""
    return YESTERDAY - timedelta(days=number)


def make_advertiser(advertiser_id="A", active=True):
    return Advertiser.objects.get_or_create(advertiser_id=advertiser_id, defaults={"active": active})[0]


def make_run(day=YESTERDAY, state="published", **columns):
    """A run of the day; one that readers see or saw was published the morning after at 05:00."""
    if state in ("published", "superseded"):
        morning = datetime(day.year, day.month, day.day, 5, tzinfo=UTC) + timedelta(days=1)
        columns = {"published_at": morning, **columns}
    return Run.objects.create(day=day, state=state, **columns)


def make_list(run, advertiser_id, products, model=TopProduct, **columns):
    """The advertiser's list in the run, best first, from product ids with spaces between."""
    same = {"run": run, "date": run.day, "advertiser_id": advertiser_id, **SCORES[model], **columns}
    return model.objects.bulk_create(
        model(**same, product_id=product, rank=rank) for rank, product in enumerate(products.split(), start=1)
    )


def make_counts(run, advertiser_id, products, hidden=(), rejected=None, past_days=0, part=0, prior=(None, None)):
    """What the run counted of the advertiser, by product, and the mean and weight of its prior.

    The numbers are views, impressions, clicks and views of the week before; with decayed clicks and impressions after them,
    unless the run is older than those. A run that has none of its own gets the parameters that a night has by default.
    """
    run.parameters = DEFAULTS | run.parameters
    run.save()
    return AdvertiserCounts.objects.create(
        run=run,
        date=run.day,
        advertiser_id=make_advertiser(advertiser_id).pk,
        part=part,
        past_days=past_days,
        products=json.dumps(products),
        hidden=json.dumps(list(hidden)),
        rejected=json.dumps(rejected or {}),
        prior_mean=prior[0],
        prior_weight=prior[1],
    )


def make_publication(day=YESTERDAY, advertiser_id="A", products="p1", model=TopProduct):
    """A published run with one list of one active advertiser."""
    run = make_run(day)
    make_list(run, make_advertiser(advertiser_id).pk, products, model)
    return run


def make_user(name, role=None, **flags):
    """A member of staff with the role, if any."""
    user = User.objects.create_user(name, password=PASSWORD, **{"is_staff": True, **flags})
    if role:
        user.groups.add(Group.objects.get(name=role))
    return user


def hide(advertiser_id, product_id, until=YESTERDAY + timedelta(days=30), by=None):
    """Hides a product for a month from now."""
    by = by or User.objects.filter(username="hider").first() or make_user("hider")
    return HiddenProduct.objects.create(
        advertiser_id=advertiser_id, product_id=product_id, reason="because", until=until, hidden_by=by
    )


@pytest.fixture
def log_in(client):
    """A function that logs the client in as somebody with the role and returns the client."""

    def with_role(role):
        client.force_login(make_user(role or "nobody", role))
        return client

    return with_role


@pytest.fixture(autouse=True)
def plain_static_files(settings, tmp_path):
    """Lets pages link to static files that nobody collected."""
    settings.STATIC_ROOT = tmp_path
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    """Hashing a password well takes long; here nobody steals one."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def empty_caches():
    """Forgets the responses of earlier tests, and their requests, which count towards the rate limits."""
    cache.clear()
    response_cache.clear()


@pytest.fixture(autouse=True)
def public(settings):
    """Opens the API to everybody, so that a test says so when it is about keys."""
    settings.API_PUBLIC = True


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Stops the clock, at NOW unless a test calls it with another moment."""

    def stop_at(moment):
        monkeypatch.setattr(timezone, "now", lambda: moment)

    stop_at(NOW)
    return stop_at


@pytest.fixture
def get_json(client):
    """A function that gets an address and returns the JSON of a good response."""

    def get(address, **headers):
        response = client.get(address, headers=headers or None)
        assert response.status_code == 200, response.content
        assert response["Content-Type"] == "application/json"
        return response.json()

    return get


@pytest.fixture
def get_problem(client):
    """A function that gets an address and returns the problem document of its response."""

    def get(address, method="GET", **headers):
        client.raise_request_exception = False
        response = client.generic(method, address, headers=headers or None)
        return problem_of(response)

    return get


def problem_of(response):
    """The response's problem document, which must be a whole one."""
    assert response["Content-Type"] == "application/problem+json", response.content
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["title"]
    assert problem["detail"]
    assert problem["instance"].startswith("/")
    return problem


@contextmanager
def connected_otherwise(**settings):
    """Replaces the connection by one with other settings; the real driver gets whatever they lead to."""
    usual = connections["default"]
    connections["default"] = type(usual)({**usual.settings_dict, **settings})
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"] = usual


@pytest.fixture
def database_down(django_db_blocker):
    """A database at whose port nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with django_db_blocker.unblock(), connected_otherwise(HOST="127.0.0.1", PORT=port):
        yield


@pytest.fixture
def database_empty(db):
    """A database without a single table of ours."""
    with connected_otherwise(OPTIONS={"options": "-c search_path=nowhere"}):
        yield
