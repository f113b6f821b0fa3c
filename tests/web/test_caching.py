"""HTTP caching: ETag, Cache-Control, and 304 without reading the ranking tables. test_validators.py has what ETags cover."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.web.conftest import NOW, YESTERDAY, days_ago, make_list, make_publication, make_run
from tests.web.keys import make_key, make_lists_of, whole
from webapp.rankings.models import TopCTR

pytestmark = pytest.mark.django_db
ADDRESSES = [
    "/recommendations/A/TopProduct",
    "/api/v1/recommendations/A/TopCTR/?limit=3&exclude=x",
    "/history/A",
    "/stats",
    f"/stats?date={YESTERDAY}",
    f"/snapshots/{YESTERDAY}",
    f"/api/v1/snapshots/{YESTERDAY}/?format=csv",
]
LIST = ADDRESSES[0]
everywhere = pytest.mark.parametrize("address", ADDRESSES)


def get(client, address, **headers):
    return whole(client.get(address, headers={name.replace("_", "-"): value for name, value in headers.items()}))


def etag(client, address=LIST, **headers):
    return get(client, address, **headers)["ETag"]


# Conditional requests


@everywhere
def test_a_matching_etag_gets_304_without_reading_the_ranking_tables(client, address):
    make_lists_of("A")
    tag = etag(client, address)
    with CaptureQueriesContext(connection) as captured:
        response = get(client, address, if_none_match=tag)

    assert (response.status_code, response.content, response["ETag"]) == (304, b"", tag)
    assert captured
    assert not any("top_" in query["sql"] for query in captured)


@everywhere
def test_the_same_list_is_the_same_bytes(client, address):
    make_lists_of("A", "B")
    answers = [get(client, address) for _ in range(2)]

    assert answers[0].getvalue() == answers[1].getvalue()
    assert answers[0]["ETag"] == answers[1]["ETag"]


@pytest.mark.parametrize("tags", ["W/{}", '"other", {}', '"other",{}'])
def test_the_tag_matches_among_others_and_as_a_weak_tag(client, tags):
    make_lists_of("A")

    assert get(client, LIST, if_none_match=tags.format(etag(client))).status_code == 304


@pytest.mark.parametrize("tags", ['"other"', "nonsense", "", "\x01"])
def test_another_tag_gets_200(client, tags):
    make_lists_of("A")

    assert get(client, LIST, if_none_match=tags).status_code == 200


# Cache-Control


@pytest.mark.parametrize(
    ("hour", "newest", "seconds"),
    [(7, YESTERDAY, 17 * 3600), (0, YESTERDAY, 24 * 3600), (7, days_ago(1), 60), (1, days_ago(1), 60)],
)
def test_max_age_lasts_until_the_next_list_is_expected(client, clock, hour, newest, seconds):
    clock(NOW.replace(hour=hour))
    make_publication(newest)

    assert get(client, LIST)["Cache-Control"] == f"max-age={seconds}, public"


def test_a_final_day_may_be_kept_until_midnight(client):
    run = make_publication(days_ago(9))
    run.final = True
    run.save()

    assert "max-age=61200" in get(client, f"{LIST}?date={days_ago(9)}")["Cache-Control"]


def test_cache_at_most_caps_max_age(client, settings):
    settings.CACHE_AT_MOST = 30
    make_publication()

    assert "max-age=30," in get(client, LIST)["Cache-Control"]


def test_a_304_renews_max_age(client):
    make_publication()

    assert get(client, LIST, if_none_match=etag(client))["Cache-Control"] == get(client, LIST)["Cache-Control"]


@everywhere
def test_responses_to_a_key_are_private(client, address):
    make_lists_of("A")
    response = get(client, address, authorization=f"Api-Key {make_key()}")

    assert "private" in response["Cache-Control"]
    assert "Authorization" in response["Vary"]


@pytest.mark.parametrize("address", ["/advertisers", "/runs", "/models"])
def test_listings_must_be_revalidated(client, address):
    assert get(client, address)["Cache-Control"] == "no-cache"
    assert get(client, address, authorization=f"Api-Key {make_key()}")["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("address", ["/recommendations/Z/TopCTR", "/stats", "/nowhere", "/stats?limit=0"])
def test_problems_are_not_cached(client, address):
    assert get(client, address)["Cache-Control"] == "no-store"


def test_browsable_pages_are_not_cached(client):
    make_lists_of("A")
    response = get(client, LIST, accept="text/html")

    assert "ETag" not in response
    assert response["Cache-Control"] == "no-cache"


# Queries


@pytest.mark.parametrize(
    ("address", "queries"),
    [
        ("/recommendations/A/TopProduct", 2),
        ("/recommendations/B/TopCTR?fallback=TopProduct", 3),
        ("/history/A", 5),
        ("/history/A?model=TopCTR", 2),
        ("/stats", 5),
        (f"/stats?date={days_ago(1)}", 5),
        (f"/snapshots/{YESTERDAY}", 5),
    ],
)
def test_number_of_queries(client, django_assert_num_queries, address, queries):
    make_run(days_ago(1))
    run = make_lists_of("A")
    make_list(run, "B", "p1")
    make_publication(days_ago(2), "B", model=TopCTR)

    with django_assert_num_queries(queries):
        get(client, address).getvalue()


@pytest.mark.parametrize("address", ["/recommendations/A/TopProduct", "/history/A", "/stats"])
def test_a_cached_response_is_served_without_reading_the_ranking_tables(client, address):
    make_lists_of("A")
    made = get(client, address)
    with CaptureQueriesContext(connection) as captured:
        again = get(client, address)

    assert again.content == made.content
    assert all(again[name] == made[name] for name in ("ETag", "Content-Type", "Vary", "Cache-Control"))
    assert not any("top_product" in query["sql"] or "top_ctr" in query["sql"] for query in captured)
