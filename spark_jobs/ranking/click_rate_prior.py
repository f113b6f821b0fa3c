"""Decayed clicks and impressions, and what they say before a product is looked at: the prior of its click rate.

An advertiser's products are taken to have click rates of one Beta distribution. Its mean and weight are estimated for every
ranked day, by the method of moments for the beta-binomial. Source: J. C. Kleinman, "Proportions with Extraneous Variance:
Single and Independent Samples", Journal of the American Statistical Association 68 (1973), 46-54. docs/ranking.md has the
formulas, with the letters that the comments here use.
"""

from math import floor

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

UNITS = 2**20
"""Decayed counts are whole numbers of 1 / UNITS, so sums are exact in whatever order Spark adds."""
EVIDENCE = 20
"""An advertiser with so many products follows its own products as much as all advertisers."""
LEAST_GAIN = 0.001
"""With less of this per impression nearly every product was shown once, and nothing can be said about differences."""
UNKNOWN_CORRELATION = "1 / 21"
LEAST_CORRELATION, MOST_CORRELATION = "1 / 10001", "1 / 3"
"""They bound a prior's weight to 2 to 10,000 impressions."""
SUMS = {
    "clicks": "sum({c})",
    "impressions": "sum({n})",
    "squares": "sum({m})",
    "clicks_by_rate": "sum(try_divide({c} * {c}, {n}))",
    "variances": "sum(try_divide({m}, {n}))",
    "squared_impressions": "sum({n} * {n})",
}
"""What is summed over the products of an advertiser, and over the advertisers of a day."""


def decayed_counts(half_life_days: float, days: int) -> dict[str, Column]:
    """Return the sums over events of several ages: decayed_clicks and decayed_impressions, in 1 / UNITS, and their squares.

    The rows have `age`, below `days`, in days. A click can come the day after its impression, so clicks are at most as many
    as impressions. decayed_squares are impressions by squared weight: the variance of a decayed rate is that of one event
    times squares / impressions².
    """
    weights = [floor(UNITS * 2 ** (-age / half_life_days) + 0.5) for age in range(days)]
    squares = [floor(weight**2 / UNITS + 0.5) for weight in weights]

    def total(kind: str, weights: list[int]) -> str:
        return f"sum({kind} * get(array({', '.join(f'{weight}L' for weight in weights)}), age))"

    impressions = total("impressions", weights)
    return {
        "decayed_clicks": F.expr(f"least({total('clicks', weights)}, {impressions})"),
        "decayed_impressions": F.expr(impressions),
        "decayed_squares": F.expr(total("impressions", squares)),
    }


def sums_over_products() -> dict[str, Column]:
    """Return the sums over an advertiser's products that `with_priors` needs."""
    c, n, m = (f"(decayed_{kind} / {UNITS})" for kind in ("clicks", "impressions", "squares"))
    sums = {name: F.expr(total.format(c=c, n=n, m=m)) for name, total in SUMS.items()}
    return {"shown_products": F.expr("count_if(decayed_impressions > 0)"), **sums}


def with_priors(advertisers: DataFrame) -> DataFrame:
    """Replace the sums over products by prior_mean and prior_weight; null if no product of the advertiser was shown.

    `advertisers` has a row for each active advertiser and day. One with little data is drawn towards all of its day.
    SQL text in small steps, because Spark takes longer to plan large expressions than to compute them.
    """
    kept = [name for name in advertisers.columns if name not in sums_over_products()]
    day_sums = {name: total.format(c="clicks", n="impressions", m="squares") for name, total in SUMS.items()}
    day_sums |= {"excess": "sum(excess)", "gain": "sum(if(excess is null, 0D, gain))"}
    with_day = (
        _with_excess_and_gain(advertisers)
        .selectExpr("*", *[f"{total} over (partition by date) as day_{name}" for name, total in day_sums.items()])
        .selectExpr("*", f"coalesce(try_divide(day_excess, day_gain), {UNKNOWN_CORRELATION}) as of_all")
    )
    # Of all advertisers, the excess and gain of their products are known now, and make room for those of their own rates.
    of_day = with_day.drop("day_excess", "day_gain")
    shrunk = f"(shown_products * try_divide(excess, gain) + {EVIDENCE} * of_all) / (shown_products + {EVIDENCE})"
    between = _with_excess_and_gain(of_day, "day_").selectExpr(
        "*",
        f"1 / {_bounded(f'coalesce({shrunk}, of_all)')} - 1 as weight",
        f"1 / {_bounded(f'coalesce(try_divide(day_excess, day_gain), {UNKNOWN_CORRELATION})')} - 1 as day_weight",
        "(day_clicks + 0.5D) / (day_impressions + 1) as day_rate",  # half a click keeps it between 0 and 1
    )
    mean = _rounded("(clicks + day_weight * day_rate) / (impressions + day_weight)", 10**9)
    return between.selectExpr(
        *kept,
        f"if(impressions > 0, least(greatest({mean}, 1e-9D), 1 - 1e-9D), null) as prior_mean",
        f"if(impressions > 0, {_rounded('weight', 1000)}, null) as prior_weight",
    )


def _with_excess_and_gain(units: DataFrame, of: str = "") -> DataFrame:
    """Add S / (p (1-p)) - A, by how much rates differ more than equal ones would, and B, what a correlation of 1 would add.

    Their ratio is the intraclass correlation, 1 / (1 + weight). The excess is null if there is nothing to compare. `of` is
    the prefix of SUMS.
    """
    clicks, impressions = f"{of}clicks", f"{of}impressions"
    if_equal = f"({of}variances - try_divide({of}squares, {impressions}))"
    with_gain = units.selectExpr(
        "*",
        f"{if_equal} as {of}if_equal",
        f"{impressions} - try_divide({of}squared_impressions, {impressions}) - {if_equal} as {of}gain",
        f"{of}clicks_by_rate - try_divide({clicks} * {clicks}, {impressions}) as {of}spread",
    )
    can_compare = f"{clicks} > 0 and {clicks} < {impressions} and {of}gain > {LEAST_GAIN}D * {impressions}"
    inverse = f"try_divide({impressions} * {impressions}, {clicks} * ({impressions} - {clicks}))"
    return with_gain.selectExpr(
        "*", f"case when {can_compare} then {of}spread * {inverse} - {of}if_equal end as {of}excess"
    )


def _bounded(correlation: str) -> str:
    return f"least(greatest({correlation}, {LEAST_CORRELATION}), {MOST_CORRELATION})"


def _rounded(number: str, parts: int) -> str:
    """Round half up to whole `parts` of 1, which hides in which order Spark added; so a rerun gives the same rows."""
    return f"floor({number} * {parts} + 0.5D) / {parts}"
