"""What the models rank: a day's products with the sums of earlier days, by window."""

from collections.abc import Mapping, Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

KINDS = ("views", "impressions", "clicks")
PRODUCT_KEY = ["date", "advertiser_id", "product_id"]
WINDOWS = (7, 28)
"""Days in the lists over several days; the ranked day is the last of them."""
WEEK_BEFORE = 7
"""Days before the ranked one that Trending compares it with."""
DAYS_BACK = max(*WINDOWS, WEEK_BEFORE + 1) - 1


def with_history(counts: DataFrame, runs: Mapping[date, int]) -> DataFrame:
    """Add to the counts of each run's day the sums of the days before; products without events on the day have zeros.

    `counts` has a row for each product and day, from DAYS_BACK before the first day on: (date, advertiser_id, product_id,
    views, impressions, clicks). Returns a row for each product and run: run_id, the same columns, the last three once
    more for every window (views_7, ...), past_views of the week before, past_days, the number of its days on which the
    advertiser had any events, and products_of_day, how many of the advertiser's products have events on the day.
    """
    needed = _counts_by_run(counts, runs)
    is_in_week_before = F.col("age").between(1, WEEK_BEFORE)
    sums = {kind: F.when(F.col("age") == 0, F.col(kind)) for kind in KINDS}
    sums |= {f"{kind}_{days}": F.when(F.col("age") < days, F.col(kind)) for days in WINDOWS for kind in KINDS}
    sums["past_views"] = F.when(is_in_week_before, F.col("views"))
    # run_id is not part of the key: partitions, and with them the order of products, must be the same in a rerun.
    by_product = needed.groupBy(*PRODUCT_KEY).agg(
        F.max("run_id").alias("run_id"), *[F.sum(counted.otherwise(0)).alias(name) for name, counted in sums.items()]
    )
    by_advertiser = needed.groupBy("date", "advertiser_id").agg(
        F.countDistinct(F.when(is_in_week_before, F.col("age"))).alias("past_days"),
        F.count_if(F.col("age") == 0).alias("products_of_day"),
    )
    return by_product.join(by_advertiser, ["date", "advertiser_id"])


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
    by_run = counts.select("advertiser_id", "product_id", *KINDS, F.explode(F.array(*needed_by)).alias("run"))
    return by_run.select("advertiser_id", "product_id", *KINDS, "run.*").where(f"age between 0 and {DAYS_BACK}")


def by_window(products: DataFrame, windows: Sequence[int]) -> DataFrame:
    """Return the products once for each window: `days` is the window, and the counts are those over it."""

    def counts_over(days: int) -> Column:
        counts = [F.col(kind if days == 1 else f"{kind}_{days}").alias(kind) for kind in KINDS]
        return F.struct(F.lit(days).cast("smallint").alias("days"), *counts)

    kept = ("run_id", *PRODUCT_KEY, "hidden", "past_views", "past_days")
    by_window = products.select(*kept, F.explode(F.array(*map(counts_over, windows))).alias("window"))
    return by_window.select(*kept, "window.*")
