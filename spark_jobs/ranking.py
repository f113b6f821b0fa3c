"""Each advertiser's best products: what a model of ranking is, and the two lasting ones, by visits and by click rate."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from spark_jobs.settings import Evidence


@dataclass(frozen=True)
class Model:
    """One way to rank products, said in the columns that past.by_window gives them."""

    takes: Callable[[Evidence], Column]
    """Which products it ranks."""
    score: Callable[[Evidence], Column]
    """What ranks those, the higher the better."""
    then_by: str
    """Of equal scores, the product with more of this comes first; after that, the one with the smaller product_id."""
    columns: tuple[str, ...]
    """What its table says of a product besides its rank, in SQL."""
    scores: tuple[str, ...]
    """Those columns that a person wants to see."""
    window_table: str | None = None
    """Where its lists over several days are; None if it has none."""
    is_lasting: bool = True
    """Whether every day has a list of it; a day without one is refused."""

    def rank(self, products: DataFrame, top: int, evidence: Evidence) -> DataFrame:
        """Return the best of each advertiser by this model alone, on the one day that `products` are of."""
        of_one_day = products.withColumns({"date": F.lit(None).cast("date"), "days": F.lit(1)})
        return self.rows(rank(of_one_day, {"": self}, top, evidence))

    def rows(self, ranked: DataFrame, *also: str) -> DataFrame:
        """Return what `rank` gives as the table has it: (advertiser_id, product_id, rank, *columns, *also)."""
        return ranked.selectExpr("advertiser_id", "product_id", "rank", *self.columns, *also)

    def takes_here(self, evidence: Evidence) -> Column:
        """Return whether it ranks the product, over so many days."""
        return self.takes(evidence) if self.window_table else self.takes(evidence) & (F.col("days") == 1)


def rank(products: DataFrame, models: Mapping[str, Model], top: int, evidence: Evidence) -> DataFrame:
    """Rank products by every model at once, and keep the first `top` of each list: of a day, advertiser, window and model.

    `products` holds a row a product, day and window: (date, advertiser_id, product_id, days), and the counts that the
    models look at. Returns those columns, `model`, by its name in `models`, `score`, and `rank`, from 1. The order is
    total, so that a rerun gives the same rows.
    """
    scores = {name: F.when(model.takes_here(evidence), model.score(evidence)) for name, model in models.items()}
    scored = products.withColumns({f"score by {name}": score.cast("double") for name, score in scores.items()})
    candidates = [
        F.struct(
            F.lit(name).alias("model"), F.col(f"score by {name}").alias("score"), F.col(model.then_by).alias("then_by")
        )
        for name, model in models.items()
    ]
    order = Window.partitionBy("date", "advertiser_id", "days", "model").orderBy(
        F.desc("score"), F.desc("then_by"), F.asc("product_id")
    )
    ranked = (
        scored.select(*products.columns, F.inline(F.array(*candidates)))
        .where("score is not null")
        .withColumn("rank", F.row_number().over(order))
    )
    return ranked.where(F.col("rank") <= top).drop("then_by")


TOP_PRODUCT = Model(
    takes=lambda _: F.col("views") > 0,
    score=lambda _: F.col("views"),
    then_by="views",
    columns=("views",),
    scores=("views",),
    window_table="top_product_window",
)
TOP_CTR = Model(
    takes=lambda evidence: F.col("impressions") >= evidence.min_impressions,
    score=lambda evidence: smoothed_rate(evidence.ctr_prior_weight) if evidence.ctr_prior_weight else plain_rate(),
    then_by="impressions",
    columns=("clicks", "impressions", "clicks / impressions as ctr", "score"),
    scores=("clicks", "impressions", "score"),
    window_table="top_ctr_window",
)


def top_product(counts: DataFrame, top: int) -> DataFrame:
    """Rank products by visits: (advertiser_id, product_id, rank, views), ranks from 1 to `top`.

    `counts` holds one row a product of an advertiser: (advertiser_id, product_id, views, impressions, clicks).
    Equal visits go by product_id.
    """
    return TOP_PRODUCT.rank(counts, top, Evidence())


def top_ctr(counts: DataFrame, top: int, ctr_prior_weight: float = 0, min_impressions: int = 1) -> DataFrame:
    """Rank products by clicks per impression; one shown less than `min_impressions` times (at least 1) is not ranked.

    Returns (advertiser_id, product_id, rank, clicks, impressions, ctr, score), ranks from 1 to `top`. `ctr` is the plain
    ratio; `score`, which orders, is the same unless there is a prior weight (see `smoothed_rate`). Of equal scores the
    one with more impressions comes first, then the smaller product_id. A rate may exceed 1: a click counts on its own
    day, and its impression may have been on the day before.
    """
    return TOP_CTR.rank(counts, top, Evidence(ctr_prior_weight=ctr_prior_weight, min_impressions=min_impressions))


def plain_rate() -> Column:
    """Return clicks per impression; null where there are no impressions."""
    return F.try_divide(F.col("clicks"), F.col("impressions"))


def smoothed_rate(weight: float) -> Column:
    """Return (clicks + W·p) / (impressions + W), p being the clicks per impression of all products of the advertiser.

    The mean of a Beta distribution that began as Beta(W·p, W·(1-p)); null where the advertiser has no impressions at
    all. Source: A. Gelman and others, "Bayesian Data Analysis", section 2.4; what it is for: docs/ranking.md.

    Both sides of the fraction are multiplied by the advertiser's impressions: they are whole then (with a whole W), and
    equal scores are equal to the last bit. A rounded p would put some of them in an order of its own.
    """
    whole_advertiser = Window.partitionBy("date", "advertiser_id", "days")
    all_clicks, all_impressions = (F.sum(kind).over(whole_advertiser) for kind in ("clicks", "impressions"))
    clicks, impressions = (F.col(kind).cast("double") for kind in ("clicks", "impressions"))  # bigint might overflow
    return F.try_divide(
        clicks * all_impressions + F.lit(weight) * all_clicks, (impressions + F.lit(weight)) * all_impressions
    )
