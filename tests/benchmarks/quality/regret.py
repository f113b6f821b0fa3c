"""The regret of a list: the share of clicks it loses compared with the best possible list."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from spark_jobs import sample_data
from spark_jobs.ranking.model import Model
from spark_jobs.ranking.top_ctr import TOP_CTR
from spark_jobs.ranking.top_product import TOP_PRODUCT
from spark_jobs.settings import RankingParameters

TOP = 20
PLACES = (TOP, 5)
"""The lengths of the list's beginning for which the regret is measured."""
ADVERTISERS = 20
NEWEST = "2026-11-24"
"""The newest day, fixed so that equal seeds always give equal events."""
KINDS = {"views": "view", "impressions": "impression", "clicks": "click"}
WEIGHTS = (0, 5, 10, 20, 50, 100, 200, 500, 2000)
MINIMA = (5, 20, 100)
UNAVOIDABLE = "the best of what was shown"
THE_TRUTH = Model(
    eligible=lambda _: F.col("impressions") > 0,
    score=lambda _: F.col("click_rate"),
    tie_breaker="impressions",
    columns=(),
    shown_columns=(),
)


def counts_of_days(spark: SparkSession, seed: int, volumes: Sequence[int], windows: Sequence[int] = (1,)) -> DataFrame:
    """Count sample events as the job does, once for each volume and window.

    A volume is the number of impressions, and of visits, per day; a window is a number of days up to the newest. Returns one
    row per product, seen or not: (advertiser_id, product_id, days, views, impressions, clicks, click_rate, true_place); the
    last two are the truth. Each volume and window has its own advertisers, with ids volume/seed/number/days. Smaller ones are
    subsets of larger ones, so only the largest is generated.
    """
    options = sample_data.parse_arguments(["--days", str(max(windows)), "--until", NEWEST, "--seed", str(seed)])
    moments = spark.range(max(volumes) * max(windows))
    shown, viewed = (sample_data.events(moments, kind, ADVERTISERS, options) for kind in ("shown", "viewed"))
    numbers = spark.range(ADVERTISERS).withColumnRenamed("id", "advertiser")
    products = numbers.crossJoin(spark.range(options.products).withColumnRenamed("id", "product"))
    happened = [
        sample_data.impressions_and_clicks(shown, seed),
        viewed.withColumn("type", F.lit("view")),
        products.select("advertiser", "product", F.lit(0).alias("key"), F.lit("none").alias("type")),
    ]
    columns = ["advertiser", "product", "key", "type"]
    events = happened[0].select(columns).union(happened[1].select(columns)).union(happened[2].select(columns))
    moment, day = F.col("key") % 2**32, F.floor(F.col("key") / 2**32)
    newest = (options.until - date(1970, 1, 1)).days
    parts = [
        F.struct(
            F.lit(volume).alias("volume"),
            F.lit(days).alias("days"),
            *_counts((moment < volume) & (day > newest - days)),
        )
        for volume in volumes
        for days in windows
    ]
    of_parts = events.groupBy("advertiser", "product").agg(F.array(*parts).alias("parts"))
    each = of_parts.select("advertiser", "product", F.inline("parts"))
    number, product = F.col("advertiser"), F.col("product")
    counts = each.select(
        F.concat_ws("/", "volume", F.lit(seed), number, "days").alias("advertiser_id"),
        sample_data.product_id(number, product, seed).alias("product_id"),
        "days",
        *KINDS,
        sample_data.click_rate(number, product, seed).alias("click_rate"),
    )
    best_first = Window.partitionBy("advertiser_id").orderBy(F.desc("click_rate"), F.asc("product_id"))
    return counts.withColumn("true_place", F.row_number().over(best_first))


def _counts(is_within: Column) -> list[Column]:
    return [F.count_if(is_within & (F.col("type") == kind)).alias(name) for name, kind in KINDS.items()]


def lists() -> dict[str, Callable[[DataFrame], DataFrame]]:
    """Return the ranking functions to compare, by name: the job's, and the best possible one."""
    smoothed: dict[str, dict[str, Any]] = {f"TopCTR, W = {weight}": {"ctr_prior_weight": weight} for weight in WEIGHTS}
    minimum: dict[str, dict[str, Any]] = {f"TopCTR, N = {least}": {"min_impressions": least} for least in MINIMA}
    return {
        "TopProduct": partial(TOP_PRODUCT.rank, top=TOP, parameters=RankingParameters()),
        **{
            name: partial(TOP_CTR.rank, top=TOP, parameters=RankingParameters(**values))
            for name, values in (smoothed | minimum).items()
        },
        UNAVOIDABLE: partial(THE_TRUTH.rank, top=TOP, parameters=RankingParameters()),
    }


def regrets(counts: DataFrame, ranked: DataFrame) -> DataFrame:
    """Compare each list with the truth: (advertiser_id, days, impressions, regret_of_20, regret_of_5), as in PLACES.

    `impressions` is the advertiser's mean per day of the window.

    The regret of n places is 1 - (clicks on the list's first n products) / (clicks on the n truly best ones), if every place
    is shown equally often and an empty place gets no clicks: 0 for the best list, 1 for an empty one.
    """
    listed = ranked.select("advertiser_id", "product_id", "rank")

    def clicks(place: str, places: int) -> Column:
        return F.coalesce(F.sum(F.when(F.col(place) <= places, F.col("click_rate"))), F.lit(0.0))

    regret = [(1 - clicks("rank", n) / clicks("true_place", n)).alias(f"regret_of_{n}") for n in PLACES]
    joined = counts.join(listed, ["advertiser_id", "product_id"], how="left")
    per_day = (F.sum("impressions") / F.col("days")).alias("impressions")
    return joined.groupBy("advertiser_id", "days").agg(per_day, *regret)
