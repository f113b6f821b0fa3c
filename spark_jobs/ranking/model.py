"""What a ranking model is, and how products are ranked by several models at once."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from spark_jobs.settings import RankingParameters

LONGEST_LIST = 20
"""Products that a list may hold; a run may choose fewer."""
LIST_KEY = ["run_id", "advertiser_id", "days"]
"""What a list belongs to, besides its model."""


@dataclass(frozen=True)
class Model:
    """One way to rank products, in terms of the columns that windows.by_window returns."""

    eligible: Callable[[RankingParameters], Column]
    """Whether the model ranks a product."""
    score: Callable[[RankingParameters], Column]
    """What orders a list: the highest score comes first."""
    tie_breaker: str
    """Of equal scores, the product with more of this column comes first, then the one with the smaller product_id."""
    columns: tuple[str, ...]
    """SQL expressions for the columns of the model's table, besides those that all tables have."""
    shown_columns: tuple[str, ...]
    """The columns that a replay prints."""
    window_table: str | None = None
    """The table of its lists over several days, or None if it ranks single days only."""
    is_lasting: bool = True
    """Whether every day has a list; a day without one is refused."""
    steps: tuple[tuple[str, ...], ...] = ()
    """SQL expressions, step by step, for what `columns` are computed from: Spark plans small expressions sooner."""

    def is_eligible(self, parameters: RankingParameters) -> Column:
        """Return whether the model ranks the product over its number of `days`."""
        return self.eligible(parameters) if self.window_table else self.eligible(parameters) & (F.col("days") == 1)

    def rank(self, products: DataFrame, top: int, parameters: RankingParameters) -> DataFrame:
        """Rank products of one day by this model alone: (advertiser_id, product_id, rank, *columns)."""
        of_one_day = products.withColumns({"run_id": F.lit(0), "date": F.lit(None).cast("date"), "days": F.lit(1)})
        return self.list_rows(rank(of_one_day, {"": self}, top, parameters))

    def list_rows(self, ranked: DataFrame, *key: str) -> DataFrame:
        """Return ranked products as rows of the model's table: (advertiser_id, product_id, rank, *columns, *key)."""
        for step in self.steps:
            ranked = ranked.selectExpr("*", *step)
        return ranked.selectExpr("advertiser_id", "product_id", "rank", *self.columns, *key)


def rank(products: DataFrame, models: Mapping[str, Model], top: int, parameters: RankingParameters) -> DataFrame:
    """Rank products by every model at once, and keep the first `top` of each list.

    `products` has a row for each product, run and window: (run_id, date, advertiser_id, product_id, days), and the counts
    that the models use. Returns those columns, `model`, the name in `models`, `score`, and `rank`, from 1. The order is
    total, so a rerun gives the same rows.
    """
    scores = {name: F.when(model.is_eligible(parameters), model.score(parameters)) for name, model in models.items()}
    scored = products.withColumns({f"score by {name}": score.cast("double") for name, score in scores.items()})
    with_least = scored.join(F.broadcast(least_scores(scored, models, top)), LIST_KEY, "left")
    may_be_listed = [
        F.expr(f"coalesce(`score by {name}` >= `least by {name}`, `score by {name}` is not null)") for name in models
    ]
    candidates = [
        F.struct(
            F.lit(name).alias("model"),
            F.when(in_reach, F.col(f"score by {name}")).alias("score"),
            F.col(model.tie_breaker).alias("tie_breaker"),
        )
        for (name, model), in_reach in zip(models.items(), may_be_listed, strict=True)
    ]
    best_first = Window.partitionBy(*LIST_KEY, "model").orderBy(
        F.desc("score"), F.desc("tie_breaker"), F.asc("product_id")
    )
    ranked = (
        with_least.where(reduce(Column.__or__, may_be_listed))
        .select(*products.columns, F.explode(F.array(*candidates)).alias("candidate"))
        .select(*products.columns, "candidate.*")
        .where("score is not null")
        .withColumn("rank", F.row_number().over(best_first))
    )
    return ranked.where(F.col("rank") <= top).drop("tie_breaker")


def least_scores(scored: DataFrame, models: Collection[str], top: int) -> DataFrame:
    """Return (*LIST_KEY, least by <model>): no product with a lower score is among the first `top` of the list.

    Sorting a few products instead of all takes a fraction of the time. The hash of its id puts each product into one of
    `top` groups. The best products of the groups are `top` products, so the last product of the list has at least the lowest
    of their scores. If a group is empty, this score is null. Lists for which all these scores are null are left out.
    """
    best = [F.max(f"score by {name}").alias(name) for name in models]
    groups = scored.groupBy(*LIST_KEY, F.expr(f"pmod(hash(product_id), {top})")).agg(*best)
    least = groups.groupBy(*LIST_KEY).agg(
        *[F.when(F.count(name) == top, F.min(name)).alias(f"least by {name}") for name in models]
    )
    return least.where(F.coalesce(*[F.col(f"least by {name}") for name in models]).isNotNull())
