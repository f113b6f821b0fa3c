"""What lets a caller keep an answer: ETag, Last-Modified, Cache-Control, and 304 without a look at the rankings."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.web.conftest import NOW, YESTERDAY, days_ago, make_list, make_publication, make_run
from tests.web.keys import make_key, make_lists_of, whole
from webapp.rankings import caching, lists
from webapp.rankings.models import Run, TopCTR

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


# Asked again


@everywhere
def test_who_has_the_answer_is_told_so_without_a_look_at_the_rankings(client, address):
    make_lists_of("A")
    tag = etag(client, address)
    with CaptureQueriesContext(connection) as captured:
        response = get(client, address, if_none_match=tag)

    assert (response.status_code, response.content, response["ETag"]) == (304, b"", tag)
    assert captured
    assert not any("top_" in query["sql"] for query in captured)


@everywhere
def test_the_time_of_the_last_change_serves_as_well(client, address):
    make_lists_of("A")
    changed = get(client, address)["Last-Modified"]

    assert get(client, address, if_modified_since=changed).status_code == 304


@everywhere
def test_the_same_list_is_the_same_bytes(client, address):
    make_lists_of("A", "B")
    answers = [get(client, address) for _ in range(2)]

    assert answers[0].getvalue() == answers[1].getvalue()
    assert answers[0]["ETag"] == answers[1]["ETag"]


@pytest.mark.parametrize("tags", ["W/{}", '"other", {}', '"other",{}'])
def test_the_tag_is_found_among_others_and_where_a_proxy_weakened_it(client, tags):
    make_lists_of("A")

    assert get(client, LIST, if_none_match=tags.format(etag(client))).status_code == 304


@pytest.mark.parametrize("tags", ['"other"', "nonsense", "", "\x01"])
def test_another_tag_gets_the_answer(client, tags):
    make_lists_of("A")

    assert get(client, LIST, if_none_match=tags).status_code == 200


def test_a_tag_counts_before_a_time(client):
    make_lists_of("A")
    changed = get(client, LIST)["Last-Modified"]

    assert get(client, LIST, if_none_match='"other"', if_modified_since=changed).status_code == 200


def test_a_later_time_than_the_last_change_gets_the_answer_since_a_rollback_goes_back(client):
    make_lists_of("A")

    assert get(client, LIST, if_modified_since="Wed, 01 Apr 2026 00:00:00 GMT").status_code == 200


# What changes the answer changes its tag


def test_a_rerun_and_a_rollback_change_the_tag(client):
    first = make_publication(products="p1")
    tags = [etag(client)]
    Run.objects.filter(pk=first.pk).update(state="superseded")
    make_publication(products="p2")
    tags.append(etag(client))
    Run.objects.exclude(pk=first.pk).update(state="superseded")
    Run.objects.filter(pk=first.pk).update(state="published")
    tags.append(etag(client))

    assert tags[0] == tags[2] != tags[1]


def test_a_rollback_is_noticed_by_who_asks_by_time(client):
    first = make_publication(products="p1")
    Run.objects.filter(pk=first.pk).update(state="superseded")
    second = make_publication(products="p2")
    Run.objects.filter(pk=second.pk).update(published_at=NOW)
    changed = get(client, LIST)["Last-Modified"]
    Run.objects.filter(pk=second.pk).update(state="superseded")
    Run.objects.filter(pk=first.pk).update(state="published")

    assert get(client, LIST, if_modified_since=changed).status_code == 200


def test_midnight_makes_a_fresh_list_stale_and_changes_tag_and_time(client, clock):
    make_publication()
    before = get(client, LIST)
    clock(NOW + timedelta(days=1))
    after = get(client, LIST)

    assert before["ETag"] != after["ETag"]
    assert (before["Last-Modified"], after["Last-Modified"]) == (
        "Tue, 10 Mar 2026 05:00:00 GMT",
        "Wed, 11 Mar 2026 00:00:00 GMT",
    )


def test_what_is_hidden_changes_tag_and_time(client, monkeypatch):
    make_publication()
    before = get(client, LIST)
    monkeypatch.setattr(caching, "change_of_shown", lambda advertiser: lists.Change("p1 is hidden", NOW))
    after = get(client, LIST, if_none_match=before["ETag"])

    assert (after.status_code, after["Last-Modified"]) == (200, "Tue, 10 Mar 2026 07:00:00 GMT")


def test_a_new_day_changes_the_tag_of_a_history(client):
    make_publication(days_ago(1))
    before = etag(client, f"/history/A?to={YESTERDAY}")
    make_run()

    assert etag(client, f"/history/A?to={YESTERDAY}") != before


def test_the_day_before_belongs_to_the_statistics(client):
    make_publication()
    before = etag(client, "/stats")
    make_publication(days_ago(1))

    assert etag(client, "/stats") != before


@pytest.mark.parametrize(
    "address", ["/recommendations/A/TopProduct?limit=1", "/recommendations/A/TopCTR", "/recommendations/B/TopProduct"]
)
def test_another_question_has_another_tag(client, address):
    make_lists_of("A", "B")

    assert etag(client, address) != etag(client)


def test_keys_of_different_reach_have_different_tags_for_a_snapshot(client):
    make_lists_of("A", "B")
    address = f"/snapshots/{YESTERDAY}"
    tags = {etag(client, address, authorization=f"Api-Key {make_key(reach)}") for reach in ("A", "B", None)}

    assert len(tags) == 3


def test_an_answer_in_another_form_has_another_tag(client):
    make_lists_of("A")

    assert etag(client, accept="application/json; indent=2") != etag(client)


def test_a_snapshot_has_one_tag_gzipped_and_another_as_it_is(client):
    make_lists_of("A")
    address = f"/snapshots/{YESTERDAY}"

    assert etag(client, address, accept_encoding="identity") != etag(client, address)


# How long it holds


@pytest.mark.parametrize(
    ("hour", "newest", "seconds"),
    [(7, YESTERDAY, 17 * 3600), (0, YESTERDAY, 24 * 3600), (7, days_ago(1), 60), (1, days_ago(1), 60)],
)
def test_a_list_holds_until_the_next_is_expected(client, clock, hour, newest, seconds):
    clock(NOW.replace(hour=hour))
    make_publication(newest)

    assert get(client, LIST)["Cache-Control"] == f"max-age={seconds}, public"


def test_a_day_that_the_nights_no_longer_look_back_at_holds_for_the_day(client):
    run = make_publication(days_ago(9))
    run.final = True
    run.save()

    assert "max-age=61200" in get(client, f"{LIST}?date={days_ago(9)}")["Cache-Control"]


def test_how_long_can_be_cut(client, settings):
    settings.CACHE_AT_MOST = 30
    make_publication()

    assert "max-age=30," in get(client, LIST)["Cache-Control"]


def test_who_is_told_that_nothing_changed_may_keep_it_anew(client):
    make_publication()

    assert get(client, LIST, if_none_match=etag(client))["Cache-Control"] == get(client, LIST)["Cache-Control"]


@everywhere
def test_what_a_key_was_told_is_for_nobody_else(client, address):
    make_lists_of("A")
    response = get(client, address, authorization=f"Api-Key {make_key()}")

    assert "private" in response["Cache-Control"]
    assert "Authorization" in response["Vary"]


@pytest.mark.parametrize("address", ["/advertisers", "/runs", "/models"])
def test_lists_that_change_at_any_time_are_asked_for_anew(client, address):
    assert get(client, address)["Cache-Control"] == "no-cache"
    assert get(client, address, authorization=f"Api-Key {make_key()}")["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("address", ["/recommendations/Z/TopCTR", "/stats", "/nowhere", "/stats?limit=0"])
def test_nobody_keeps_a_problem(client, address):
    assert get(client, address)["Cache-Control"] == "no-store"


def test_a_page_for_people_is_made_anew(client):
    make_lists_of("A")
    response = get(client, LIST, accept="text/html")

    assert "ETag" not in response
    assert response["Cache-Control"] == "no-cache"


# Queries


@pytest.mark.parametrize(
    ("address", "queries"),
    [
        ("/recommendations/A/TopProduct", 4),
        ("/recommendations/B/TopCTR?fallback=TopProduct", 5),
        ("/history/A", 7),
        ("/history/A?model=TopCTR", 5),
        ("/stats", 7),
        (f"/stats?date={days_ago(1)}", 8),
        (f"/snapshots/{YESTERDAY}", 5),
    ],
)
def test_so_many_queries_make_an_answer(client, django_assert_num_queries, address, queries):
    make_run(days_ago(1))
    run = make_lists_of("A")
    make_list(run, "B", "p1")
    make_publication(days_ago(2), "B", model=TopCTR)

    with django_assert_num_queries(queries):
        get(client, address).getvalue()


@pytest.mark.parametrize("address", ["/recommendations/A/TopProduct", "/history/A", "/stats"])
def test_an_answer_that_was_made_before_is_given_again_without_a_look_at_the_rankings(client, address):
    make_lists_of("A")
    made = get(client, address)
    with CaptureQueriesContext(connection) as captured:
        again = get(client, address)

    assert again.content == made.content
    assert all(again[name] == made[name] for name in ("ETag", "Content-Type", "Vary", "Cache-Control", "Last-Modified"))
    assert not any("top_product" in query["sql"] or "top_ctr" in query["sql"] for query in captured)


def test_a_run_that_is_published_again_is_answered_with_the_new_time(client):
    run = make_publication()
    before = get(client, "/recommendations/A/TopProduct")
    run.published_at += timedelta(hours=1)
    run.save()
    after = get(client, "/recommendations/A/TopProduct")

    assert before["ETag"] != after["ETag"]
    assert after.json()["published_at"] == "2026-03-10T06:00:00Z"
