"""No page of the admin grows with the number of advertisers: 5,000 of them and 90 days beside 30."""

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.web.conftest import YESTERDAY
from webapp.rankings.memory import forget

pytestmark = [pytest.mark.long, pytest.mark.django_db]
PAGES = [
    "/admin/",
    "/admin/rankings/advertiser/",
    "/admin/rankings/advertiser/A00007/change/",
    "/admin/rankings/advertiser/A00007/change/?day=2026-01-20",
    "/admin/rankings/advertiser/A00007/hide/?product_id=p3",
    "/admin/rankings/advertiser/A00007/TopCTR.csv",
    "/admin/rankings/run/",
    "/admin/rankings/run/{run}/change/",
    "/admin/rankings/topproduct/",
    "/admin/rankings/topctr/",
    "/admin/curation/hiddenproduct/",
]
RUNS = """
    INSERT INTO run (day, state, started_at, published_at, counts)
    SELECT %s::date - age, 'published', now(), now(), '{"events": 9, "clicks": 1, "impressions": 4}'
    FROM generate_series(89, 0, -1) AS age
"""
ADVERTISERS = """
    INSERT INTO advertiser (advertiser_id) SELECT 'A' || lpad(number::text, 5, '0') FROM generate_series(%s, %s) AS number
"""
# The two days that are compared have whole lists; of the others, whose lists no page counts, one product is enough.
LISTS = """
    INSERT INTO {table} (run_id, date, advertiser_id, product_id, rank, {columns})
    SELECT run.id, day, advertiser_id, 'p' || rank + run.id %% 3, rank, {values}
    FROM run, advertiser, generate_series(1, CASE WHEN day >= %s::date - 1 THEN 20 ELSE 1 END) AS rank
    WHERE advertiser_id BETWEEN 'A' || lpad(%s::text, 5, '0') AND 'A' || lpad(%s::text, 5, '0')
"""
SCORES = {
    "top_product": ("views", "100 - rank"),
    "top_ctr": ("clicks, impressions, ctr", "20 - rank, 100, (20 - rank) / 100.0"),
}


def add_advertisers(first, last):
    with connection.cursor() as cursor:
        cursor.execute(ADVERTISERS, [first, last])
        for table, (columns, values) in SCORES.items():
            cursor.execute(LISTS.format(table=table, columns=columns, values=values), [YESTERDAY, first, last])
        cursor.execute("ANALYZE")


def measure(client, page):
    """Queries, bytes and seconds that the page takes."""
    forget()
    began = time.monotonic()
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(page)
    assert answer.status_code == 200
    return len(queries), len(answer.content), time.monotonic() - began


def test_no_page_grows_with_the_advertisers(admin_client):
    with connection.cursor() as cursor:
        cursor.execute(RUNS, [YESTERDAY])
        cursor.execute("SELECT max(id) FROM run")
        (newest,) = cursor.fetchone()
    # More than one page of them, asked for twice: the first time, Django asks for its content types and keeps them.
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
    assert max(seconds for _, _, seconds in many.values()) < 10
