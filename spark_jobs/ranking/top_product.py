"""TopProduct: the most visited products."""

from pyspark.sql import functions as F

from spark_jobs.ranking.model import Model

TOP_PRODUCT = Model(
    eligible=lambda _: F.col("views") > 0,
    score=lambda _: F.col("views"),
    tie_breaker="views",
    columns=("views",),
    shown_columns=("views",),
    window_table="top_product_window",
)
