"""What top_product and top_ctr promise, each on the least data that shows it."""

import pytest

from spark_jobs.ranking import top_ctr, top_product

COUNTS = "advertiser_id string, product_id string, views bigint, impressions bigint, clicks bigint"


@pytest.fixture
def counts(spark):
    """A function that makes counts from (product_id, views, impressions, clicks) of advertiser `a`."""
    return lambda *rows, advertiser="a": spark.createDataFrame([(advertiser, *row) for row in rows], COUNTS)


def order_of(ranked):
    return [row.product_id for row in ranked.orderBy("advertiser_id", "rank").collect()]


def test_more_views_rank_higher(counts):
    assert order_of(top_product(counts(("seldom", 1, 0, 0), ("often", 2, 0, 0)), top=2)) == ["often", "seldom"]


def test_equal_views_go_by_product_id(counts):
    assert order_of(top_product(counts(("b", 1, 0, 0), ("a", 1, 0, 0), ("B", 1, 0, 0)), top=3)) == ["B", "a", "b"]


def test_a_product_nobody_viewed_is_not_in_top_product(counts):
    assert order_of(top_product(counts(("shown", 0, 5, 1)), top=20)) == []


def test_a_higher_rate_beats_more_clicks(counts):
    assert order_of(top_ctr(counts(("many", 0, 100, 10), ("good", 0, 10, 5)), top=2)) == ["good", "many"]


def test_equal_rates_put_the_product_with_more_impressions_first(counts):
    assert order_of(top_ctr(counts(("rare", 0, 2, 1), ("often", 0, 20, 10)), top=2)) == ["often", "rare"]


def test_equal_rates_and_impressions_go_by_product_id(counts):
    assert order_of(top_ctr(counts(("b", 0, 2, 1), ("a", 0, 2, 1)), top=2)) == ["a", "b"]


def test_a_product_never_shown_has_no_rate_and_is_not_ranked(counts):
    assert order_of(top_ctr(counts(("clicked", 9, 0, 3)), top=20)) == []


def test_a_product_never_clicked_is_ranked_with_rate_zero(counts):
    [row] = top_ctr(counts(("dull", 0, 7, 0)), top=20).collect()

    assert (row.rank, row.clicks, row.impressions, row.ctr) == (1, 0, 7, 0.0)


def test_more_clicks_than_impressions_give_a_rate_above_one(counts):
    [row] = top_ctr(counts(("late", 0, 2, 3)), top=20).collect()

    assert row.ctr == 1.5


def test_ranks_run_from_one_to_top_for_each_advertiser(counts):
    five = [(f"p{n}", n, 0, 0) for n in range(1, 6)]
    ranked = top_product(counts(*five).union(counts(*five[:1], advertiser="b")), top=3)

    assert [(row.advertiser_id, row.rank) for row in ranked.orderBy("advertiser_id", "rank").collect()] == [
        ("a", 1),
        ("a", 2),
        ("a", 3),
        ("b", 1),
    ]
