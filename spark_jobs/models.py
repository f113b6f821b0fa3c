"""The models there are, each under the name of its table: a new one is a module of its own and an entry here.

What else it takes is in docs/adding-a-model.md.
"""

from collections.abc import Collection

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.past import WINDOWS, by_window
from spark_jobs.ranking import TOP_CTR, TOP_PRODUCT, rank
from spark_jobs.settings import Evidence
from spark_jobs.trending import TRENDING

MODELS = {"top_product": TOP_PRODUCT, "top_ctr": TOP_CTR, "trending": TRENDING}
WINDOW_TABLES = {model.window_table: table for table, model in MODELS.items() if model.window_table}
"""The tables of lists over several days, and whose lists they are."""
LIST_TABLES = (*MODELS, *WINDOW_TABLES)


def tables_of(models: Collection[str]) -> list[str]:
    """Return where the models' lists are."""
    return [table for table in LIST_TABLES if WINDOW_TABLES.get(table, table) in models]


def rank_all(products: DataFrame, top: int, evidence: Evidence, models: Collection[str] = MODELS.keys()) -> DataFrame:
    """Rank the products that are not hidden, on their day and over each window, by each of the models."""
    rankable = by_window(products.where("not hidden"), (1, *WINDOWS))
    return rank(rankable, {name: MODELS[name] for name in models}, top, evidence)


def rows_of(table: str, ranked: DataFrame) -> DataFrame:
    """Return the rows of one table out of all that is ranked; those over several days have `days`."""
    name = WINDOW_TABLES.get(table, table)
    of_model = ranked.where(F.col("model") == name)
    if table in MODELS:
        return MODELS[name].rows(of_model.where("days = 1"), "date")
    return MODELS[name].rows(of_model.where("days > 1"), "date", "days")
