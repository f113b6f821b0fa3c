"""What a list loses against the best one that there could have been."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from spark_jobs import sample_data
from spark_jobs.ranking import Model, top_ctr, top_product
from spark_jobs.settings import Evidence

TOP = 20
PLACES = (TOP, 5)
"""How many of a list's first places are looked at."""
ADVERTISERS = 20
NEWEST = "2026-11-24"
"""The newest of the days, so that the same seeds give the same events whenever they are made."""
KINDS = {"views": "view", "impressions": "impression", "clicks": "click"}
WEIGHTS = (0, 5, 10, 20, 50, 100, 200, 500, 2000)
MINIMA = (5, 20, 100)
UNAVOIDABLE = "the best of what was shown"
THE_TRUTH = Model(
    takes=lambda _: F.col("impressions") > 0,
    score=lambda _: F.col("click_rate"),
    then_by="impressions",
    columns=(),
    scores=(),
)


def counts_of_days(spark: SparkSession, seed: int, volumes: Sequence[int], windows: Sequence[int] = (1,)) -> DataFrame:
    """Count days of sample events as a night does, once for each volume and window.

    A volume is how many impressions, and visits, a day has in all; a window how many days there are, up to the newest.
    Returns a row for every product there is, seen or not: (advertiser_id, product_id, days, views, impressions, clicks,
    click_rate, true_place), the last two of which are the truth. Each volume and window has advertisers of its own, their
    ids being volume/seed/number/days. A smaller one is a part of a larger one, so that only the largest has to be made.
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
    """Return what makes the lists that are compared, by name: the batch's own rankings, and the best that they could do."""
    smoothed: dict[str, dict[str, Any]] = {f"TopCTR, W = {weight}": {"ctr_prior_weight": weight} for weight in WEIGHTS}
    of_enough: dict[str, dict[str, Any]] = {f"TopCTR, N = {least}": {"min_impressions": least} for least in MINIMA}
    return {
        "TopProduct": partial(top_product, top=TOP),
        **{name: partial(top_ctr, top=TOP, **evidence) for name, evidence in (smoothed | of_enough).items()},
        UNAVOIDABLE: partial(THE_TRUTH.rank, top=TOP, evidence=Evidence()),
    }


def regrets(counts: DataFrame, ranked: DataFrame) -> DataFrame:
    """Hold each list against the truth: (advertiser_id, days, impressions, regret_of_20, regret_of_5), as of PLACES.

    `impressions` are the advertiser's on a day, in the mean over the window's.

    The regret of n places is 1 - (clicks that the list's first n products bring) / (clicks that the n truly best ones bring),
    when each place is shown equally often and an empty one brings none: 0 for the best list, 1 for none.
    """
    listed = ranked.select("advertiser_id", "product_id", "rank")

    def clicks(place: str, places: int) -> Column:
        return F.coalesce(F.sum(F.when(F.col(place) <= places, F.col("click_rate"))), F.lit(0.0))

    regret = [(1 - clicks("rank", n) / clicks("true_place", n)).alias(f"regret_of_{n}") for n in PLACES]
    joined = counts.join(listed, ["advertiser_id", "product_id"], how="left")
    a_day = (F.sum("impressions") / F.col("days")).alias("impressions")
    return joined.groupBy("advertiser_id", "days").agg(a_day, *regret)
