"""All ranking models, each by the name of its table. docs/adding-a-model.md says how to add one."""

from collections.abc import Collection

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.ranking.expected_ctr import EXPECTED_CTR
from spark_jobs.ranking.model import rank
from spark_jobs.ranking.top_ctr import TOP_CTR
from spark_jobs.ranking.top_product import TOP_PRODUCT
from spark_jobs.ranking.trending import TRENDING
from spark_jobs.ranking.windows import WINDOWS, by_window
from spark_jobs.settings import RankingParameters

MODELS = {"top_product": TOP_PRODUCT, "top_ctr": TOP_CTR, "trending": TRENDING, "expected_ctr": EXPECTED_CTR}
WINDOW_TABLES = {model.window_table: name for name, model in MODELS.items() if model.window_table}
"""The tables of lists over several days, and the model of each."""
LIST_TABLES = (*MODELS, *WINDOW_TABLES)


def tables_of(model: str) -> list[str]:
    """Return the tables that hold the model's lists."""
    return [table for table in LIST_TABLES if WINDOW_TABLES.get(table, table) == model]


def rank_all(
    products: DataFrame, top: int, parameters: RankingParameters, models: Collection[str] = MODELS.keys()
) -> DataFrame:
    """Rank all products that are not hidden, over one day and each window, by each of the models."""
    rankable = by_window(products.where("not hidden"), (1, *WINDOWS))
    return rank(rankable, {name: MODELS[name] for name in models}, top, parameters)


def rows_of_table(table: str, ranked: DataFrame) -> DataFrame:
    """Return those rows of `rank_all` that belong into one table, with the table's columns."""
    name = WINDOW_TABLES.get(table, table)
    of_model = ranked.where(F.col("model") == name)
    if table in MODELS:
        return MODELS[name].list_rows(of_model.where("days = 1"), "run_id", "date")
    return MODELS[name].list_rows(of_model.where("days > 1"), "run_id", "date", "days")
