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
    past = _before(counts, ranked)
    in_week = F.col("age") <= WEEK_BEFORE
    sums = {f"{kind}_{days}": F.when(F.col("age") < days, F.col(kind)) for days in WINDOWS for kind in KINDS}
    sums["past_views"] = F.when(in_week, F.col("views"))
    of_product = past.groupBy(*PRODUCT).agg(*[F.sum(each).alias(name) for name, each in sums.items()])
    of_advertiser = past.where(in_week).groupBy("date", "advertiser_id").agg(F.countDistinct("age").alias("past_days"))
    joined = counts.where(F.col("date").isin([*ranked])).join(of_product, PRODUCT, how="full")
    products = joined.join(of_advertiser, ["date", "advertiser_id"], how="left").fillna(0)
    return products.withColumns(
        {f"{kind}_{days}": F.col(kind) + F.col(f"{kind}_{days}") for days in WINDOWS for kind in KINDS}
    )


def _before(counts: DataFrame, ranked: Collection[date]) -> DataFrame:
    """Return the counts once for each ranked day that they went before: `date` is that day, `age` how many days later."""
    older = counts.where(F.col("date") < F.lit(max(ranked)))
    later = [F.struct(F.lit(day).alias("date"), F.datediff(F.lit(day), F.col("date")).alias("age")) for day in ranked]
    return older.select("advertiser_id", "product_id", *KINDS, F.inline(F.array(*later))).where(
        f"age between 1 and {DAYS_BACK}"
    )


def by_window(products: DataFrame, windows: Sequence[int]) -> DataFrame:
    """Return the products once for each window, `days` saying which, with its counts in the place of the day's own."""

    def counts_of(days: int) -> Column:
        named = [F.col(kind if days == 1 else f"{kind}_{days}").alias(kind) for kind in KINDS]
        return F.struct(F.lit(days).cast("smallint").alias("days"), *named)

    others = ("hidden", "past_views", "past_days")
    return products.select(*PRODUCT, *others, F.inline(F.array(*map(counts_of, windows))))
