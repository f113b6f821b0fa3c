"""ExpectedCTR: the products with the highest expected click rate, given 28 days of clicks and impressions that decay.

A product's rate has the prior of its advertiser (click_rate_prior.py), a Beta distribution. After c clicks of n impressions
it is Beta(a, b), where a = W·p + c, b = W·(1-p) + n - c, and p and W are the prior's mean and weight.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

from spark_jobs.ranking.click_rate_prior import UNITS
from spark_jobs.ranking.model import Model
from spark_jobs.settings import RankingParameters

CLICKS, IMPRESSIONS = f"(decayed_clicks / {UNITS})", f"(decayed_impressions / {UNITS})"
A = f"(prior_weight * prior_mean + {CLICKS})"
B = f"(prior_weight * (1 - prior_mean) + ({IMPRESSIONS} - {CLICKS}))"
Z = 1.959963984540054
"""The standard normal distribution's quantile at 0.975."""


def expected_rate(_: RankingParameters) -> Column:
    """Return the mean of Beta(a, b): (W·p + c) / (W + n)."""
    return F.expr(f"{A} / (prior_weight + {IMPRESSIONS})")


def quantile(z: float) -> str:
    """Return SQL for the quantile of Beta(a, b) that the standard normal distribution has at z.

    Source: E. Paulson, "An Approximate Normalization of the Analysis of Variance Distribution", Annals of Mathematical
    Statistics 13 (1942), 233-235. If b < a, it is 1 minus the quantile of Beta(b, a) at -z, so no divisor is near 0.
    """
    is_swapped = f"({B} < {A})"
    a, b, z_there = f"least({A}, {B})", f"greatest({A}, {B})", f"if({is_swapped}, {-z}D, {z}D)"
    u, v = f"(1 / (9 * {a}))", f"(1 / (9 * {b}))"
    inside = f"((1 - {v}) * (1 - {v}) * {u} + (1 - {u}) * (1 - {u}) * {v} - {z * z}D * {u} * {v})"
    root = f"((1 - {u}) * (1 - {v}) + {z_there} * sqrt(greatest(0D, {inside})))"
    odds = f"power(greatest(0D, {root} / ((1 - {v}) * (1 - {v}) - {z * z}D * {v})), 3)"
    above = f"({b} / ({b} + {a} * {odds}))"
    return f"if({is_swapped}, {above}, 1 - {above})"


EXPECTED_CTR = Model(
    eligible=lambda _: F.col("decayed_impressions") > 0,
    score=expected_rate,
    tie_breaker="decayed_impressions",
    columns=(
        "clicks",
        "impressions",
        f"{CLICKS} as decayed_clicks",
        f"{IMPRESSIONS} as decayed_impressions",
        "decayed_clicks / decayed_impressions as ctr",
        "score",
        f"{quantile(-Z)} as score_low",
        f"{quantile(Z)} as score_high",
    ),
    shown_columns=("decayed_clicks", "decayed_impressions", "score"),
)
