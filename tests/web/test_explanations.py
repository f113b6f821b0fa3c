"""/explain: why a product has its place, or none."""

import pytest

from tests.web.conftest import YESTERDAY, days_ago, hide, make_advertiser, make_counts, make_publication, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def explain(ask):
    """A function that asks why, of products that the newest run counted for advertiser A."""
    return lambda model, product, query="": ask(f"/explain/A/{model}/{product}{query}")


def counted(products, parameters=None, **columns):
    run = make_run(parameters=parameters or {})
    make_counts(run, "A", products, **columns)
    return run


def test_the_answer_is_as_designed(explain):
    run = counted({"p": [3, 100, 2, 70], "q": [9, 10, 1, 0]})

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
        "counts": {"views": 3, "impressions": 100, "clicks": 2, "past_views": 70},
        "score": 0.02,
        "working": "2 clicks / 100 impressions",
        "cut": None,
        "distance": None,
        "rejected": None,
    }


def test_a_product_beyond_the_list_is_told_its_rank_and_how_far_it_is_from_the_cut(explain):
    counted({f"p{n:02}": [n, 0, 0, 0] for n in range(1, 26)}, {"top": 20})
    why = explain("TopProduct", "p03")

    assert (why["listed"], why["reason"], why["rank"], why["ranked"]) == (False, "beyond-the-list", 23, 25)
    assert why["cut"] == {"rank": 20, "product_id": "p06", "score": 6}
    assert why["distance"] == -3


def test_a_smoothed_score_is_worked_out(explain):
    counted({"p": [0, 80, 8, 0], "q": [0, 20, 2, 0]}, {"ctr_prior_weight": 20})
    why = explain("TopCTR", "q")

    assert why["score"] == 0.1
    assert why["working"].startswith("(2 clicks + 20 × 0.100000) / (20 impressions + 20)")


def test_a_trend_is_worked_out(explain):
    counted({"p": [100, 0, 0, 210]}, past_days=7)
    why = explain("Trending", "p")

    assert (why["listed"], why["score"]) == (True, (100 + 20) / (30 + 20))
    assert why["working"] == "(100 visits + 20) / (210 visits / 7 days + 20)"


@pytest.mark.parametrize(
    ("model", "reason"), [("TopProduct", "not-viewed"), ("TopCTR", "never-shown"), ("Trending", "not-rising")]
)
def test_what_a_model_has_no_use_for_is_told_why(explain, model, reason):
    counted({"p": [0, 0, 3, 7]}, past_days=7)
    why = explain(model, "p")

    assert (why["listed"], why["reason"], why["rank"]) == (False, reason, None)
    assert why["counts"]["clicks"] == 3


def test_a_product_below_the_minimum_is_told_so(explain):
    counted({"p": [0, 4, 1, 0]}, {"min_impressions": 5})

    assert explain("TopCTR", "p")["reason"] == "below-minimum"


def test_without_a_past_nothing_trends(explain):
    counted({"p": [9, 0, 0, 0]})

    assert explain("Trending", "p")["reason"] == "no-past"


def test_a_product_without_events_is_told_so(explain):
    counted({"p": [1, 0, 0, 0]})

    assert explain("TopProduct", "other")["reason"] == "no-events"


def test_a_product_of_rejected_rows_alone_is_told_so_with_their_reasons(explain):
    counted({}, rejected={"p": {"bad_type": 3}})
    why = explain("TopCTR", "p")

    assert (why["reason"], why["rejected"]) == ("only-rejected-rows", {"bad_type": 3})


def test_what_was_hidden_at_night_was_not_ranked_and_is_no_part_of_the_advertisers_rate(explain):
    counted({"p": [0, 10, 9, 0], "q": [0, 10, 1, 0]}, {"ctr_prior_weight": 10}, hidden=["p"])

    assert explain("TopCTR", "p")["reason"] == "hidden"
    assert explain("TopCTR", "q")["score"] == 0.1


def test_what_was_hidden_since_keeps_its_rank_and_is_not_listed(explain):
    counted({"p": [2, 0, 0, 0], "q": [1, 0, 0, 0]})
    hide("A", "p")
    why = explain("TopProduct", "p")

    assert (why["listed"], why["reason"], why["rank"]) == (False, "hidden", 1)


def test_hiding_a_product_changes_the_answer_a_caller_has(client):
    counted({"p": [2, 0, 0, 0]})
    first = client.get("/explain/A/TopProduct/p")
    hide("A", "p")

    assert client.get("/explain/A/TopProduct/p", headers={"if-none-match": first["ETag"]}).status_code == 200


def test_an_advertiser_who_was_not_active_is_told_so(explain):
    counted({})
    run = make_run(days_ago(-1))
    make_counts(run, "B", {"p": [1, 0, 0, 0]})

    assert explain("TopProduct", "p")["reason"] == "inactive"


def test_an_active_advertiser_without_events_is_told_so(ask):
    counted({"p": [1, 0, 0, 0]})
    advertiser = make_advertiser("quiet")
    advertiser.last_active_on = YESTERDAY
    advertiser.save()

    assert ask("/explain/quiet/TopProduct/p")["reason"] == "no-events"


def test_a_past_day_is_asked_for_by_date(explain):
    make_counts(make_run(days_ago(1)), "A", {"p": [1, 0, 0, 0]})
    counted({"p": [2, 0, 0, 0]})

    assert explain("TopProduct", "p", f"?date={days_ago(1)}")["score"] == 1


def test_a_run_that_kept_no_counts_has_no_explanation(refused):
    make_publication(products="p")

    assert refused("/explain/A/TopProduct/p")["type"] == "no-explanation"


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
def test_what_there_is_not_is_a_problem(refused, address, type_):
    counted({"p": [1, 1, 1, 0]})

    assert refused(address)["type"] == type_


@pytest.mark.parametrize("product", ["a,b", "店", "a%2Fb", "TopProduct", "x%22"])
def test_every_printable_product_can_be_asked_about(explain, product):
    counted({})

    assert explain("TopProduct", product)["reason"] == "no-events"


def test_ids_may_have_slashes(ask):
    make_counts(make_run(), "a/b", {"c/d": [1, 0, 0, 0]})

    assert ask("/explain/a%2Fb/TopProduct/c%2Fd/")["rank"] == 1


def test_so_many_queries_explain_a_product(explain, django_assert_num_queries):
    counted({f"p{n}": [n, 0, 0, 0] for n in range(100)})

    with django_assert_num_queries(5):
        explain("TopProduct", "p7")
