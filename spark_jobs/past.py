"""Days' products as the models rank them: a day's counts, and what the days before it say of each."""

from collections.abc import Collection, Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

KINDS = ("views", "impressions", "clicks")
PRODUCT = ["date", "advertiser_id", "product_id"]
WINDOWS = (7, 28)
"""Over how many days, the ranked one the last of them, there are lists besides its own."""
WEEK_BEFORE = 7
"""How many days before it Trending holds a day against."""
DAYS_BACK = max(*WINDOWS, WEEK_BEFORE + 1) - 1


def with_past(counts: DataFrame, ranked: Collection[date]) -> DataFrame:
    """Add to the counts of the `ranked` days what went before; products without events on a day come in with zeros.

    `counts` holds a row a product and day, of those days and of DAYS_BACK before each: (date, advertiser_id, product_id,
    views, impressions, clicks). Returns one row a product and ranked day: the same columns, each of the last three once
    more for every window (views_7, ...), past_views of the week before, and past_days, on how many of its days the
    advertiser had any events.
    """
    counted = _counted_for(counts, ranked)
    is_in_week = F.col("age").between(1, WEEK_BEFORE)
    sums = {kind: F.when(F.col("age") == 0, F.col(kind)) for kind in KINDS}
    sums |= {f"{kind}_{days}": F.when(F.col("age") < days, F.col(kind)) for days in WINDOWS for kind in KINDS}
    sums["past_views"] = F.when(is_in_week, F.col("views"))
    of_product = counted.groupBy(*PRODUCT).agg(*[F.sum(each.otherwise(0)).alias(name) for name, each in sums.items()])
    past_days = F.countDistinct("age").alias("past_days")
    of_advertiser = counted.where(is_in_week).groupBy("date", "advertiser_id").agg(past_days)
    return of_product.join(of_advertiser, ["date", "advertiser_id"], how="left").fillna(0, ["past_days"])


def _counted_for(counts: DataFrame, ranked: Collection[date]) -> DataFrame:
    """Return the counts once for each ranked day that they are needed for: `date` is that day, `age` how many days later."""
    needed_for = [
        F.struct(F.lit(day).alias("date"), F.datediff(F.lit(day), F.col("date")).alias("age")) for day in ranked
    ]
    return counts.select("advertiser_id", "product_id", *KINDS, F.inline(F.array(*needed_for))).where(
        f"age between 0 and {DAYS_BACK}"
    )


def by_window(products: DataFrame, windows: Sequence[int]) -> DataFrame:
    """Return the products once for each window, `days` saying which, with its counts in the place of the day's own."""

    def counts_of(days: int) -> Column:
        named = [F.col(kind if days == 1 else f"{kind}_{days}").alias(kind) for kind in KINDS]
        return F.struct(F.lit(days).cast("smallint").alias("days"), *named)

    others = ("hidden", "past_views", "past_days")
    return products.select(*PRODUCT, *others, F.inline(F.array(*map(counts_of, windows))))
