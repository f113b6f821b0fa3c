"""Filters by data that is not in S3: who is active, and which products people have hidden."""

import json
from collections.abc import Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F


def keep_active(rows: DataFrame, active: DataFrame) -> DataFrame:
    """Keep the rows whose `date` and `advertiser_id` are among those of `active`."""
    return rows.join(F.broadcast(active), ["date", "advertiser_id"], how="left_semi")


def mark_hidden(products: DataFrame, hidden: Sequence[tuple[str, str]]) -> DataFrame:
    """Add the column `hidden`: whether (advertiser_id, product_id) is one of the `hidden` pairs."""
    if not hidden:
        return products.withColumn("hidden", F.lit(False))
    pairs = literal_frame(products.sparkSession, ["advertiser_id string", "product_id string"], hidden)
    pairs = pairs.withColumn("hidden", F.lit(True))
    marked = products.join(F.broadcast(pairs), ["advertiser_id", "product_id"], how="left")
    return marked.fillna(False, ["hidden"])


def literal_frame(spark: SparkSession, columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> DataFrame:
    """Return a frame that is a literal of the query plan; createDataFrame would start Python workers for it.

    `columns` are names with types, and the rows hold strings.
    """
    as_json = F.lit(json.dumps([*map(list, rows)]))
    arrays = F.from_json(as_json, "array<array<string>>")  # an array of structs would not be native in Comet
    cells = [F.col("row")[place].cast(type_).alias(name) for place, (name, type_) in enumerate(map(str.split, columns))]
    return spark.range(1).select(F.explode(arrays).alias("row")).select(*cells)
