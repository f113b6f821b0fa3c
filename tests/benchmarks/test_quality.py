"""The measurements of `make quality`, at a size that takes seconds."""

from datetime import date, timedelta

import numpy as np
import pytest
from pyspark.sql import functions as F

from spark_jobs.ranking.expected_ctr import EXPECTED_CTR
from spark_jobs.ranking.windows import with_history
from spark_jobs.settings import RankingParameters
from tests.benchmarks.quality.changing_lists import RULES, Seen
from tests.benchmarks.quality.changing_rates import LAKE_DAYS, market, open_loop
from tests.benchmarks.quality.expected_ctr import HALF_LIFE_DAYS, expected_ctr
from tests.benchmarks.quality.regret import NEWEST, PLACES, TOP, UNAVOIDABLE, counts_of_days, lists, regrets
from tests.benchmarks.quality.summary import SIZES, Mean, Measured, means_over_seeds, table

VOLUMES = (2_000, 20_000)


@pytest.fixture(scope="module")
def counts(spark):
    """Daily counts of two seeds in two volumes."""
    return counts_of_days(spark, 1, VOLUMES).union(counts_of_days(spark, 2, VOLUMES)).cache()


@pytest.fixture(scope="module")
def regret_of(counts):
    """A function that returns the mean regret of the list with that name, in one volume."""

    def mean(name, volume):
        of_volume = regrets(counts, lists()[name](counts)).where(F.col("advertiser_id").startswith(f"{volume}/"))
        [(regret,)] = of_volume.agg(F.avg("regret_of_20")).collect()
        return regret

    return mean


def test_each_volume_has_the_requested_number_of_events_and_every_product(counts):
    volume = F.substring_index("advertiser_id", "/", 1).cast("int")
    rows = (
        counts.groupBy(volume)
        .agg(F.count("*"), F.sum("impressions"), F.sum("views"), F.count_if(F.col("true_place") <= TOP))
        .collect()
    )

    assert sorted(map(tuple, rows)) == [(n, 2 * 20 * 100, 2 * n, 2 * n, 2 * 20 * TOP) for n in VOLUMES]


def test_the_best_list_has_regret_0_and_an_empty_one_has_regret_1(counts):
    by_truth = counts.withColumn("rank", F.col("true_place"))
    best, none = (regrets(counts, by_truth.where(kept)).collect() for kept in (f"rank <= {TOP}", "false"))

    assert [row[3:] for row in best] == [(pytest.approx(0), pytest.approx(0))] * 80
    assert [row[3:] for row in none] == [(1, 1)] * 80


def test_the_right_products_in_the_wrong_order_have_regret_only_in_the_first_places(counts):
    worst_first = counts.where(f"true_place <= {TOP}").withColumn("rank", TOP + 1 - F.col("true_place"))
    found = regrets(counts, worst_first).collect()

    assert max(row.regret_of_20 for row in found) == pytest.approx(0)
    assert min(row.regret_of_5 for row in found) > 0.2


def test_smoothed_rates_have_less_regret_than_plain_ones_and_more_than_the_best_possible_list(regret_of):
    found = [regret_of(name, 20_000) for name in ("TopProduct", "TopCTR, W = 0", "TopCTR, W = 20", UNAVOIDABLE)]

    assert found == sorted(found, reverse=True)
    assert found[1] - found[2] > 0.02


def test_more_events_give_less_regret(regret_of):
    assert regret_of("TopCTR, W = 20", 20_000) < regret_of("TopCTR, W = 20", 2_000)


def test_each_window_has_the_events_of_its_days_and_contains_the_newest_day(spark):
    counts = counts_of_days(spark, 1, VOLUMES, (1, 3))
    key = (F.substring_index("advertiser_id", "/", 1).cast("int").alias("volume"), "days")
    rows = counts.groupBy(*key).agg(F.sum("impressions"), F.sum("views")).collect()
    by_product = counts.groupBy(F.substring_index("advertiser_id", "/", 3), "product_id")
    newest, all_days = (F.max(F.when(F.col("days") == days, F.col("impressions"))) for days in (1, 3))

    assert sorted(map(tuple, rows)) == [(n, days, n * days, n * days) for n in VOLUMES for days in (1, 3)]
    assert by_product.agg(newest.alias("newest"), all_days.alias("all")).where("newest > all").isEmpty()


def test_a_longer_window_has_less_regret_if_rates_do_not_change(spark):
    counts = counts_of_days(spark, 1, VOLUMES[-1:], (1, 7))
    means = regrets(counts, lists()["TopCTR, W = 20"](counts)).groupBy("days").agg(F.avg("regret_of_20"))
    regret = dict(map(tuple, means.collect()))

    assert regret[7] < regret[1] - 0.1


def test_all_advertisers_of_a_seed_and_all_seeds_have_the_same_weight():
    regrets_of = {"1": [0.2, 0.4], "2": [0.5]}
    found = [Measured("x", "small", 20, seed, regret) for seed, each in regrets_of.items() for regret in each]

    assert means_over_seeds(found) == {("x", "small", 20): pytest.approx((0.4, 0.1))}


def test_a_table_has_the_lowest_regret_of_a_ranking_in_bold_and_the_largest_error():
    means = {(name, size, places): Mean(0.5, 0.01) for name in lists() for size in SIZES for places in PLACES}
    means["TopCTR, W = 20", "large", 5] = Mean(0.25, 0.02)
    means[UNAVOIDABLE, "large", 5] = Mean(0.0, 0.01)
    *lines, _, errors = table(means, "one day", list(lists()))
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in lines}

    assert rows["one day"].endswith("| 5 places, large |")
    assert rows["TopCTR, W = 20"].endswith("| **25.0%** |")
    assert rows["TopProduct"].endswith("| 50.0% |")
    assert rows[UNAVOIDABLE].endswith("| 0.0% |")
    assert errors == "Standard errors: at most 2.0 points."


def test_the_job_estimates_the_same_click_rates_as_the_simulation(spark):
    seen, _ = next(open_loop(market("bursts", 6_250, [1], LAKE_DAYS + 1)))
    clicks, impressions = (each[:, 0, :, :10].copy() for each in (seen.clicks, seen.impressions))
    clicks[:, 16:] = impressions[:, 16:] = 0  # 16 was never shown
    impressions[:, 17] = 3  # nobody clicks
    impressions[-1, 18, 0] = 1
    impressions[-2, 19, 0] = clicks[-1, 19, 0] = 1  # a click the day after its impression
    day = date.fromisoformat(NEWEST)
    rows = [
        (day - timedelta(days=len(clicks) - 1 - at), str(advertiser), str(product), 0, int(shown), int(clicked))
        for ((at, advertiser, product), shown), clicked in zip(np.ndenumerate(impressions), clicks.flat, strict=True)
        if shown or clicked
    ]
    columns = "date date, advertiser_id string, product_id string, views bigint, impressions bigint, clicks bigint"
    active = spark.createDataFrame(
        [(day, str(advertiser)) for advertiser in range(20)], "date date, advertiser_id string"
    )
    products = with_history(spark.createDataFrame(rows, columns), {day: 1}, active, HALF_LIFE_DAYS)
    ranked = EXPECTED_CTR.rank(products, top=10, parameters=RankingParameters()).collect()
    estimate = expected_ctr(clicks, impressions)
    listed = RULES["ExpectedCTR"](
        Seen(clicks, impressions, np.broadcast_to(np.arange(10), (20, 10)), np.zeros((20, 10)))
    )

    assert len(ranked) == (estimate.impressions > 0).sum()
    for row in ranked:
        place = int(row.advertiser_id), int(row.product_id)
        ours = [each[place] for each in estimate]
        assert [row.decayed_impressions, row.score, row.score_low, row.score_high] == pytest.approx(ours, rel=1e-6)
        assert listed[place[0], row["rank"] - 1] == place[1]
