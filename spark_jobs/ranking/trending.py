"""Trending: the products with more visits than is usual for them."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from spark_jobs.ranking.model import Model
from spark_jobs.settings import RankingParameters


def is_rising(_: RankingParameters) -> Column:
    """Return whether a product had more visits than usual; never true if its advertiser has no history."""
    return F.col("views") * F.col("past_days") > F.col("past_views")


def rise(parameters: RankingParameters) -> Column:
    """Return (views + W) / (usual + W), with the weight W > 0: 1 to 3 visits is a small rise, 100 to 300 a large one.

    `usual` is past_views / past_days: visits in the week before, by the days on which the advertiser had any events.

    This is the mean of a Gamma distribution with the prior Gamma(W, W), whose mean is 1, after `views` events where
    `usual` were expected. Source: W. DuMouchel, "Bayesian Data Mining in Large Frequency Tables", The American
    Statistician 53 (1999), 177-190, with one component. Both sides are multiplied by past_days, so equal scores are equal
    to the last bit.
    """
    weight, days = F.lit(parameters.trend_prior_weight), F.col("past_days")
    return F.try_divide((F.col("views") + weight) * days, F.col("past_views") + weight * days)


TRENDING = Model(
    eligible=is_rising,
    score=rise,
    tie_breaker="views",
    columns=("views", "past_views / past_days as usual", "score"),
    shown_columns=("views", "usual", "score"),
    is_lasting=False,
)
