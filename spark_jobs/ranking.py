"""The two rankings: a day's counts in, each advertiser's best products out."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F


def top_product(counts: DataFrame, top: int) -> DataFrame:
    """Rank products by visits: (advertiser_id, product_id, rank, views), ranks from 1 to `top`.

    `counts` holds one row a product of an advertiser: (advertiser_id, product_id, views, impressions, clicks).
    Equal visits go by product_id, so that a rerun gives the same rows.
    """
    viewed = counts.where(F.col("views") > 0)
    ranked = keep_top(viewed, [F.desc("views"), F.asc("product_id")], top)
    return ranked.select("advertiser_id", "product_id", "rank", "views")


def top_ctr(counts: DataFrame, top: int) -> DataFrame:
    """Rank products by clicks per impression; a product never shown has no rate.

    Returns (advertiser_id, product_id, rank, clicks, impressions, ctr), ranks from 1 to `top`. Of equal rates the one
    with more impressions comes first, then the smaller product_id. A rate may exceed 1: a click counts on its own day,
    and its impression may have been on the day before.
    """
    shown = counts.where(F.col("impressions") > 0)
    rated = shown.withColumn("ctr", F.col("clicks") / F.col("impressions"))
    ranked = keep_top(rated, [F.desc("ctr"), F.desc("impressions"), F.asc("product_id")], top)
    return ranked.select("advertiser_id", "product_id", "rank", "clicks", "impressions", "ctr")


def keep_top(scored: DataFrame, best_first: list[Column], top: int) -> DataFrame:
    """Number each advertiser's products from best to worst and keep the first `top`."""
    order = Window.partitionBy("advertiser_id").orderBy(*best_first)
    return scored.withColumn("rank", F.row_number().over(order)).where(F.col("rank") <= top)
