"""Products that rise: a day's visits against those that were usual in the week before."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from spark_jobs.ranking import Model
from spark_jobs.settings import Evidence


def rises(_: Evidence) -> Column:
    """Return whether a product had more visits than usual. One of an advertiser without a past never had."""
    return F.col("views") * F.col("past_days") > F.col("past_views")


def rise(evidence: Evidence) -> Column:
    """Return (views + W) / (usual + W), W being the weight, above 0: from 1 to 3 visits is little, from 100 to 300 much.

    `usual` is past_views / past_days: the visits of the week before, and on how many of its days the advertiser had any
    events.

    The mean of a Gamma distribution that began as Gamma(W, W), with the mean 1, after `views` events where `usual` were
    expected. Source: W. DuMouchel, "Bayesian Data Mining in Large Frequency Tables", The American Statistician 53 (1999),
    177-190, with one component. Both sides are multiplied by the days, so that equal scores are equal to the last bit.
    """
    weight, days = F.lit(evidence.trend_prior_weight), F.col("past_days")
    return F.try_divide((F.col("views") + weight) * days, F.col("past_views") + weight * days)


TRENDING = Model(
    takes=rises,
    score=rise,
    then_by="views",
    columns=("views", "past_views / past_days as usual", "score"),
    scores=("views", "usual", "score"),
    is_lasting=False,
)
