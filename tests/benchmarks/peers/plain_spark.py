"""A plain Spark job. Arguments: ACTIVE VIEWS ADS DAY RUN; environment: DATABASE_URL."""

import os
import sys
from urllib.parse import unquote, urlsplit

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

TOP = 20
PRODUCT = "advertiser_id string, product_id string, "
COLUMNS = ("advertiser_id string", PRODUCT + "date string", PRODUCT + "type string, date string")
"""The columns of a CSV file, so that Spark need not read its header first."""


def rank_and_append(spark: SparkSession, database_url: str, files: list[str], day: str, run: int) -> None:
    """Rank the day's events in `files` (active advertisers, views, ad events) and append the rows under `run`."""
    active, views, ads = (
        spark.read.parquet(path) if path.endswith(".parquet") else spark.read.csv(path, columns, header=True)
        for path, columns in zip(files, COLUMNS, strict=True)
    )
    product = ["advertiser_id", "product_id"]
    visits = views.filter(F.col("date") == day).join(active, "advertiser_id").groupBy(product)
    top_product = best(visits.agg(F.count("*").alias("views")), [F.desc("views")])
    events = ads.filter(F.col("date") == day).join(active, "advertiser_id").groupBy(product)
    counts = events.agg(
        F.count(F.when(F.col("type") == "click", 1)).alias("clicks"),
        F.count(F.when(F.col("type") == "impression", 1)).alias("impressions"),
    )
    shown = counts.filter("impressions > 0").withColumn("ctr", F.col("clicks") / F.col("impressions"))
    top_ctr = best(shown.withColumn("score", F.col("ctr")), [F.desc("ctr"), F.desc("impressions")])
    database = urlsplit(database_url)
    url = f"jdbc:postgresql://{database.hostname}:{database.port}{database.path}"
    properties = {
        "user": unquote(database.username or ""),
        "password": unquote(database.password or ""),
        "driver": "org.postgresql.Driver",
    }
    for table, ranking in (("top_product", top_product), ("top_ctr", top_ctr)):
        stamped = ranking.withColumn("run_id", F.lit(run)).withColumn("date", F.lit(day).cast("date"))
        stamped.write.jdbc(url, table, mode="append", properties=properties)


def best(products: DataFrame, scores: list[Column]) -> DataFrame:
    """Keep each advertiser's best products: by score, then by product id."""
    order = Window.partitionBy("advertiser_id").orderBy(*scores, F.asc("product_id"))
    return products.withColumn("rank", F.row_number().over(order)).filter(F.col("rank") <= TOP)


if __name__ == "__main__":
    *files, day, run = sys.argv[1:]
    rank_and_append(SparkSession.builder.getOrCreate(), os.environ["DATABASE_URL"], files, day, int(run))
