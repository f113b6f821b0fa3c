"""/history/{advertiser_id}"""

from urllib.parse import quote

import pytest

from tests.web.conftest import days_ago, make_advertiser, make_list, make_publication, make_run
from webapp.rankings.models import Run, TopCTR

pytestmark = pytest.mark.django_db


def dates_of(answer):
    return [day["date"] for day in answer["days"]]


def test_the_response_has_every_member(get_json):
    make_publication(days_ago(1), products="p1")

    assert get_json("/history/A?days=1") == {
        "advertiser_id": "A",
        "from": "2026-03-08",
        "to": "2026-03-08",
        "days": [
            {
                "date": "2026-03-08",
                "published": True,
                "final": False,
                "models": {
                    "TopProduct": [{"rank": 1, "product_id": "p1", "views": 5}],
                    "TopCTR": [],
                    "Trending": [],
                    "ExpectedCTR": [],
                },
            }
        ],
    }


@pytest.mark.parametrize("address", ["/history/A", "/history/A/", "/api/v1/history/A", "/api/v1/history/A/"])
def test_both_prefixes_work_with_and_without_the_last_slash(get_json, address):
    make_publication()

    assert get_json(address)["advertiser_id"] == "A"


@pytest.mark.parametrize("advertiser_id", ["a,b", 'say "x"', "Ünïcödé 店", "a/b", "/a", "a?b#c", "50%"])
def test_every_printable_id_works(get_json, advertiser_id):
    make_publication(advertiser_id=advertiser_id)

    assert get_json(f"/history/{quote(advertiser_id, safe='')}")["advertiser_id"] == advertiser_id


def test_an_id_that_ends_in_a_slash_needs_the_last_slash(get_json):
    make_publication(advertiser_id="a/")

    assert get_json("/history/a%2F/")["advertiser_id"] == "a/"


def test_seven_days_up_to_the_newest_published_one_are_the_default(get_json):
    make_publication(days_ago(1))
    answer = get_json("/history/A")

    assert (answer["from"], answer["to"], len(answer["days"])) == ("2026-03-02", "2026-03-08", 7)


def test_the_newest_day_comes_first(get_json):
    make_publication()

    assert dates_of(get_json("/history/A?days=3")) == ["2026-03-09", "2026-03-08", "2026-03-07"]


def test_days_between_that_are_not_published_are_there_and_empty(get_json):
    make_publication(days_ago(2))
    make_list(make_run(days_ago(1), state="refused"), "A", "p9")
    make_publication()
    gap = get_json("/history/A?days=3")["days"][1]

    assert (gap["date"], gap["published"], gap["final"]) == ("2026-03-08", False, False)
    assert gap["models"] == {"TopProduct": [], "TopCTR": [], "Trending": [], "ExpectedCTR": []}


def test_a_final_day_says_so(get_json):
    make_publication()
    Run.objects.update(final=True)

    assert get_json("/history/A?days=1")["days"][0]["final"] is True


def test_a_published_day_without_a_list_is_published_and_empty(get_json):
    make_publication(days_ago(1))
    make_run()
    newest = get_json("/history/A")["days"][0]

    assert (newest["published"], newest["models"]["TopProduct"]) == (True, [])


def test_to_ends_the_range(get_json):
    make_publication(days_ago(3))
    make_publication()

    assert dates_of(get_json(f"/history/A?days=2&to={days_ago(2)}")) == ["2026-03-07", "2026-03-06"]


def test_to_may_lie_after_the_newest_published_day(get_json):
    make_publication()

    assert get_json(f"/history/A?to={days_ago(-2)}")["days"][0]["published"] is False


def test_model_leaves_the_others_out(get_json):
    run = make_publication()
    make_list(run, "A", "p2", TopCTR)
    models = get_json("/history/A?model=TopCTR")["days"][0]["models"]

    assert list(models) == ["TopCTR"]
    assert models["TopCTR"][0]["ctr"] == 0.25


def test_an_inactive_advertisers_history_stays(get_json):
    make_list(make_run(), make_advertiser(active=False).pk, "p1")

    assert get_json("/history/A")["days"][0]["models"]["TopProduct"]


def test_ninety_days_take_as_many_queries_as_one(get_json, django_assert_num_queries):
    for number in range(5):
        make_publication(days_ago(number), products="p1 p2 p3")

    for length in (1, 90):
        with django_assert_num_queries(5):
            get_json(f"/history/A?days={length}")


# Problems


@pytest.mark.parametrize("days", ["0", "91", "x", ""])
def test_days_outside_1_to_90_are_an_invalid_parameter(get_problem, days):
    problem = get_problem(f"/history/A?days={days}")

    assert (problem["type"], problem["parameter"]) == ("invalid-parameter", "days")


def test_to_must_be_a_day(get_problem):
    assert get_problem("/history/A?to=tomorrow")["parameter"] == "to"


def test_an_empty_model_is_an_invalid_parameter(get_problem):
    problem = get_problem("/history/A?model=")

    assert (problem["type"], problem["parameter"]) == ("invalid-parameter", "model")


def test_an_unknown_model_lists_the_models(get_problem):
    problem = get_problem("/history/A?model=Best")

    assert (problem["type"], problem["models"]) == (
        "unknown-model",
        ["TopProduct", "TopCTR", "Trending", "ExpectedCTR"],
    )


def test_an_unknown_advertiser(get_problem):
    assert get_problem("/history/nobody")["type"] == "unknown-advertiser"


def test_a_range_without_a_published_day_is_not_published(get_problem):
    make_publication()
    problem = get_problem(f"/history/A?days=3&to={days_ago(1)}")

    assert (problem["status"], problem["type"]) == (404, "day-not-published")
    assert (problem["first_day"], problem["last_day"]) == ("2026-03-09", "2026-03-09")


def test_before_the_first_publication_no_day_is_published(get_problem):
    make_advertiser()

    assert get_problem("/history/A")["type"] == "day-not-published"


def test_published_days_without_an_item_have_no_recommendations(get_problem):
    make_publication()
    make_advertiser("B")

    assert get_problem("/history/B")["type"] == "no-recommendations"


@pytest.mark.parametrize("to", ["0001-01-05", "9999-12-31"])
def test_the_first_and_last_days_of_the_calendar_do_no_harm(get_problem, to):
    make_publication()

    assert get_problem(f"/history/A?days=90&to={to}")["type"] == "day-not-published"
