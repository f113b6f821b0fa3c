"""The two lasting rankings, by visits and by click rate: a day's counts in, each advertiser's best products out."""

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


def top_ctr(counts: DataFrame, top: int, ctr_prior_weight: float = 0, min_impressions: int = 1) -> DataFrame:
    """Rank products by clicks per impression; one shown less than `min_impressions` times (at least 1) is not ranked.

    Returns (advertiser_id, product_id, rank, clicks, impressions, ctr, score), ranks from 1 to `top`. `ctr` is the plain
    ratio; `score`, which orders, is the same unless there is a prior weight (see `smoothed_rate`). Of equal scores the
    one with more impressions comes first, then the smaller product_id. A rate may exceed 1: a click counts on its own
    day, and its impression may have been on the day before.
    """
    rated = counts.withColumn("ctr", F.try_divide(F.col("clicks"), F.col("impressions")))
    scored = rated.withColumn("score", smoothed_rate(ctr_prior_weight) if ctr_prior_weight else F.col("ctr"))
    shown = scored.where(F.col("impressions") >= min_impressions)
    ranked = keep_top(shown, [F.desc("score"), F.desc("impressions"), F.asc("product_id")], top)
    return ranked.select("advertiser_id", "product_id", "rank", "clicks", "impressions", "ctr", "score")


def smoothed_rate(weight: float) -> Column:
    """Return (clicks + W·p) / (impressions + W), p being the clicks per impression of all products of the advertiser.

    The mean of a Beta distribution that began as Beta(W·p, W·(1-p)); null where the advertiser has no impressions at
    all. Source: A. Gelman and others, "Bayesian Data Analysis", section 2.4; what it is for: docs/ranking.md.

    Both sides of the fraction are multiplied by the advertiser's impressions: they are whole then (with a whole W), and
    equal scores are equal to the last bit. A rounded p would put some of them in an order of its own.
    """
    whole_advertiser = Window.partitionBy("advertiser_id")
    all_clicks, all_impressions = (F.sum(kind).over(whole_advertiser) for kind in ("clicks", "impressions"))
    clicks, impressions = (F.col(kind).cast("double") for kind in ("clicks", "impressions"))  # bigint might overflow
    return F.try_divide(
        clicks * all_impressions + F.lit(weight) * all_clicks, (impressions + F.lit(weight)) * all_impressions
    )


def keep_top(scored: DataFrame, best_first: list[Column], top: int) -> DataFrame:
    """Number each advertiser's products from best to worst and keep the first `top`."""
    order = Window.partitionBy("advertiser_id").orderBy(*best_first)
    return scored.withColumn("rank", F.row_number().over(order)).where(F.col("rank") <= top)
