"""/stats, against values worked out by hand."""

import pytest

from tests.web.conftest import days_ago, make_advertiser, make_list, make_publication, make_run
from webapp.rankings.models import ExpectedCTR, TopCTR, TopProduct

pytestmark = pytest.mark.django_db


def test_the_response_has_every_member(get_json):
    make_list(make_publication(days_ago(1), products="p1 p2"), "A", "p2", TopCTR)
    run = make_publication(products="p1 p3")
    make_list(run, "A", "p1 p4", TopCTR)

    assert get_json("/stats") == {
        "date": "2026-03-09",
        "published_at": "2026-03-10T05:00:00Z",
        "advertisers": {"active": 1, "with_recommendations": 1},
        "products": 3,
        "scorecard": [],
        "most_changed": [
            {"advertiser_id": "A", "model": "TopCTR", "changed": 2},
            {"advertiser_id": "A", "model": "TopProduct", "changed": 1},
        ],
        "model_overlap": {
            "mean": pytest.approx(1 / 3),
            "by_advertiser": [{"advertiser_id": "A", "shared": 1, "overlap": pytest.approx(1 / 3)}],
        },
    }


@pytest.mark.parametrize("address", ["/stats", "/stats/", "/api/v1/stats", "/api/v1/stats/"])
def test_both_prefixes_work_with_and_without_the_last_slash(get_json, address):
    make_publication()

    assert get_json(address)["date"] == "2026-03-09"


def test_date_picks_a_published_day(get_json):
    make_publication(days_ago(1), products="p1 p2")
    make_publication()
    answer = get_json(f"/stats?date={days_ago(1)}")

    assert (answer["date"], answer["products"]) == ("2026-03-08", 2)


def test_active_advertisers_are_counted_with_and_without_lists(get_json):
    make_publication()
    make_advertiser("B")
    make_advertiser("gone", active=False)

    assert get_json("/stats")["advertisers"] == {"active": 2, "with_recommendations": 1}


def test_the_same_product_id_at_two_advertisers_is_two_products(get_json):
    run = make_publication(products="p1 p2")
    make_list(run, "B", "p1")

    assert get_json("/stats")["products"] == 3


def test_a_product_in_both_models_is_one_product(get_json):
    run = make_publication(products="p1 p2")
    make_list(run, "A", "p2 p3", TopCTR)

    assert get_json("/stats")["products"] == 3


def test_runs_that_are_not_published_do_not_count(get_json):
    make_publication()
    make_list(make_run(state="superseded"), "B", "p9")

    assert get_json("/stats")["advertisers"]["with_recommendations"] == 1


def test_the_most_changed_list_comes_first_and_equal_ones_by_id(get_json):
    before, now = make_run(days_ago(1)), make_run()
    for advertiser, old, new in [("C", "p1", "p2"), ("B", "p1", "p2"), ("A", "p1 p2", "p3 p4"), ("D", "p1", "p1")]:
        make_list(before, advertiser, old)
        make_list(now, advertiser, new)

    assert [(row["advertiser_id"], row["changed"]) for row in get_json("/stats")["most_changed"]] == [
        ("A", 2),
        ("B", 1),
        ("C", 1),
    ]


def test_change_is_measured_against_the_last_published_day_across_a_gap(get_json):
    make_publication(days_ago(4), products="p1 p2")
    make_list(make_run(days_ago(2), state="refused"), "A", "p3")
    make_publication(products="p1 p3")

    assert get_json("/stats")["most_changed"] == [{"advertiser_id": "A", "model": "TopProduct", "changed": 1}]


def test_the_first_lists_of_a_new_model_are_no_change(get_json):
    make_publication(days_ago(1), products="p1")
    make_list(make_publication(products="p1"), "A", "p1 p2", ExpectedCTR)

    assert get_json("/stats")["most_changed"] == []


def test_a_product_that_moved_within_the_list_is_no_change(get_json):
    make_publication(days_ago(1), products="p1 p2")
    make_publication(products="p2 p1")

    assert get_json("/stats")["most_changed"] == []


def test_the_first_published_day_has_nothing_to_differ_from(get_json):
    make_publication()

    assert get_json("/stats")["most_changed"] == []


def test_another_advertisers_product_of_the_same_id_is_new(get_json):
    make_publication(days_ago(1), advertiser_id="B", products="p1")
    make_publication(products="p1")

    assert get_json("/stats")["most_changed"] == [{"advertiser_id": "A", "model": "TopProduct", "changed": 1}]


def make_overlaps():
    """A shares 2 of 3 products, B none of 2, C has one list only."""
    run = make_run()
    for advertiser, viewed, clicked in [("A", "p1 p2", "p1 p2 p3"), ("B", "p1", "p2"), ("C", "p1", "")]:
        make_list(run, advertiser, viewed, TopProduct)
        make_list(run, advertiser, clicked, TopCTR)


def test_overlap_is_the_shared_part_of_all_products_smallest_first(get_json):
    make_overlaps()

    assert get_json("/stats")["model_overlap"]["by_advertiser"] == [
        {"advertiser_id": "B", "shared": 0, "overlap": 0.0},
        {"advertiser_id": "A", "shared": 2, "overlap": pytest.approx(2 / 3)},
    ]


def test_the_mean_overlap_is_over_advertisers_with_both_lists(get_json):
    make_overlaps()

    assert get_json("/stats")["model_overlap"]["mean"] == pytest.approx(1 / 3)


def test_lists_of_the_same_products_overlap_wholly(get_json):
    run = make_publication(products="p1 p2")
    make_list(run, "A", "p2 p1", TopCTR)

    assert get_json("/stats")["model_overlap"]["mean"] == 1


def test_without_an_advertiser_with_both_lists_there_is_no_overlap(get_json):
    make_publication()

    assert get_json("/stats")["model_overlap"] == {"mean": None, "by_advertiser": []}


def test_limit_cuts_both_lists_and_leaves_the_mean_alone(get_json):
    make_overlaps()
    make_publication(days_ago(1), "D")
    answer = get_json("/stats?limit=1")

    assert (len(answer["most_changed"]), len(answer["model_overlap"]["by_advertiser"])) == (1, 1)
    assert answer["model_overlap"]["mean"] == pytest.approx(1 / 3)


def test_the_number_of_queries_does_not_grow_with_advertisers(get_json, django_assert_num_queries):
    before, now = make_run(days_ago(1)), make_run()
    for number in range(30):
        for run in (before, now):
            make_list(run, f"A{number}", "p1 p2", TopProduct)
            make_list(run, f"A{number}", "p2 p3", TopCTR)

    with django_assert_num_queries(5):
        get_json("/stats")


@pytest.mark.parametrize("limit", ["0", "1001", "all"])
def test_a_limit_outside_1_to_1000_is_an_invalid_parameter(get_problem, limit):
    assert get_problem(f"/stats?limit={limit}")["parameter"] == "limit"


def test_an_invalid_date_is_an_invalid_parameter(get_problem):
    assert get_problem("/stats?date=2026-02-30")["parameter"] == "date"


def test_a_day_that_is_not_published_has_no_statistics(get_problem):
    make_publication()

    assert get_problem(f"/stats?date={days_ago(1)}")["type"] == "day-not-published"
