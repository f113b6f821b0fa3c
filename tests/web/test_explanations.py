"""/explain: why a product has its place, or none."""

import itertools
import time

import pytest

from tests.web.conftest import YESTERDAY, days_ago, hide, make_advertiser, make_counts, make_publication, make_run
from webapp.rankings.models import RANKINGS, AdvertiserCounts

pytestmark = pytest.mark.django_db


@pytest.fixture
def explain(get_json):
    """A function that requests an explanation of a product of advertiser A."""
    return lambda model, product, query="": get_json(f"/explain/A/{model}/{product}{query}")


def counted(products, parameters=None, **columns):
    run = make_run(parameters=parameters or {})
    make_counts(run, "A", products, **columns)
    return run


def test_the_response_has_every_member(explain):
    run = counted({"p": [3, 100, 2, 70, 5 * 2**19, 130 * 2**20], "q": [9, 10, 1, 0]})

    assert explain("TopCTR", "p") == {
        "advertiser_id": "A",
        "model": "TopCTR",
        "product_id": "p",
        "date": str(YESTERDAY),
        "run": run.pk,
        "published_at": "2026-03-10T05:00:00Z",
        "listed": True,
        "reason": "listed",
        "explanation": "It ranks 2 of 2.",
        "rank": 2,
        "ranked": 2,
        "counts": {
            "views": 3,
            "impressions": 100,
            "clicks": 2,
            "past_views": 70,
            "decayed_clicks": 2.5,
            "decayed_impressions": 130,
        },
        "prior": None,
        "day_share": None,
        "score": 0.02,
        "working": "2 clicks / 100 impressions",
        "cut": None,
        "distance": None,
        "rejected": None,
    }


def test_a_product_beyond_the_list_has_its_rank_and_distance_from_the_cut(explain):
    counted({f"p{n:02}": [n, 0, 0, 0] for n in range(1, 26)}, {"top": 20})
    why = explain("TopProduct", "p03")

    assert (why["listed"], why["reason"], why["rank"], why["ranked"]) == (False, "beyond-the-list", 23, 25)
    assert why["cut"] == {"rank": 20, "product_id": "p06", "score": 6}
    assert why["distance"] == -3


def test_the_working_of_a_smoothed_score(explain):
    counted({"p": [0, 80, 8, 0], "q": [0, 20, 2, 0]}, {"ctr_prior_weight": 20})
    why = explain("TopCTR", "q")

    assert why["score"] == 0.1
    assert why["working"].startswith("(2 clicks + 20 × 0.100000) / (20 impressions + 20)")


def test_the_working_of_a_trend(explain):
    counted({"p": [100, 0, 0, 210]}, past_days=7)
    why = explain("Trending", "p")

    assert (why["listed"], why["score"]) == (True, (100 + 20) / (30 + 20))
    assert why["working"] == "(100 visits + 20) / (210 visits / 7 days + 20)"


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("TopProduct", "not-viewed"),
        ("TopCTR", "never-shown"),
        ("Trending", "not-rising"),
        ("ExpectedCTR", "never-shown"),
    ],
)
def test_a_product_that_a_model_does_not_rank_has_the_reason(explain, model, reason):
    counted({"p": [0, 0, 3, 7]}, past_days=7)
    why = explain(model, "p")

    assert (why["listed"], why["reason"], why["rank"]) == (False, reason, None)
    assert reason in RANKINGS[model].absence_reasons
    assert why["counts"]["clicks"] == 3


def test_the_working_of_an_expected_rate_has_the_prior_the_decayed_counts_and_the_share_of_the_day(explain):
    counted({"p": [0, 30, 1, 0, 2 * 2**20, 40 * 2**20]}, prior=(0.05, 20))
    why = explain("ExpectedCTR", "p")

    assert (why["listed"], why["score"]) == (True, (20 * 0.05 + 2) / (20 + 40))
    assert why["prior"] == {"mean": 0.05, "weight": 20}
    assert (why["counts"]["decayed_clicks"], why["counts"]["decayed_impressions"]) == (2, 40)
    assert why["day_share"] == {"clicks": 0.5, "impressions": 0.75}
    assert why["working"] == (
        "(20 × 0.050000 + 2.000 clicks) / (20 + 40.000 impressions), where 0.050000 and 20 are the mean and weight of the "
        "advertiser's prior; of the decayed counts, 1 clicks and 30 impressions are those of the day itself"
    )


def test_equal_expected_rates_put_the_product_with_more_decayed_impressions_first(explain):
    counted({"p": [0, 0, 0, 0, 2**20, 10 * 2**20], "q": [0, 0, 0, 0, 2 * 2**20, 20 * 2**20]}, prior=(0.1, 20))

    assert [explain("ExpectedCTR", product)["rank"] for product in "pq"] == [2, 1]


def test_more_clicks_than_decayed_ones_are_all_of_the_day(explain):
    counted({"p": [0, 4, 9, 0, 4 * 2**20, 4 * 2**20], "q": [0, 0, 0, 0, 0, 2**20]}, prior=(0.05, 20))

    assert explain("ExpectedCTR", "p")["day_share"] == {"clicks": 1, "impressions": 1}
    assert explain("ExpectedCTR", "q")["day_share"] == {"clicks": None, "impressions": 0}


@pytest.mark.parametrize("model", ["TopProduct", "TopCTR", "Trending"])
def test_for_a_model_of_the_day_a_product_that_was_shown_only_before_has_no_events(explain, model):
    shown_before, rejected = [0, 0, 0, 7, 2**18, 2**20], {"q": {"bad_type": 3}}
    counted({"p": shown_before, "q": shown_before}, past_days=7, rejected=rejected, prior=(0.1, 20))

    assert [explain(model, product)["reason"] for product in "pq"] == ["no-events", "only-rejected-rows"]
    assert [explain("ExpectedCTR", product)["reason"] for product in "pq"] == ["listed", "listed"]


@pytest.mark.parametrize("product", ["p", "unknown"])
def test_a_run_from_before_expected_rates_has_no_such_list(explain, product):
    run = counted({"p": [3, 100, 2, 70]}, past_days=7)
    del run.parameters["half_life_days"]
    run.save()
    why = explain("ExpectedCTR", product)

    assert (why["listed"], why["reason"]) == (False, "no-list")
    assert why["explanation"] == "The run is older than this model, so it has no such list."
    assert why["prior"] is why["day_share"] is None
    assert [explain(model, "p")["reason"] for model in ("TopProduct", "TopCTR")] == ["listed", "listed"]


def test_an_advertiser_without_counts_in_a_run_from_before_expected_rates(get_json):
    run = counted({"p": [3, 100, 2, 70]})
    del run.parameters["half_life_days"]
    run.save()
    quiet = make_advertiser("quiet")
    quiet.last_active_on = YESTERDAY
    quiet.save()

    assert get_json("/explain/quiet/ExpectedCTR/p")["reason"] == "no-list"


def test_a_product_without_any_counts_was_not_shown_in_28_days(explain):
    counted({"p": [0, 0, 0, 0, 0, 2**20]}, prior=(0.05, 20))
    why = explain("ExpectedCTR", "other")

    assert (why["reason"], why["counts"]) == ("no-events", None)
    assert why["explanation"] == f"It had no events on {YESTERDAY} and no impressions in the 27 days before."


def test_a_product_below_the_minimum(explain):
    counted({"p": [0, 4, 1, 0]}, {"min_impressions": 5})

    assert explain("TopCTR", "p")["reason"] == "below-minimum"


def test_without_earlier_days_nothing_trends(explain):
    counted({"p": [9, 0, 0, 0]})

    assert explain("Trending", "p")["reason"] == "no-past"


def test_a_product_without_events(explain):
    counted({"p": [1, 0, 0, 0]})

    assert explain("TopProduct", "other")["reason"] == "no-events"


def test_a_product_with_only_rejected_rows_has_their_reasons(explain):
    counted({}, rejected={"p": {"bad_type": 3}})
    why = explain("TopCTR", "p")

    assert (why["reason"], why["rejected"]) == ("only-rejected-rows", {"bad_type": 3})


def test_a_product_hidden_before_the_run_is_not_ranked_and_not_in_the_advertisers_rate(explain):
    counted({"p": [0, 10, 9, 0], "q": [0, 10, 1, 0]}, {"ctr_prior_weight": 10}, hidden=["p"])

    assert explain("TopCTR", "p")["reason"] == "hidden"
    assert explain("TopCTR", "q")["score"] == 0.1


def test_a_product_hidden_after_the_run_keeps_its_rank_and_is_not_listed(explain):
    counted({"p": [2, 0, 0, 0], "q": [1, 0, 0, 0]})
    hide("A", "p")
    why = explain("TopProduct", "p")

    assert (why["listed"], why["reason"], why["rank"]) == (False, "hidden", 1)


def test_hiding_a_product_changes_the_etag(client):
    counted({"p": [2, 0, 0, 0]})
    first = client.get("/explain/A/TopProduct/p")
    hide("A", "p")

    assert client.get("/explain/A/TopProduct/p", headers={"if-none-match": first["ETag"]}).status_code == 200


def test_an_advertiser_that_was_not_active(explain):
    counted({})
    run = make_run(days_ago(-1))
    make_counts(run, "B", {"p": [1, 0, 0, 0]})

    assert explain("TopProduct", "p")["reason"] == "inactive"


def test_an_active_advertiser_without_events(get_json):
    counted({"p": [1, 0, 0, 0]})
    advertiser = make_advertiser("quiet")
    advertiser.last_active_on = YESTERDAY
    advertiser.save()

    assert get_json("/explain/quiet/TopProduct/p")["reason"] == "no-events"


def test_date_selects_a_past_day(explain):
    make_counts(make_run(days_ago(1)), "A", {"p": [1, 0, 0, 0]})
    counted({"p": [2, 0, 0, 0]})

    assert explain("TopProduct", "p", f"?date={days_ago(1)}")["score"] == 1


def test_a_run_without_counts_has_no_explanation(get_problem):
    make_publication(products="p")

    assert get_problem("/explain/A/TopProduct/p")["type"] == "no-explanation"


@pytest.mark.parametrize(
    ("address", "type_"),
    [
        ("/explain/A/Best/p", "unknown-model"),
        ("/explain/B/TopCTR/p", "unknown-advertiser"),
        ("/explain/A/TopCTR/p?date=2001-01-01", "day-not-published"),
        ("/explain/A/TopCTR/p?window=7", "invalid-parameter"),
        (f"/explain/A/TopCTR/{'p' * 65}", "invalid-parameter"),
    ],
)
def test_problems(get_problem, address, type_):
    counted({"p": [1, 1, 1, 0]})

    assert get_problem(address)["type"] == type_


@pytest.mark.parametrize("product", ["a,b", "店", "a%2Fb", "TopProduct", "x%22"])
def test_every_printable_product_id_works(explain, product):
    counted({})

    assert explain("TopProduct", product)["reason"] == "no-events"


def test_ids_may_have_slashes(get_json):
    make_counts(make_run(), "a/b", {"c/d": [1, 0, 0, 0]})

    assert get_json("/explain/a%2Fb/TopProduct/c%2Fd/")["rank"] == 1


def test_number_of_queries(explain, django_assert_num_queries):
    counted({f"p{n}": [n, 0, 0, 0] for n in range(100)})

    with django_assert_num_queries(4):  # the counts take two: the run's parameters, and the place they rank by
        explain("TopProduct", "p7")


@pytest.mark.parametrize("model", RANKINGS)
def test_ranks_and_reasons_fit_together(explain, model, settings):
    """The SQL that ranks and the Python that gives reasons agree about which products are ranked."""
    settings.REQUESTS_PER_ADDRESS = 1_000_000
    counts_of_day = itertools.product([0, 1, 9], [0, 4, 9], [0, 3], [0, 7, 70])
    decayed = itertools.cycle([(0, 0), (2**18, 2**21), (0, 2**20 + 7), (3 * 2**20, 2**23)])
    numbers = [(*each, *more) for each, more in zip(counts_of_day, decayed, strict=False)]
    products = {f"p{place}": list(each) for place, each in enumerate(numbers) if any(each)}
    parameters = {"min_impressions": 5, "ctr_prior_weight": 20, "top": 3}
    counted(products, parameters, past_days=7, hidden=["p1", "p9"], prior=(0.02, 30.5))
    explained = [explain(model, product) for product in products]
    ranked = sorted((each for each in explained if each["rank"]), key=lambda each: each["rank"])

    assert [each["rank"] for each in ranked] == list(range(1, len(ranked) + 1))
    assert {each["ranked"] for each in ranked} == {len(ranked)}
    assert ranked == sorted(ranked, key=lambda each: -each["score"])
    assert {each["cut"]["product_id"] for each in ranked} == {ranked[2]["product_id"]}
    assert len(ranked) < len(products) - 2


def test_several_rows_of_an_advertiser_count_as_one(explain):
    whole = counted({f"p{n}": [n, 9, 1, 0] for n in range(9)}, hidden=["p8"], rejected={"q": {"bad_type": 2}})
    expected = [explain("TopCTR", product) for product in ("p3", "p8", "q", "r")]
    AdvertiserCounts.objects.filter(run=whole).delete()
    make_counts(whole, "A", {f"p{n}": [n, 9, 1, 0] for n in range(0, 9, 2)}, part=1, hidden=["p8"])
    make_counts(whole, "A", {f"p{n}": [n, 9, 1, 0] for n in range(1, 9, 2)}, part=0, rejected={"q": {"bad_type": 2}})

    assert [explain("TopCTR", product) for product in ("p3", "p8", "q", "r")] == expected
    assert [each["reason"] for each in expected] == ["listed", "hidden", "only-rejected-rows", "no-events"]


@pytest.mark.parametrize("model", RANKINGS)
def test_an_advertiser_with_many_products_takes_little_time_of_the_web_server(explain, model):
    numbers = {f"p{n}": [n % 200 + 1, 9, n % 7, 1, n % 9 * 2**19, 9 * 2**20] for n in range(100_000)}
    counted(numbers, past_days=7, prior=(0.1, 20))
    began = time.process_time()
    why = explain(model, "p5")

    assert why["ranked"] == 100_000
    assert time.process_time() - began < 0.25  # Python takes at least 0.5 s to rank so many
