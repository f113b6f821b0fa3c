"""Decayed clicks and impressions, and what they say before a product is looked at: the prior of its click rate.

An advertiser's products are taken to have click rates of one Beta distribution. Its mean and weight are estimated for every
ranked day, by the method of moments for the beta-binomial. Source: J. C. Kleinman, "Proportions with Extraneous Variance:
Single and Independent Samples", Journal of the American Statistical Association 68 (1973), 46-54. docs/ranking.md has the
formulas, with the letters that the comments here use.
"""

from collections.abc import Callable
from math import floor

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

UNITS = 2**20
"""Decayed counts are whole numbers of 1 / UNITS, so sums are exact in whatever order Spark adds."""
EVIDENCE = 20
"""An advertiser with so many products follows its own products as much as all advertisers."""
LEAST_GAIN = 0.001
"""With less of this per impression nearly every product was shown once, and nothing can be said about differences."""
UNKNOWN_CORRELATION = 1 / 21
LEAST_CORRELATION, MOST_CORRELATION = 1 / 10_001, 1 / 3
"""They bound a prior's weight to 2 to 10,000 impressions."""
WEIGHT_DECIMALS, MEAN_DECIMALS = 3, 9
"""The numbers of a prior are rounded, which hides in which order Spark added; so a rerun gives the same rows."""

Total = Callable[[Column], Column]


def decayed_counts(half_life_days: float, days: int) -> dict[str, Column]:
    """Return the sums over events of several ages: decayed_clicks and decayed_impressions, in 1 / UNITS, and their squares.

    The rows have `age`, below `days`, in days. A click can come the day after its impression, so clicks are at most as many
    as impressions. decayed_squares are impressions by squared weight: the variance of a decayed rate is that of one event
    times squares / impressions².
    """
    weights = [floor(UNITS * 2 ** (-age / half_life_days) + 0.5) for age in range(days)]
    squares = [floor(weight**2 / UNITS + 0.5) for weight in weights]

    def total(kind: str, weights: list[int]) -> Column:
        by_age = F.array(*[F.lit(weight).cast("bigint") for weight in weights])
        return F.sum(F.col(kind) * F.get(by_age, F.col("age")))

    impressions = total("impressions", weights)
    return {
        "decayed_clicks": F.least(total("clicks", weights), impressions),
        "decayed_impressions": impressions,
        "decayed_squares": total("impressions", squares),
    }


def sums_over_products() -> dict[str, Column]:
    """Return the sums over an advertiser's products that `with_priors` needs."""
    clicks, impressions, squares = (F.col(f"decayed_{kind}") / UNITS for kind in ("clicks", "impressions", "squares"))
    shown_products = F.count_if(F.col("decayed_impressions") > 0)
    return {"shown_products": shown_products, **_sums(clicks, impressions, squares, F.sum)}


def with_priors(advertisers: DataFrame) -> DataFrame:
    """Replace the sums over products by prior_mean and prior_weight; null if no product of the advertiser was shown.

    `advertisers` has a row for each active advertiser and day. One with little data is drawn towards all of its day.
    """
    whole_day = Window.partitionBy("date")
    excess, gain = _excess_and_gain("")
    day_sums = _sums(F.col("clicks"), F.col("impressions"), F.col("squares"), lambda each: F.sum(each).over(whole_day))
    day_sums |= {name: F.sum(name).over(whole_day) for name in ("excess", "gain")}
    summed = advertisers.withColumns({"excess": excess, "gain": gain}).withColumns(
        {f"day_{name}": total for name, total in day_sums.items()}
    )
    was_shown = F.col("impressions") > 0
    priors = {"prior_mean": F.when(was_shown, _mean()), "prior_weight": F.when(was_shown, _weight())}
    kept = [name for name in advertisers.columns if name not in sums_over_products()]
    return summed.withColumns(priors).select(*kept, *priors)


def _sums(clicks: Column, impressions: Column, squares: Column, total: Total) -> dict[str, Column]:
    """Return the sums of c, n, m, c²/n, m/n and n² over products, or over advertisers."""
    return {
        "clicks": total(clicks),
        "impressions": total(impressions),
        "squares": total(squares),
        "clicks_by_rate": total(F.try_divide(clicks * clicks, impressions)),
        "variances": total(F.try_divide(squares, impressions)),
        "squared_impressions": total(impressions * impressions),
    }


def _excess_and_gain(of: str) -> tuple[Column, Column]:
    """Return S/(p(1-p)) - A, by how much rates differ more than equal ones would, and B, what a correlation of 1 would add.

    Their ratio is the intraclass correlation, 1 / (1 + weight). Null if there is nothing to compare. `of` is the prefix of
    the sums.
    """
    clicks, impressions = F.col(f"{of}clicks"), F.col(f"{of}impressions")
    rate = F.try_divide(clicks, impressions)
    if_equal = F.col(f"{of}variances") - F.try_divide(F.col(f"{of}squares"), impressions)
    gain = impressions - F.try_divide(F.col(f"{of}squared_impressions"), impressions) - if_equal
    spread = F.col(f"{of}clicks_by_rate") - F.try_divide(clicks * clicks, impressions)
    is_informative = (clicks > 0) & (clicks < impressions) & (gain > LEAST_GAIN * impressions)
    return (
        F.when(is_informative, F.try_divide(spread, rate * (1 - rate)) - if_equal),
        F.when(is_informative, gain),
    )


def _weight() -> Column:
    """Return the prior's weight in impressions, from the advertiser's own correlation and that of all."""
    of_all = F.coalesce(F.try_divide("day_excess", "day_gain"), F.lit(UNKNOWN_CORRELATION))
    products, own = F.col("shown_products"), F.try_divide("excess", "gain")
    shrunk = F.coalesce((products * own + EVIDENCE * of_all) / (products + EVIDENCE), of_all)
    return _rounded(1 / _bounded(shrunk) - 1, WEIGHT_DECIMALS)


def _mean() -> Column:
    """Return the prior's mean: the advertiser's rate, drawn towards that of all as strongly as theirs are alike."""
    rate_of_all = (F.col("day_clicks") + 0.5) / (F.col("day_impressions") + 1)  # half a click keeps it between 0 and 1
    excess, gain = _excess_and_gain("day_")
    between = F.coalesce(F.try_divide(excess, gain), F.lit(UNKNOWN_CORRELATION))
    weight = 1 / _bounded(between) - 1
    mean = (F.col("clicks") + weight * rate_of_all) / (F.col("impressions") + weight)
    smallest = F.lit(10.0**-MEAN_DECIMALS)
    return F.least(F.greatest(_rounded(mean, MEAN_DECIMALS), smallest), F.lit(1 - 10.0**-MEAN_DECIMALS))


def _bounded(correlation: Column) -> Column:
    return F.least(F.greatest(correlation, F.lit(LEAST_CORRELATION)), F.lit(MOST_CORRELATION))


def _rounded(number: Column, decimals: int) -> Column:
    """Round half up to the nearest double; unlike Spark's round, Comet runs this."""
    return F.floor(number * 10.0**decimals + 0.5) / 10.0**decimals
