"""/metrics"""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from tests.web.conftest import days_ago, make_advertiser, make_run
from tests.web.keys import make_key

pytestmark = pytest.mark.django_db
COUNTS = {
    "read": {"product_views": 900, "ads_views": 100},
    "rejected": {"bad_date": 20, "bad_type": 5},
    "top_product": 60,
    "top_ctr": 40,
}


@pytest.fixture
def measured(client):
    """A function that returns the samples by name and labels."""
    key = make_key()

    def get():
        response = client.get("/metrics", headers={"authorization": f"Api-Key {key}"})
        assert response.status_code == 200
        assert response["Content-Type"].startswith("text/plain; version=")
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(response.text)
            for sample in family.samples
        }

    return get


def test_the_newest_published_day_and_its_age_are_measured(measured):
    make_run(days_ago(3))
    make_run(days_ago(1))
    samples = measured()

    assert samples["vitrina_newest_day_timestamp_seconds",] == 1772928000  # 2026-03-08 00:00 UTC
    assert samples["vitrina_newest_day_age_seconds",] == 31 * 3600
    assert samples["vitrina_overdue",] == 1


def test_a_day_in_time_is_not_overdue(measured):
    make_run()

    assert measured()["vitrina_overdue",] == 0


def test_gaps_are_counted_by_reason(measured):
    for age, state in ((4, "published"), (3, "failed"), (1, "refused"), (0, "published")):
        make_run(days_ago(age), state)
    samples = measured()

    assert (samples["vitrina_gaps", "missing"], samples["vitrina_gaps", "refused"]) == (2, 1)
    assert samples["vitrina_overdue",] == 0


def test_rows_and_the_rejected_share_are_those_of_the_newest_run(measured):
    make_run(days_ago(1), counts={"read": {"product_views": 1}})
    make_run(counts=COUNTS)
    samples = measured()

    assert samples["vitrina_rows", "TopProduct"] == 60
    assert samples["vitrina_rows", "TopCTR"] == 40
    assert samples["vitrina_read_rows", "product_views"] == 900
    assert samples["vitrina_rejected_share",] == 0.025


def test_runs_are_counted_by_state_including_states_without_runs(measured):
    make_run()
    make_run(state="failed")
    make_run(state="failed")
    samples = measured()

    assert [samples["vitrina_runs", state] for state in ("published", "failed", "refused")] == [1, 2, 0]


def test_before_the_first_published_day_lists_are_overdue(measured):
    samples = measured()

    assert samples["vitrina_overdue",] == 1
    assert ("vitrina_newest_day_age_seconds",) not in samples


def test_numbers_that_an_old_run_lacks_are_left_out(measured):
    make_run(counts={})

    assert not any(name == "vitrina_rejected_share" for name, *_ in measured())


def test_requests_are_measured_by_route_and_never_by_advertiser(client, measured):
    make_advertiser("SomeAdvertiser")
    client.get("/api/v1/history/SomeAdvertiser/")
    samples = measured()
    assert samples["django_http_requests_latency_seconds_by_view_method_count", "GET", "v1:history"] >= 1
    assert not any("SomeAdvertiser" in str(labels) for labels in samples)


def test_a_scrape_takes_four_queries_however_many_runs_there_are(client):
    for number in range(20):
        make_run(days_ago(number), counts=COUNTS)
    key = make_key()
    client.get("/metrics", headers={"authorization": f"Api-Key {key}"})
    with CaptureQueriesContext(connection) as captured:
        client.get("/metrics", headers={"authorization": f"Api-Key {key}"})

    assert len(captured) == 4
