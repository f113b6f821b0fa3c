"""Products that rise: a day's visits against those that were usual in the week before."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.ranking import keep_top


def trending(counts: DataFrame, top: int, trend_prior_weight: float) -> DataFrame:
    """Rank products by how far their visits rise above the usual.

    Returns (advertiser_id, product_id, rank, views, usual, score), ranks from 1 to `top`. `counts` holds one row a product:
    (advertiser_id, product_id, views, past_views, past_days), of which the last two are the visits of the week before and
    on how many of its days the advertiser had any events; their quotient is `usual`. Ranked is what had more visits than
    that, by score = (views + W) / (usual + W), then views, then product_id: with W the weight, above 0, from 1 to 3 visits
    is little and from 100 to 300 much. An advertiser without a past has no list.

    The score is the mean of a Gamma distribution that began as Gamma(W, W), with the mean 1, after `views` events where
    `usual` were expected. Source: W. DuMouchel, "Bayesian Data Mining in Large Frequency Tables", The American Statistician
    53 (1999), 177-190, with one component. Both sides are multiplied by the days, so that equal scores are equal to the
    last bit.
    """
    weight = F.lit(trend_prior_weight)
    rising = counts.where(F.col("views") * F.col("past_days") > F.col("past_views"))  # never where there are no days
    scored = rising.withColumns(
        {
            "usual": F.col("past_views") / F.col("past_days"),
            "score": (F.col("views") + weight)
            * F.col("past_days")
            / (F.col("past_views") + weight * F.col("past_days")),
        }
    )
    ranked = keep_top(scored, [F.desc("score"), F.desc("views"), F.asc("product_id")], top)
    return ranked.select("advertiser_id", "product_id", "rank", "views", "usual", "score")
