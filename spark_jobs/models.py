"""The models there are, each under the name of its table: a new one is a module of its own and an entry here.

What else it takes is in docs/adding-a-model.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_jobs.past import KINDS, WINDOWS, by_window
from spark_jobs.ranking import top_ctr, top_product
from spark_jobs.settings import Evidence
from spark_jobs.trending import trending


@dataclass(frozen=True)
class Model:
    """One way to rank products."""

    rank: Callable[[DataFrame, int, Evidence], DataFrame]
    """Products in, of which past.py says the columns, and the best of each advertiser out, as its table has them."""
    takes: Callable[[Evidence], Column]
    """Which products it ranks, said a second time: the audit counts by it."""
    scores: tuple[str, ...]
    """The columns that a person wants to see of a product."""
    window_table: str | None = None
    """Where its lists over several days are; None if it has none."""
    is_lasting: bool = True
    """Whether every day has a list of it; a day without one is refused."""


MODELS = {
    "top_product": Model(
        rank=lambda products, top, _: top_product(products, top),
        takes=lambda _: F.col("views") > 0,
        scores=("views",),
        window_table="top_product_window",
    ),
    "top_ctr": Model(
        rank=lambda products, top, evidence: top_ctr(
            products, top, evidence.ctr_prior_weight, evidence.min_impressions
        ),
        takes=lambda evidence: F.col("impressions") >= evidence.min_impressions,
        scores=("clicks", "impressions", "score"),
        window_table="top_ctr_window",
    ),
    "trending": Model(
        rank=lambda products, top, evidence: trending(products, top, evidence.trend_prior_weight),
        takes=lambda _: (F.col("past_days") > 0) & (F.col("views") > F.col("past_views") / F.col("past_days")),
        scores=("views", "usual", "score"),
        is_lasting=False,
    ),
}
WINDOW_TABLES = {model.window_table: table for table, model in MODELS.items() if model.window_table}
"""The tables of lists over several days, and whose lists they are."""
LIST_TABLES = (*MODELS, *WINDOW_TABLES)


def lists(products: DataFrame, top: int, evidence: Evidence) -> dict[str, Callable[[], DataFrame]]:
    """Return by table what ranks the products into it: the rows of its lists, those over several days with their `days`."""
    rankable = products.where("not hidden")

    def over_windows(model: Model) -> DataFrame:
        """To a model, each window of an advertiser is an advertiser."""
        whose = F.struct("days", "advertiser_id").alias("advertiser_id")
        counts = by_window(rankable, WINDOWS).select(whose, "product_id", *KINDS)
        ranked = model.rank(counts, top, evidence)
        return ranked.select("advertiser_id.*", *ranked.columns[1:])

    of_day: dict[str, Callable[[], DataFrame]] = {
        table: partial(model.rank, rankable, top, evidence) for table, model in MODELS.items()
    }
    return of_day | {
        window_table: partial(over_windows, MODELS[table]) for window_table, table in WINDOW_TABLES.items()
    }
