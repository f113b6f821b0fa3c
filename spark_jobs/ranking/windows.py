"""What the models rank: a day's products with the sums of earlier days, by window."""

from collections.abc import Mapping, Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_jobs.filters import keep_active
from spark_jobs.ranking.click_rate_prior import decayed_counts, sums_over_products, with_priors

KINDS = ("views", "impressions", "clicks")
PRODUCT_KEY = ["date", "advertiser_id", "product_id"]
WINDOWS = (7, 28)
"""Days in the lists over several days; the ranked day is the last of them."""
WEEK_BEFORE = 7
"""Days before the ranked one that Trending compares it with."""
DAYS_BACK = max(*WINDOWS, WEEK_BEFORE + 1) - 1


def with_history(counts: DataFrame, runs: Mapping[date, int], active: DataFrame, half_life_days: float) -> DataFrame:
    """Add to the counts of each run's day the sums of the days before; products without events on the day have zeros.

    `counts` has a row for each product and day, from DAYS_BACK before the first day on: (date, advertiser_id, product_id,
    views, impressions, clicks). `active` has who is active on each day: (date, advertiser_id). Returns a row for each
    product of an active advertiser and run: run_id, the same columns, the last three once more for every window (views_7,
    ...), past_views of the week before, decayed_clicks and decayed_impressions, and four columns of the advertiser:
    past_days, the number of days in the week before on which it had any events, products_to_keep, how many of its products
    `is_kept` selects, and prior_mean and prior_weight.
    """
    needed = _counts_by_run(counts, runs)
    is_in_week_before = F.col("age").between(1, WEEK_BEFORE)
    sums = {kind: F.when(F.col("age") == 0, F.col(kind)) for kind in KINDS}
    sums |= {f"{kind}_{days}": F.when(F.col("age") < days, F.col(kind)) for days in WINDOWS for kind in KINDS}
    sums["past_views"] = F.when(is_in_week_before, F.col("views"))
    days_before = F.bit_or(F.when(is_in_week_before, F.expr("shiftleft(1, age)")).otherwise(0))
    # run_id is not part of the key: partitions, and with them the order of products, must be the same in a rerun.
    by_product = needed.groupBy(*PRODUCT_KEY).agg(
        F.max("run_id").alias("run_id"),
        *[F.sum(counted.otherwise(0)).alias(name) for name, counted in sums.items()],
        *[total.alias(name) for name, total in decayed_counts(half_life_days, DAYS_BACK + 1).items()],
        days_before.alias("days_before"),
    )
    by_advertiser = by_product.groupBy("date", "advertiser_id").agg(
        F.bit_count(F.bit_or("days_before")).alias("past_days"),
        F.count_if(is_kept()).alias("products_to_keep"),
        *[total.alias(name) for name, total in sums_over_products().items()],
    )
    priors = with_priors(keep_active(by_advertiser, active))
    return by_product.drop("decayed_squares", "days_before").join(F.broadcast(priors), ["date", "advertiser_id"])


def is_kept() -> Column:
    """Return whether a run keeps a product's numbers, to explain its rank: it had events that day, or decayed impressions."""
    return (F.col("views") + F.col("impressions") + F.col("clicks") > 0) | (F.col("decayed_impressions") > 0)


def _counts_by_run(counts: DataFrame, runs: Mapping[date, int]) -> DataFrame:
    """Return each row of the counts once for every run that needs it.

    `date` is the run's day, and `age` how many days before it the events happened.
    """
    needed_by = [
        F.struct(
            F.lit(run).cast("bigint").alias("run_id"),
            F.lit(day).alias("date"),
            F.datediff(F.lit(day), F.col("date")).alias("age"),
        )
        for day, run in runs.items()
    ]
    # Only the counts are sent to other tasks, not the sums of every run that needs them.
    counts = counts.select("advertiser_id", "product_id", "date", *KINDS).repartition("advertiser_id", "product_id")
    by_run = counts.select("advertiser_id", "product_id", *KINDS, F.explode(F.array(*needed_by)).alias("run"))
    return by_run.select("advertiser_id", "product_id", *KINDS, "run.*").where(f"age between 0 and {DAYS_BACK}")


def by_window(products: DataFrame, windows: Sequence[int]) -> DataFrame:
    """Return the products once for each window: `days` is the window, and the counts are those over it."""

    def counts_over(days: int) -> Column:
        counts = [F.col(kind if days == 1 else f"{kind}_{days}").alias(kind) for kind in KINDS]
        return F.struct(F.lit(days).cast("smallint").alias("days"), *counts)

    decayed = ("decayed_clicks", "decayed_impressions", "prior_mean", "prior_weight")
    kept = ("run_id", *PRODUCT_KEY, "hidden", "past_views", "past_days", *decayed)
    by_window = products.select(*kept, F.explode(F.array(*map(counts_over, windows))).alias("window"))
    return by_window.select(*kept, "window.*")
