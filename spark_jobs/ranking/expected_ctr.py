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
A = f"prior_weight * prior_mean + {CLICKS}"
B = f"prior_weight * (1 - prior_mean) + ({IMPRESSIONS} - {CLICKS})"
Z = "1.959963984540054D"
"""The standard normal distribution's quantile at 0.975."""
INTERVAL = (
    (f"{A} as a", f"{B} as b"),
    ("least(a, b) as less", "greatest(a, b) as more"),
    ("1 / (9 * less) as u", "1 / (9 * more) as v"),
    (
        "(1 - u) * (1 - v) as middle",
        f"{Z} * sqrt(greatest(0D, (1 - v) * (1 - v) * u + (1 - u) * (1 - u) * v - {Z} * {Z} * u * v)) as spread",
        f"(1 - v) * (1 - v) - {Z} * {Z} * v as divisor",
    ),
    tuple(
        f"more / (more + less * power(greatest(0D, (middle {sign} spread) / divisor), 3)) as {name}"
        for name, sign in (("above_low", "-"), ("above_high", "+"))
    ),
)
"""Steps to the quantiles of Beta(a, b) that the standard normal distribution has at -Z and Z.

Source: E. Paulson, "An Approximate Normalization of the Analysis of Variance Distribution", Annals of Mathematical
Statistics 13 (1942), 233-235. The quantiles are those of Beta(less, more), whose divisor is not near 0; if b < a, they are
seen from 1. `above_low` and `above_high` are 1 minus these.
"""


def expected_rate(_: RankingParameters) -> Column:
    """Return the mean of Beta(a, b): (W·p + c) / (W + n)."""
    return F.expr(f"({A}) / (prior_weight + {IMPRESSIONS})")


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
        "if(b < a, above_high, 1 - above_low) as score_low",
        "if(b < a, above_low, 1 - above_high) as score_high",
    ),
    shown_columns=("decayed_clicks", "decayed_impressions", "score"),
    steps=INTERVAL,
)
