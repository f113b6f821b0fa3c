"""The number of queries does not grow with the number of advertisers, and no query reads them all."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.web.conftest import YESTERDAY, days_ago, make_run
from tests.web.keys import make_key, whole
from webapp.lists import response_cache

DAYS = 3
MANY = 5000
FILL = {
    "top_product": ("views", "1000 - rank"),
    "top_ctr": ("clicks, impressions, ctr", "1, 2, 0.5"),
}
ADDRESSES = [
    "/recommendations/A1/TopProduct",
    "/recommendations/A1/TopCTR?exclude=p1&fallback=TopProduct",
    "/history/A1?days=90",
    "/stats",
    "/advertisers",
    "/advertisers?active=true&search=A1",
    "/models",
    "/runs",
    f"/snapshots/{YESTERDAY}",
    f"/snapshots/{YESTERDAY}?format=csv",
    "/health/ready",
    "/health/fresh",
    "/metrics",
    "/",
]


@pytest.fixture
def runs(db):
    """The last days' published runs."""
    return [make_run(days_ago(number)) for number in range(DAYS)]


def fill(runs, first, last):
    """Add the active advertisers A<first> to A<last>, each with two lists of five products in every run."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO advertiser (advertiser_id) SELECT 'A' || n FROM generate_series(%s, %s) n", [first, last]
        )
        for run in runs:
            for table, (scores, values) in FILL.items():
                cursor.execute(
                    f"INSERT INTO {table} (run_id, date, advertiser_id, product_id, rank, {scores})"
                    f" SELECT %s, %s, 'A' || n, 'p' || (rank + %s), rank, {values}"
                    " FROM generate_series(%s, %s) n, generate_series(1, 5) rank",
                    [run.pk, run.day, run.pk % 7, first, last],
                )
        cursor.execute("ANALYZE advertiser, run, top_product, top_ctr")


@pytest.fixture
def counted(client, runs):
    """A function that returns the number of queries by address."""
    key = make_key()

    def queries(address):
        response_cache.clear()
        with CaptureQueriesContext(connection) as captured:
            response = whole(client.get(address, headers={"authorization": f"Api-Key {key}"}))
            assert response.status_code == 200
        return len(captured)

    queries("/models")  # records the key's use, once a minute
    return lambda: {address: queries(address) for address in ADDRESSES}


def test_five_thousand_advertisers_take_as_many_queries_as_five(runs, counted):
    fill(runs, 1, 5)
    few = counted()
    fill(runs, 6, MANY)

    assert counted() == few


@pytest.mark.parametrize("table", FILL)
def test_one_advertisers_list_is_found_by_an_index_however_many_there_are(runs, table):
    fill(runs, 1, MANY)
    with connection.cursor() as cursor:
        cursor.execute(
            f"EXPLAIN SELECT * FROM {table} WHERE run_id = %s AND advertiser_id = 'A7' ORDER BY rank", [runs[0].pk]
        )
        plan = "\n".join(line for (line,) in cursor)

    assert "Index Scan" in plan
    assert f"Seq Scan on {table}" not in plan
