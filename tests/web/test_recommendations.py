"""/recommendations/{advertiser_id}/{model}"""

from urllib.parse import quote

import pytest

from tests.web.conftest import YESTERDAY, days_ago, make_advertiser, make_list, make_publication, make_run
from webapp.rankings.models import Run, TopCTR

pytestmark = pytest.mark.django_db
ADDRESSES = [prefix + "/recommendations/A/TopProduct" + slash for prefix in ("", "/api/v1") for slash in ("", "/")]


def products_of(answer):
    return [item["product_id"] for item in answer["items"]]


def test_the_response_has_every_member(get_json):
    run = make_publication(products="p1 p2")

    assert get_json("/recommendations/A/TopProduct") == {
        "advertiser_id": "A",
        "model": "TopProduct",
        "date": "2026-03-09",
        "status": "fresh",
        "run": run.pk,
        "published_at": "2026-03-10T05:00:00Z",
        "final": False,
        "items": [{"rank": 1, "product_id": "p1", "views": 5}, {"rank": 2, "product_id": "p2", "views": 5}],
    }


def test_a_final_day_says_so(get_json):
    make_publication()
    Run.objects.update(final=True)

    assert get_json("/recommendations/A/TopProduct")["final"] is True


def test_click_rates_come_with_their_counts(get_json):
    make_publication(model=TopCTR)

    [item] = get_json("/recommendations/A/TopCTR")["items"]

    assert item == {
        "rank": 1,
        "product_id": "p1",
        "clicks": 1,
        "impressions": 4,
        "ctr": 0.25,
        "score": 0.2,
        "ctr_low": pytest.approx(0.045587, abs=1e-6),
        "ctr_high": pytest.approx(0.699358, abs=1e-6),
    }


def test_a_list_from_before_there_were_scores_was_ordered_by_its_ratio(get_json):
    make_publication(model=TopCTR)
    TopCTR.objects.update(score=None)

    assert get_json("/recommendations/A/TopCTR")["items"][0]["score"] == 0.25


@pytest.mark.parametrize("address", ADDRESSES)
def test_both_prefixes_work_with_and_without_the_last_slash(get_json, address):
    make_publication()

    assert products_of(get_json(address)) == ["p1"]


def test_items_are_in_the_order_of_their_ranks(get_json):
    rows = make_list(make_run(), make_advertiser().pk, "p1 p2 p3")
    for row, rank in zip(rows, [13, 11, 12], strict=True):
        row.rank = rank
        row.save()

    assert products_of(get_json("/recommendations/A/TopProduct")) == ["p2", "p3", "p1"]


def test_the_newest_published_day_is_the_default(get_json):
    make_publication(days_ago(1), products="old")
    make_publication(products="new")
    make_list(make_run(days_ago(-1), state="running"), "A", "newer")

    assert products_of(get_json("/recommendations/A/TopProduct")) == ["new"]


def test_a_superseded_run_is_not_read(get_json):
    make_list(make_run(state="superseded"), "A", "old")
    make_publication(products="new")

    assert products_of(get_json("/recommendations/A/TopProduct")) == ["new"]


def test_other_advertisers_products_stay_out(get_json):
    run = make_publication(products="mine")
    make_list(run, "B", "theirs")

    assert products_of(get_json("/recommendations/A/TopProduct")) == ["mine"]


def test_date_picks_a_published_day(get_json):
    make_publication(days_ago(1), products="old")
    make_publication(products="new")

    assert products_of(get_json(f"/recommendations/A/TopProduct?date={days_ago(1)}")) == ["old"]


def test_limit_cuts_the_list_after_the_best(get_json):
    make_publication(products="p1 p2 p3")

    assert products_of(get_json("/recommendations/A/TopProduct?limit=2")) == ["p1", "p2"]


def test_twenty_products_are_the_default_limit(get_json):
    make_publication(products=" ".join(f"p{number}" for number in range(20)))

    assert len(products_of(get_json("/recommendations/A/TopProduct"))) == 20


def test_a_day_before_yesterday_is_stale(get_json):
    make_publication(days_ago(1))

    assert get_json("/recommendations/A/TopProduct")["status"] == "stale"


@pytest.mark.parametrize(
    "advertiser_id",
    [
        "a,b",
        'say "x"',
        "it's",
        "two words",
        "Ünïcödé 店",
        "a/b",
        "/a",
        "a/",
        "a//b",
        "50%",
        "%2F",
        "a?b#c",
        "a+b",
        "é" * 64,
    ],
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_every_printable_id_works(get_json, advertiser_id, slash):
    make_publication(advertiser_id=advertiser_id)
    address = f"/api/v1/recommendations/{quote(advertiser_id, safe='')}/TopProduct{slash}"

    assert get_json(address)["advertiser_id"] == advertiser_id


def test_two_queries_find_the_list(get_json, django_assert_num_queries):
    make_publication(products="p1 p2 p3")

    with django_assert_num_queries(2):
        get_json("/recommendations/A/TopProduct")


def test_head_answers_as_get_without_a_body(client):
    make_publication()
    response = client.head("/recommendations/A/TopProduct")

    assert (response.status_code, response.content) == (200, b"")


# Problems


@pytest.mark.parametrize("limit", ["0", "21", "-1", "abc", "1.0", "1e1", "１", "", "%20", "9" * 30, "%00"])
def test_a_limit_outside_1_to_20_is_an_invalid_parameter(get_problem, limit):
    problem = get_problem(f"/recommendations/A/TopProduct?limit={quote(limit, safe='%')}")

    assert (problem["status"], problem["type"], problem["parameter"]) == (400, "invalid-parameter", "limit")
    assert "a whole number from 1 to 20" in problem["detail"]


@pytest.mark.parametrize(
    "day",
    ["2026-02-30", "2026-3-9", "20260309", "2026-W11-1", "99999-01-01", "today", "", "２０２６-03-09", "%FF", "%00"],
)
def test_an_invalid_date_is_an_invalid_parameter(get_problem, day):
    problem = get_problem(f"/recommendations/A/TopProduct?date={quote(day, safe='%')}")

    assert (problem["status"], problem["type"], problem["parameter"]) == (400, "invalid-parameter", "date")
    assert "YYYY-MM-DD" in problem["detail"]


def test_an_unknown_parameter_is_invalid_and_the_known_ones_are_named(get_problem):
    problem = get_problem("/recommendations/A/TopProduct?day=2026-03-09")

    assert (problem["type"], problem["parameter"]) == ("invalid-parameter", "day")
    assert "takes date, exclude, explore, fallback, limit and window" in problem["detail"]


def test_a_parameter_given_twice_is_invalid(get_problem):
    problem = get_problem("/recommendations/A/TopProduct?limit=1&limit=2")

    assert (problem["type"], problem["parameter"]) == ("invalid-parameter", "limit")


def test_an_unknown_model_lists_the_models(get_problem):
    make_publication()
    problem = get_problem("/recommendations/A/topproduct")

    assert (problem["status"], problem["type"]) == (404, "unknown-model")
    assert problem["models"] == ["TopProduct", "TopCTR", "Trending", "ExpectedCTR"]


@pytest.mark.parametrize("advertiser_id", ["B", "a", "x" * 65, "%00", "%FF"])
def test_an_unknown_advertiser(get_problem, advertiser_id):
    make_publication()
    problem = get_problem(f"/recommendations/{advertiser_id}/TopProduct")

    assert (problem["status"], problem["type"]) == (404, "unknown-advertiser")


def test_an_inactive_advertiser_has_no_recommendations(get_problem):
    make_list(make_run(), make_advertiser(active=False).pk, "p1")
    problem = get_problem("/recommendations/A/TopProduct")

    assert (problem["status"], problem["type"]) == (404, "inactive-advertiser")


def test_an_unpublished_day_names_the_first_and_last_published_day(get_problem):
    make_publication(days_ago(5))
    make_publication(days_ago(1))
    make_run(state="refused")
    problem = get_problem(f"/recommendations/A/TopProduct?date={YESTERDAY}")

    assert (problem["status"], problem["type"]) == (404, "day-not-published")
    assert (problem["first_day"], problem["last_day"]) == ("2026-03-04", "2026-03-08")


def test_before_the_first_publication_no_day_is_published(get_problem):
    make_advertiser()
    problem = get_problem("/recommendations/A/TopProduct")

    assert problem["type"] == "day-not-published"
    assert (problem["first_day"], problem["last_day"]) == (None, None)


def test_an_active_advertiser_without_events_has_nothing_to_recommend(get_problem):
    make_publication()
    make_advertiser("B")
    problem = get_problem("/recommendations/B/TopProduct")

    assert (problem["status"], problem["type"]) == (404, "no-recommendations")


@pytest.mark.parametrize(
    ("address", "kind"),
    [
        ("/recommendations/nobody/nothing?limit=0", "invalid-parameter"),
        ("/recommendations/nobody/nothing", "unknown-model"),
        ("/recommendations/nobody/TopCTR?date=2001-01-01", "unknown-advertiser"),
        ("/recommendations/gone/TopCTR?date=2001-01-01", "inactive-advertiser"),
        ("/recommendations/A/TopCTR?date=2001-01-01", "day-not-published"),
        ("/recommendations/A/TopCTR", "no-recommendations"),
    ],
)
def test_the_first_of_several_problems_is_reported(get_problem, address, kind):
    make_publication()
    make_advertiser("gone", active=False)

    assert get_problem(address)["type"] == kind
