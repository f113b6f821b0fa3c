"""/health/live and /health/ready"""

from datetime import time

import pytest

from tests.web.conftest import NOW, days_ago, make_publication, make_run


@pytest.fixture
def ready(client):
    """A function that asks for readiness: the status, and each check's verdict."""

    def get(address="/health/ready"):
        response = client.get(address)
        assert response["Content-Type"] == "application/json"
        return response.status_code, {name: check["ok"] for name, check in response.json()["checks"].items()}

    return get


@pytest.mark.parametrize("address", ["/health/live", "/health/live/", "/api/v1/health/live", "/api/v1/health/live/"])
def test_live_asks_no_database(ask, address):
    assert ask(address) == {"status": "alive"}


@pytest.mark.parametrize(
    "address", ["/health/ready", "/health/ready/", "/api/v1/health/ready", "/api/v1/health/ready/"]
)
@pytest.mark.django_db
def test_a_fresh_day_makes_it_ready(ready, address):
    make_publication()

    assert ready(address) == (200, {"database": True, "migrations": True, "newest_day": True})


@pytest.mark.django_db
def test_nothing_published_is_not_ready(ready):
    make_run(state="failed")

    assert ready() == (503, {"database": True, "migrations": True, "newest_day": False})


@pytest.mark.django_db
def test_yesterday_missing_after_the_deadline_is_overdue(ready):
    make_publication(days_ago(1))

    assert ready() == (503, {"database": True, "migrations": True, "newest_day": False})


@pytest.mark.django_db
def test_yesterday_missing_before_the_deadline_is_in_time(ready, clock):
    make_publication(days_ago(1))
    clock(NOW.replace(hour=5, minute=59))

    assert ready()[0] == 200


@pytest.mark.django_db
def test_two_days_missing_are_overdue_before_the_deadline_too(ready, clock):
    make_publication(days_ago(2))
    clock(NOW.replace(hour=5, minute=59))

    assert ready()[0] == 503


@pytest.mark.django_db
def test_the_deadline_can_be_moved(ready, settings):
    make_publication(days_ago(1))
    settings.PUBLISH_DEADLINE = time(9, 30)

    assert ready()[0] == 200


@pytest.mark.usefixtures("database_empty")
def test_missing_migrations_are_not_ready(ready):
    assert ready() == (503, {"database": True, "migrations": False, "newest_day": False})


@pytest.mark.usefixtures("database_down")
def test_without_a_database_it_is_not_ready(ready):
    assert ready() == (503, {"database": False, "migrations": False, "newest_day": False})


@pytest.mark.django_db
def test_every_verdict_is_explained_in_a_sentence(ask):
    make_publication()

    assert all(check["message"].endswith(".") for check in ask("/health/ready")["checks"].values())


@pytest.mark.parametrize("address", ["/health/live", "/health/ready"])
@pytest.mark.django_db
def test_nobody_may_keep_the_answer(client, address):
    assert "no-store" in client.get(address)["Cache-Control"]


@pytest.mark.django_db
def test_a_probe_may_add_what_it_likes_to_the_address(ask):
    assert ask("/health/live?t=123")
