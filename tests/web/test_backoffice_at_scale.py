"""With 5,000 advertisers and a year of lists, each page of the admin takes under 300 ms, and no more space than with 150."""

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.web.conftest import YESTERDAY
from webapp.lists import response_cache

pytestmark = [pytest.mark.long, pytest.mark.django_db]
PAGES = [
    "/admin/",
    "/admin/rankings/advertiser/",
    "/admin/rankings/advertiser/A00007/change/",
    "/admin/rankings/advertiser/?q=0007",
    "/admin/rankings/advertiser/A00007/change/?day=2026-01-20",
    "/admin/rankings/advertiser/A00007/change/?compare=2025-06-20",
    "/admin/rankings/advertiser/A00007/hide/?product_id=p3",
    "/admin/rankings/advertiser/A00007/TopCTR.csv",
    "/admin/rankings/run/",
    "/admin/rankings/run/{run}/change/",
    "/admin/rankings/topproduct/",
    "/admin/rankings/topctr/",
    "/admin/rankings/expectedctr/",
    "/admin/rankings/topctr/?q=p7",
    "/admin/rankings/topctr/?q=A00007",
    "/admin/rankings/topctr/?date__exact=2025-06-20",
    "/admin/rankings/topctr/?run__state=all",
    "/admin/rankings/topctr/?run__id__exact={run}",
    "/admin/rankings/topproduct/?advertiser__advertiser_id__exact=A00007",
    "/admin/curation/hiddenproduct/",
    "/admin/curation/hiddenproduct/?in_force=yes",
]
RUNS = """
    INSERT INTO run (day, state, started_at, published_at, counts, parameters)
    SELECT %s::date - age, 'published', now(), now(), '{"events": 9, "clicks": 1, "impressions": 4}',
           '{"half_life_days": 7}'
    FROM generate_series(364, 0, -1) AS age
"""
ADVERTISERS = """
    INSERT INTO advertiser (advertiser_id) SELECT 'A' || lpad(number::text, 5, '0') FROM generate_series(%s, %s) AS number
"""
# Only the two days that are compared need full lists.
LISTS = """
    INSERT INTO {table} (run_id, date, advertiser_id, product_id, rank, {columns})
    SELECT run.id, day, advertiser_id, 'p' || rank + run.id %% 3, rank, {values}
    FROM run, advertiser, generate_series(1, CASE WHEN day >= %s::date - 1 THEN 20 ELSE 1 END) AS rank
    WHERE advertiser_id BETWEEN 'A' || lpad(%s::text, 5, '0') AND 'A' || lpad(%s::text, 5, '0')
"""
HIDDEN = """
    INSERT INTO hidden_product (advertiser_id, product_id, reason, until, hidden_by_id)
    SELECT advertiser_id, 'p3', 'Recalled', %s::date + 30, auth_user.id FROM advertiser, auth_user
    WHERE advertiser_id BETWEEN 'A' || lpad(%s::text, 5, '0') AND 'A' || lpad(%s::text, 5, '0')
"""
SCORES = {
    "top_product": ("views", "100 - rank"),
    "top_ctr": ("clicks, impressions, ctr", "20 - rank, 100, (20 - rank) / 100.0"),
    "expected_ctr": (
        "clicks, impressions, decayed_clicks, decayed_impressions, ctr, score, score_low, score_high",
        "20 - rank, 100, 20 - rank, 200, (20 - rank) / 200.0, (21 - rank) / 200.0, 0, 1",
    ),
}


def add_advertisers(first, last):
    with connection.cursor() as cursor:
        cursor.execute(ADVERTISERS, [first, last])
        for table, (columns, values) in SCORES.items():
            cursor.execute(LISTS.format(table=table, columns=columns, values=values), [YESTERDAY, first, last])
        cursor.execute(HIDDEN, [YESTERDAY, first, last])
        cursor.execute("ANALYZE")


def measure(client, page):
    """The page's queries and bytes with an empty cache, and its seconds; the best of three, since other tests run beside it.

    Only the first request after a run is published finds the cache empty, which costs the home page 0.4 s.
    """
    response_cache.clear()
    seconds, queries = [], []
    for _ in range(3):
        began = time.monotonic()
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(page)
        seconds.append(time.monotonic() - began)
        queries.append(len(captured))
        assert answer.status_code == 200
    return queries[0], len(answer.content), min(seconds)


def test_no_page_grows_with_the_advertisers(admin_client):
    with connection.cursor() as cursor:
        cursor.execute(RUNS, [YESTERDAY])
        cursor.execute("SELECT max(id) FROM run")
        (newest,) = cursor.fetchone()
    # 150 fill more than one page. Each page is measured twice, because Django queries content types the first time.
    add_advertisers(1, 150)
    pages = [page.format(run=newest) for page in PAGES]
    few = {page: measure(admin_client, page) for _ in range(2) for page in pages}
    add_advertisers(151, 5000)
    many = {page: measure(admin_client, page) for page in pages}
    for page in pages:
        print(f"{page}: {many[page][0]} queries, {many[page][1] / 1000:.0f} kB, {many[page][2]:.2f} s")

    assert {page: queries for page, (queries, _, _) in many.items()} == {page: few[page][0] for page in pages}
    assert max(queries for queries, _, _ in many.values()) <= 16
    assert all(size <= 1.1 * few[page][1] for page, (_, size, _) in many.items())
    assert {page: seconds for page, (_, _, seconds) in many.items() if seconds > 0.3} == {}
