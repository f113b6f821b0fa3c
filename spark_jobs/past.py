"""A day's products as the models rank them: its counts, and from the lake what the days before say of each."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

KINDS = ("views", "impressions", "clicks")
WINDOWS = (7, 28)
"""Over how many days, the ranked one the last of them, there are lists besides its own."""
WEEK_BEFORE = 7
"""How many days before it Trending holds a day against."""
DAYS_BACK = max(*WINDOWS, WEEK_BEFORE + 1) - 1


def with_past(counts: DataFrame, past: DataFrame) -> DataFrame:
    """Add to a day's counts what went before; products that had no events on the day come in with zeros.

    `past` holds a row a product and day: (age, advertiser_id, product_id, views, impressions, clicks), age being how many
    days before the ranked one, from 1. Returns one row a product: (advertiser_id, product_id, views, impressions, clicks),
    each of the three once more for every window (views_7, ...), past_views of the week before, and past_days, on how many
    of its days the advertiser had any events.
    """
    in_week = F.col("age") <= WEEK_BEFORE
    sums = {f"{kind}_{days}": F.when(F.col("age") < days, F.col(kind)) for days in WINDOWS for kind in KINDS}
    sums["past_views"] = F.when(in_week, F.col("views"))
    of_product = past.groupBy("advertiser_id", "product_id").agg(
        *[F.sum(each).alias(name) for name, each in sums.items()]
    )
    of_advertiser = past.where(in_week).groupBy("advertiser_id").agg(F.countDistinct("age").alias("past_days"))
    joined = counts.join(of_product, ["advertiser_id", "product_id"], how="full")
    products = joined.join(of_advertiser, "advertiser_id", how="left").fillna(0)
    return products.withColumns(
        {f"{kind}_{days}": F.col(kind) + F.col(f"{kind}_{days}") for days in WINDOWS for kind in KINDS}
    )


def by_window(products: DataFrame, windows: Sequence[int]) -> DataFrame:
    """Return the products once for each window, `days` saying which, with its counts in the place of the day's own."""

    def counts_of(days: int) -> Column:
        named = [F.col(kind if days == 1 else f"{kind}_{days}").alias(kind) for kind in KINDS]
        return F.struct(F.lit(days).cast("smallint").alias("days"), *named)

    others = ("advertiser_id", "product_id", "hidden", "past_views", "past_days")
    return products.select(*others, F.inline(F.array(*map(counts_of, windows))))
