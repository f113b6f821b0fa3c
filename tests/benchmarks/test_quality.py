"""What `make quality` measures, at a size that takes seconds."""

import pytest
from pyspark.sql import functions as F

from tests.benchmarks.quality.__main__ import SIZES, Mean, Measured, over_seeds, table
from tests.benchmarks.quality.regret import TOP, UNAVOIDABLE, counts_of_days, lists, regrets

VOLUMES = (2_000, 20_000)


@pytest.fixture(scope="module")
def counts(spark):
    """A day of two seeds in two volumes."""
    return counts_of_days(spark, 1, VOLUMES).union(counts_of_days(spark, 2, VOLUMES)).cache()


@pytest.fixture(scope="module")
def regret_of(counts):
    """A function that gives the mean regret of a list, by its name, in one volume."""

    def mean(name, volume):
        held = regrets(counts, lists()[name](counts)).where(F.col("advertiser_id").startswith(f"{volume}/"))
        [(regret,)] = held.agg(F.avg("regret_of_20")).collect()
        return regret

    return mean


def test_every_volume_has_as_many_events_as_asked_and_every_product_there_is(counts):
    volume = F.substring_index("advertiser_id", "/", 1).cast("int")
    rows = (
        counts.groupBy(volume)
        .agg(F.count("*"), F.sum("impressions"), F.sum("views"), F.count_if(F.col("true_place") <= TOP))
        .collect()
    )

    assert sorted(map(tuple, rows)) == [(n, 2 * 20 * 100, 2 * n, 2 * n, 2 * 20 * TOP) for n in VOLUMES]


def test_the_truly_best_list_has_no_regret_and_an_empty_one_nothing_else(counts):
    by_truth = counts.withColumn("rank", F.col("true_place"))
    best, none = (regrets(counts, by_truth.where(kept)).collect() for kept in (f"rank <= {TOP}", "false"))

    assert [row[3:] for row in best] == [(pytest.approx(0), pytest.approx(0))] * 80
    assert [row[3:] for row in none] == [(1, 1)] * 80


def test_the_right_products_in_the_wrong_order_are_regretted_in_the_first_places_alone(counts):
    worst_first = counts.where(f"true_place <= {TOP}").withColumn("rank", TOP + 1 - F.col("true_place"))
    held = regrets(counts, worst_first).collect()

    assert max(row.regret_of_20 for row in held) == pytest.approx(0)
    assert min(row.regret_of_5 for row in held) > 0.2


def test_smoothed_rates_lose_less_than_plain_ones_and_more_than_nobody_can_help(regret_of):
    lost = [regret_of(name, 20_000) for name in ("TopProduct", "TopCTR, W = 0", "TopCTR, W = 20", UNAVOIDABLE)]

    assert lost == sorted(lost, reverse=True)
    assert lost[1] - lost[2] > 0.02


def test_more_events_lose_less(regret_of):
    assert regret_of("TopCTR, W = 20", 20_000) < regret_of("TopCTR, W = 20", 2_000)


def test_a_window_has_its_days_events_and_the_newest_day_is_in_each(spark):
    of_windows = counts_of_days(spark, 1, VOLUMES, (1, 3))
    key = (F.substring_index("advertiser_id", "/", 1).cast("int").alias("volume"), "days")
    rows = of_windows.groupBy(*key).agg(F.sum("impressions"), F.sum("views")).collect()
    of_product = of_windows.groupBy(F.substring_index("advertiser_id", "/", 3), "product_id")
    newest, all_days = (F.max(F.when(F.col("days") == days, F.col("impressions"))) for days in (1, 3))

    assert sorted(map(tuple, rows)) == [(n, days, n * days, n * days) for n in VOLUMES for days in (1, 3)]
    assert of_product.agg(newest.alias("newest"), all_days.alias("all")).where("newest > all").isEmpty()


def test_a_longer_window_loses_less_where_rates_do_not_change(spark):
    of_windows = counts_of_days(spark, 1, VOLUMES[-1:], (1, 7))
    held = regrets(of_windows, lists()["TopCTR, W = 20"](of_windows)).groupBy("days").agg(F.avg("regret_of_20"))
    lost = dict(map(tuple, held.collect()))

    assert lost[7] < lost[1] - 0.1


def test_a_seeds_advertisers_weigh_the_same_and_seeds_too():
    regrets_of = {"1": [0.2, 0.4], "2": [0.5]}
    found = [Measured("x", "small", 20, seed, regret) for seed, each in regrets_of.items() for regret in each]

    assert over_seeds(found) == {("x", "small", 20): pytest.approx((0.4, 0.1))}


def test_the_lowest_of_a_column_is_bold_and_what_no_ranking_can_help_never():
    means = {(name, size, 20): Mean(0.5, 0.01) for name in lists() for size in SIZES}
    means["TopCTR, W = 20", "large", 20] = Mean(0.25, 0.01)
    means[UNAVOIDABLE, "large", 20] = Mean(0.0, 0.01)
    rows = {line.split(" | ")[0].removeprefix("| "): line for line in table(means, 20, list(lists()))}

    assert rows["TopCTR, W = 20"].endswith("| **25.0% ± 1.0%** |")
    assert rows["TopProduct"].endswith("| 50.0% ± 1.0% |")
    assert rows[UNAVOIDABLE].endswith("| 0.0% ± 1.0% |")
