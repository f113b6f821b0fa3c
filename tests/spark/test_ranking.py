"""TopProduct and TopCTR: what they rank, and in which order."""

import pytest

from spark_jobs.ranking.model import least_scores
from spark_jobs.ranking.top_ctr import TOP_CTR
from spark_jobs.ranking.top_product import TOP_PRODUCT
from spark_jobs.settings import RankingParameters

COUNTS = "advertiser_id string, product_id string, views bigint, impressions bigint, clicks bigint"


@pytest.fixture
def counts(spark):
    """A function that makes counts from (product_id, views, impressions, clicks) of advertiser `a`."""
    return lambda *rows, advertiser="a": spark.createDataFrame([(advertiser, *row) for row in rows], COUNTS)


def top_product(counts, top):
    return TOP_PRODUCT.rank(counts, top, RankingParameters())


def top_ctr(counts, top, **parameters):
    return TOP_CTR.rank(counts, top, RankingParameters(**parameters))


def least_score(counts, top):
    """The least score of the list, where visits are the score, if it has one."""
    scored = counts.selectExpr("*", "1L as run_id", "1 as days", "double(views) as `score by model`")
    return [row["least by model"] for row in least_scores(scored, ["model"], top).collect()]


def order_of(ranked):
    return [row.product_id for row in ranked.orderBy("advertiser_id", "rank").collect()]


def test_more_views_rank_higher(counts):
    assert order_of(top_product(counts(("seldom", 1, 0, 0), ("often", 2, 0, 0)), top=2)) == ["often", "seldom"]


def test_equal_views_are_ordered_by_product_id(counts):
    assert order_of(top_product(counts(("b", 1, 0, 0), ("a", 1, 0, 0), ("B", 1, 0, 0)), top=3)) == ["B", "a", "b"]


def test_of_many_products_the_best_are_listed(counts):
    views = {f"p{n:03}": n * n % 97 + 1 for n in range(400)}  # each number of views several times
    best = sorted(views, key=lambda product: (-views[product], product))

    assert order_of(top_product(counts(*[(product, n, 0, 0) for product, n in views.items()]), top=20)) == best[:20]


@pytest.mark.parametrize("top", [1, 20])
def test_of_many_products_few_scores_are_sorted_but_all_that_a_list_needs(counts, top):
    [least] = least_score(counts(*[(f"p{n}", n, 0, 0) for n in range(1000)]), top)

    assert 800 < least <= 1000 - top


def test_a_list_that_may_not_be_full_has_no_least_score(counts):
    assert least_score(counts(*[(f"p{n}", n, 0, 0) for n in range(5)]), top=20) == []


def test_a_product_without_views_is_not_ranked_by_views(counts):
    assert order_of(top_product(counts(("shown", 0, 5, 1)), top=20)) == []


def test_a_higher_rate_beats_more_clicks(counts):
    assert order_of(top_ctr(counts(("many", 0, 100, 10), ("good", 0, 10, 5)), top=2)) == ["good", "many"]


def test_equal_rates_put_the_product_with_more_impressions_first(counts):
    assert order_of(top_ctr(counts(("rare", 0, 2, 1), ("often", 0, 20, 10)), top=2)) == ["often", "rare"]


def test_equal_rates_and_impressions_are_ordered_by_product_id(counts):
    assert order_of(top_ctr(counts(("b", 0, 2, 1), ("a", 0, 2, 1)), top=2)) == ["a", "b"]


def test_a_product_never_shown_has_no_rate_and_is_not_ranked(counts):
    assert order_of(top_ctr(counts(("clicked", 9, 0, 3)), top=20)) == []


def test_a_product_never_clicked_is_ranked_with_rate_zero(counts):
    [row] = top_ctr(counts(("dull", 0, 7, 0)), top=20).collect()

    assert (row.rank, row.clicks, row.impressions, row.ctr) == (1, 0, 7, 0.0)


def test_more_clicks_than_impressions_give_a_rate_above_one(counts):
    [row] = top_ctr(counts(("late", 0, 2, 3)), top=20).collect()

    assert row.ctr == 1.5


def test_without_a_prior_weight_the_plain_ratio_is_the_score(counts):
    [row] = top_ctr(counts(("p", 0, 3, 1)), top=20).collect()

    assert row.score == row.ctr == 1 / 3


def test_a_prior_weight_puts_a_proven_product_before_one_with_a_lucky_click(counts):
    rows = counts(("lucky", 0, 1, 1), ("proven", 0, 1000, 900), ("dull", 0, 9000, 99))

    assert order_of(top_ctr(rows, top=3)) == ["lucky", "proven", "dull"]
    assert order_of(top_ctr(rows, top=3, ctr_prior_weight=20)) == ["proven", "lucky", "dull"]


def test_a_prior_weight_adds_so_many_impressions_at_the_advertisers_own_rate(counts):
    """The own rate is 10 clicks of 100 impressions, so 20 more impressions add 2 clicks; `ctr` stays the plain ratio."""
    rows = counts(("p", 0, 5, 3), ("q", 0, 95, 4), ("clicked", 0, 0, 3))
    [row] = top_ctr(rows, top=1, ctr_prior_weight=20).collect()

    assert (row.product_id, row.ctr, row.score) == ("p", 3 / 5, (3 + 2) / (5 + 20))


def test_the_prior_is_each_advertisers_own_rate(counts):
    rows = counts(("p", 0, 10, 1)).union(counts(("p", 0, 10, 5), advertiser="b"))

    assert [row.score for row in top_ctr(rows, top=1, ctr_prior_weight=7).orderBy("advertiser_id").collect()] == [
        0.1,
        0.5,
    ]


def test_products_at_the_advertisers_own_rate_have_equal_scores(counts):
    """3/7 is not a binary fraction: with a rounded prior, noise would order these."""
    rows = counts(*[(f"p{n:02}", 0, 7 * n, 3 * n) for n in range(1, 20)])
    ranked = top_ctr(rows, top=20, ctr_prior_weight=20)

    assert {row.score for row in ranked.collect()} == {3 / 7}
    assert order_of(ranked) == [f"p{n:02}" for n in range(19, 0, -1)]


def test_products_of_an_advertiser_without_clicks_are_ordered_by_impressions(counts):
    ranked = top_ctr(counts(("b", 0, 2, 0), ("a", 0, 2, 0), ("often", 0, 9, 0)), top=3, ctr_prior_weight=20)

    assert order_of(ranked) == ["often", "a", "b"]
    assert {row.score for row in ranked.collect()} == {0.0}


def test_a_prior_weight_gives_no_list_to_an_advertiser_without_impressions(counts):
    assert order_of(top_ctr(counts(("clicked", 9, 0, 3)), top=20, ctr_prior_weight=20)) == []


def test_a_product_with_too_few_impressions_is_not_ranked_but_counts_in_the_advertisers_rate(counts):
    rows = counts(("seldom", 0, 9, 9), ("often", 0, 10, 1), ("oftener", 0, 11, 0))
    ranked = top_ctr(rows, top=20, ctr_prior_weight=30, min_impressions=10)

    [often, oftener] = ranked.orderBy("rank").collect()
    assert (often.product_id, oftener.product_id) == ("often", "oftener")
    assert often.score == (1 + 30 * 10 / 30) / (10 + 30)


def test_ranks_run_from_one_to_top_for_each_advertiser(counts):
    five = [(f"p{n}", n, 0, 0) for n in range(1, 6)]
    ranked = top_product(counts(*five).union(counts(*five[:1], advertiser="b")), top=3)

    assert [(row.advertiser_id, row.rank) for row in ranked.orderBy("advertiser_id", "rank").collect()] == [
        ("a", 1),
        ("a", 2),
        ("a", 3),
        ("b", 1),
    ]
