"""TopCTR: the products with the most clicks per impression.

A rate may exceed 1: a click counts on its own day, and its impression may have been on the day before.
"""

from pyspark.sql import Column, Window
from pyspark.sql import functions as F

from spark_jobs.ranking.model import LIST_KEY, Model
from spark_jobs.settings import RankingParameters


def rate(parameters: RankingParameters) -> Column:
    """Return the plain ratio, or the smoothed one if the parameters have a prior weight."""
    weight = parameters.ctr_prior_weight
    return smoothed_rate(weight) if weight else F.try_divide(F.col("clicks"), F.col("impressions"))


def smoothed_rate(weight: float) -> Column:
    """Return (clicks + W·p) / (impressions + W), where p is clicks per impression of all the advertiser's products.

    This is the mean of a Beta distribution with the prior Beta(W·p, W·(1-p)); null if the advertiser has no impressions.
    Source: A. Gelman and others, "Bayesian Data Analysis", section 2.4; docs/ranking.md explains its use.

    Both sides of the fraction are multiplied by the advertiser's impressions. With a whole W they are whole numbers, so
    equal scores are equal to the last bit; rounding p would order some of them by noise.
    """
    whole_advertiser = Window.partitionBy(*LIST_KEY)
    all_clicks, all_impressions = (F.sum(kind).over(whole_advertiser) for kind in ("clicks", "impressions"))
    clicks, impressions = (F.col(kind).cast("double") for kind in ("clicks", "impressions"))  # bigint could overflow
    return F.try_divide(
        clicks * all_impressions + F.lit(weight) * all_clicks, (impressions + F.lit(weight)) * all_impressions
    )


TOP_CTR = Model(
    eligible=lambda parameters: F.col("impressions") >= parameters.min_impressions,
    score=rate,
    tie_breaker="impressions",
    columns=("clicks", "impressions", "clicks / impressions as ctr", "score"),
    shown_columns=("clicks", "impressions", "score"),
    window_table="top_ctr_window",
)
