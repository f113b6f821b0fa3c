"""/health/live, /health/ready and /health/fresh"""

from datetime import time

import pytest

from tests.web.conftest import NOW, days_ago, make_publication, make_run


@pytest.fixture
def checks(client):
    """A function that requests checks and returns the status code and whether each of them passes."""

    def get(address):
        response = client.get(address)
        assert response["Content-Type"] == "application/json"
        return response.status_code, {name: check["ok"] for name, check in response.json()["checks"].items()}

    return get


@pytest.fixture
def fresh(client):
    """A function that returns the status code of /health/fresh, and the messages of the checks that fail."""

    def get():
        response = client.get("/health/fresh")
        return response.status_code, [
            check["message"] for check in response.json()["checks"].values() if not check["ok"]
        ]

    return get


@pytest.mark.parametrize("address", ["/health/live", "/health/live/", "/api/v1/health/live", "/api/v1/health/live/"])
def test_live_needs_no_database(get_json, address):
    assert get_json(address) == {"status": "alive"}


@pytest.mark.parametrize(
    "address", ["/health/ready", "/health/ready/", "/api/v1/health/ready", "/api/v1/health/ready/"]
)
@pytest.mark.django_db
def test_a_server_is_ready_before_the_first_published_day(checks, address):
    assert checks(address) == (200, {"database": True, "migrations": True})


@pytest.mark.django_db
def test_a_server_with_overdue_lists_and_gaps_stays_ready(checks, fresh):
    make_publication(days_ago(9))
    make_publication(days_ago(2))

    assert checks("/health/ready")[0] == 200
    assert fresh()[0] == 503


@pytest.mark.parametrize(
    "address", ["/health/fresh", "/health/fresh/", "/api/v1/health/fresh", "/api/v1/health/fresh/"]
)
@pytest.mark.django_db
def test_lists_are_fresh_if_the_newest_day_is_on_time(checks, address):
    make_publication()

    assert checks(address) == (200, {"newest_day": True, "gaps": True})


@pytest.mark.django_db
def test_lists_are_not_fresh_before_the_first_published_day(fresh):
    make_run(state="failed")

    assert fresh() == (503, ["No day is published yet; run the nightly job."])


@pytest.mark.django_db
def test_yesterday_missing_after_the_deadline_is_overdue(fresh):
    make_publication(days_ago(1))

    assert fresh()[1][0] == "The newest published day is 2026-03-08; 2026-03-09 is overdue."


@pytest.mark.django_db
def test_yesterday_missing_before_the_deadline_is_in_time(fresh, clock):
    make_publication(days_ago(1))
    clock(NOW.replace(hour=5, minute=59))

    assert fresh() == (200, [])


@pytest.mark.django_db
def test_two_missing_days_are_overdue_even_before_the_deadline(fresh, clock):
    make_publication(days_ago(2))
    clock(NOW.replace(hour=5, minute=59))

    assert fresh()[0] == 503


@pytest.mark.django_db
def test_the_deadline_can_be_moved(fresh, settings):
    make_publication(days_ago(1))
    settings.PUBLISH_DEADLINE = time(9, 30)

    assert fresh() == (200, [])


@pytest.mark.parametrize("states", [[], ["failed"], ["running"], ["failed", "running"]])
@pytest.mark.django_db
def test_a_day_without_a_finished_run_is_a_gap_however_old_it_is(fresh, states):
    for age in (40, 38, *range(37)):
        make_run(days_ago(age))
    for state in states:
        make_run(days_ago(37), state)
    make_run(days_ago(39), "failed")

    assert fresh() == (
        503,
        ["Missing: 2026-01-29, 2026-01-31; nightly runs process LOOKBACK_DAYS, --from and --to older days."],
    )


@pytest.mark.django_db
def test_days_before_the_first_published_one_are_no_gaps(fresh):
    make_run(days_ago(3), "failed")
    make_publication(days_ago(0))

    assert fresh() == (200, [])


@pytest.mark.django_db
def test_a_failed_rerun_of_a_published_day_is_no_gap(fresh):
    make_publication()
    make_run(state="failed")

    assert fresh() == (200, [])


@pytest.mark.parametrize(("age", "status"), [(1, 503), (2, 503), (3, 200)])
@pytest.mark.django_db
def test_a_refused_day_is_a_gap_until_no_nightly_run_checks_it_again(fresh, settings, age, status):
    settings.LOOKBACK_DAYS = 3
    for day in {4, 3, 2, 1, 0} - {age}:
        make_run(days_ago(day))
    make_run(days_ago(age), "refused")

    assert fresh() == (status, [f"Refused by the audit: {days_ago(age)}; the runs say why."] if status == 503 else [])


@pytest.mark.django_db
def test_only_the_first_days_of_a_long_gap_are_named(fresh):
    make_run(days_ago(9))
    make_run()

    assert "2026-03-01, 2026-03-02, 2026-03-03, 2026-03-04, 2026-03-05 and 3 more days" in fresh()[1][0]


@pytest.mark.usefixtures("database_empty")
def test_missing_migrations_are_not_ready(checks):
    assert checks("/health/ready") == (503, {"database": True, "migrations": False})


@pytest.mark.usefixtures("database_down")
def test_without_a_database_nothing_but_the_process_passes(checks, get_json):
    assert checks("/health/ready") == (503, {"database": False, "migrations": False})
    assert checks("/health/fresh") == (503, {"newest_day": False, "gaps": False})
    assert get_json("/health/live")


@pytest.mark.parametrize("address", ["/health/ready", "/health/fresh"])
@pytest.mark.django_db
def test_every_check_has_a_message(get_json, address):
    make_publication()

    assert all(check["message"].endswith(".") for check in get_json(address)["checks"].values())


@pytest.mark.parametrize("address", ["/health/live", "/health/ready", "/health/fresh"])
@pytest.mark.django_db
def test_responses_are_not_cached(client, address):
    assert "no-store" in client.get(address)["Cache-Control"]


@pytest.mark.django_db
def test_unknown_query_parameters_are_ignored(get_json):
    assert get_json("/health/live?t=123")
