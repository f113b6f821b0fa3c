"""What a run keeps of each advertiser so that the web app can say why a product has its place, or none."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.past import KINDS

OF_PRODUCT = (*KINDS, "past_views")
"""The numbers kept of each product, in this order."""


def advertiser_counts(products: DataFrame, rejects: DataFrame | None) -> DataFrame:
    """Return a row an advertiser and day: (date, advertiser_id, past_days, products, hidden, rejected), the last three JSON.

    `products` has, by id, the numbers of OF_PRODUCT of every product that had events on the day; `hidden` the ids of
    those that no list may show; `rejected`, by product, how many lines of it were rejected for which reason.
    One row an advertiser, not one a product, so that the append stays small and an answer is one look into an index.
    """
    numbers = F.struct("product_id", F.array(*OF_PRODUCT))
    seen = products.where(" + ".join(KINDS) + " > 0")
    counted = seen.groupBy("date", "advertiser_id").agg(
        F.max("past_days").cast("smallint").alias("past_days"),
        F.to_json(F.map_from_entries(F.collect_list(numbers))).alias("products"),
        F.to_json(F.collect_list(F.when(F.col("hidden"), F.col("product_id")))).alias("hidden"),
    )
    if rejects is None:
        return counted.withColumn("rejected", F.lit("{}"))
    return counted.join(rejected_lines(rejects), ["date", "advertiser_id"], how="full").fillna(
        {"past_days": 0, "products": "{}", "hidden": "[]", "rejected": "{}"}
    )


def rejected_lines(rejects: DataFrame) -> DataFrame:
    """Return (date, advertiser_id, rejected): of lines that name a product, how many were rejected and why."""
    named = rejects.where(F.length("product_id").between(1, 64))
    by_reason = named.groupBy("date", "advertiser_id", "product_id", "reason").agg(F.sum("lines").alias("lines"))
    reasons = F.map_from_entries(F.collect_list(F.struct("reason", "lines"))).alias("reasons")
    by_product = by_reason.groupBy("date", "advertiser_id", "product_id").agg(reasons)
    of_advertiser = F.map_from_entries(F.collect_list(F.struct("product_id", "reasons")))
    return by_product.groupBy("date", "advertiser_id").agg(F.to_json(of_advertiser).alias("rejected"))
