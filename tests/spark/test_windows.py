"""History: sums over windows, and the usual visits that Trending compares with."""

from datetime import date, timedelta

import pytest

from spark_jobs.lake import COUNTS
from spark_jobs.ranking.registry import MODELS, rank_all, rows_of_table
from spark_jobs.ranking.windows import DAYS_BACK, by_window, with_history
from spark_jobs.settings import RankingParameters

ON, RUN = date(2026, 11, 20), 1


@pytest.fixture
def products(spark):
    """A function that makes products from today's (product_id, views) and earlier (days ago, product_id, views)."""

    def make(today, earlier=(), advertiser="a"):
        rows = [("a", product, 0, views) for product, views in today]
        rows += [(advertiser, product, age, views) for age, product, views in earlier]
        counts = spark.createDataFrame(
            [(ON - timedelta(age), whose, product, views, 2 * views, views) for whose, product, age, views in rows],
            f"date date, {COUNTS}",
        )
        active = spark.createDataFrame([(ON, "a"), (ON, "b")], "date date, advertiser_id string")
        return with_history(counts, {ON: RUN}, active, half_life_days=7).selectExpr("*", "false as hidden")

    return make


def views_in(products, days):
    rows = by_window(products, [days]).where("views > 0").collect()
    return {row.product_id: row.views for row in rows}


EARLIER = [(1, "p", 10), (6, "week", 20), (7, "month", 30), (27, "old", 40), (28, "ancient", 50)]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (1, {"p": 1}),
        (7, {"p": 11, "week": 20}),
        (28, {"p": 11, "week": 20, "month": 30, "old": 40}),
    ],
)
def test_a_window_sums_its_days_and_no_others(products, days, expected):
    assert views_in(products([("p", 1)], EARLIER), days) == expected


def test_history_goes_back_as_far_as_the_longest_window():
    assert DAYS_BACK == 27


def test_each_window_has_its_own_lists_under_the_run_of_its_day(products):
    ranked = rows_of_table("top_product_window", rank_all(products([("p", 15)], EARLIER), 20, RankingParameters()))

    assert {(row.run_id, row.date) for row in ranked.collect()} == {(RUN, ON)}
    assert [(row.days, row.rank, row.product_id) for row in ranked.orderBy("days", "rank").collect()] == [
        *[(7, 1, "p"), (7, 2, "week")],
        *[(28, 1, "old"), (28, 2, "month"), (28, 3, "p"), (28, 4, "week")],
    ]


def test_products_of_inactive_advertisers_are_left_out(products):
    assert views_in(products([("p", 1)], [(1, "q", 9)], advertiser="gone"), 28) == {"p": 1}


def trends(products, weight=20.0):
    rows = MODELS["trending"].rank(products, 20, RankingParameters(trend_prior_weight=weight)).orderBy("rank").collect()
    return [(row.product_id, row.views, row.usual, row.score) for row in rows]


def test_a_rise_of_many_visits_beats_one_of_few(products):
    found = trends(products([("few", 3), ("many", 60), ("calm", 9)], [(1, "few", 1), (1, "many", 30), (1, "calm", 9)]))

    assert found == [("many", 60, 30.0, 80 / 50), ("few", 3, 1.0, 23 / 21)]


def test_usual_is_an_average_over_the_days_on_which_the_advertiser_had_events(products):
    [(_, _, usual, _)] = trends(products([("p", 9)], [(2, "p", 2), (7, "q", 1), (8, "p", 100)]))

    assert usual == 1.0


def test_a_new_product_rises_from_zero(products):
    assert ("new", 10, 0.0, 30 / 20) in trends(products([("new", 10)], [(1, "q", 1)]))


@pytest.mark.parametrize(("age", "advertiser"), [(8, "a"), (1, "b")])
def test_nothing_trends_if_the_advertiser_has_no_events_in_the_week_before(products, age, advertiser):
    assert trends(products([("p", 9)], [(age, "p", 1)], advertiser)) == []


def test_equal_rises_put_the_product_with_more_visits_first_and_then_go_by_product_id(products):
    found = trends(products([("b", 40), ("a", 40), ("c", 100)], [(1, "b", 10), (1, "a", 10), (1, "c", 40)]))

    assert [product for product, *_ in found] == ["c", "a", "b"]
    assert {score for *_, score in found} == {2.0}
