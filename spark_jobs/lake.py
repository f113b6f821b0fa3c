"""Where a run keeps what it prepares: LAKE_URI/counts (Parquet) and LAKE_URI/rejects (JSON lines), a folder a run."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.storage import FileSystem

COUNTS = "advertiser_id string, product_id string, views bigint, impressions bigint, clicks bigint"
LOOKED_FOR_AT_ONCE = 8  # folders; on S3 each takes some tens of milliseconds


def write_counts(counts: DataFrame, lake_uri: str, day: date, run: int) -> None:
    """Keep the day's counts, the columns of COUNTS, under the run."""
    counts.write.mode("overwrite").parquet(_folder(lake_uri, "counts", day, run))


def read_counts(spark: SparkSession, lake_uri: str, runs: Mapping[date, int]) -> DataFrame:
    """Return what the days' runs counted: the columns of COUNTS, and `date`."""
    folders = [_folder(lake_uri, "counts", *each) for each in runs.items()]
    return spark.read.schema(COUNTS).option("basePath", f"{lake_uri}/counts").parquet(*folders).drop("run")


def kept(spark: SparkSession, lake_uri: str, runs: Mapping[date, int]) -> dict[date, int]:
    """Return those of the days' runs whose counts the lake has."""
    system = FileSystem(spark, lake_uri)
    with ThreadPoolExecutor(LOOKED_FOR_AT_ONCE) as pool:
        is_there = pool.map(lambda each: system.exists(_folder(lake_uri, "counts", *each)), runs.items())
        return {day: run for (day, run), there in zip(runs.items(), is_there, strict=True) if there}


def write_rejects(rejects: DataFrame, lake_uri: str, day: date, run: int) -> None:
    """Keep the rejected lines, each with its reason and how often it came."""
    in_few_files = rejects.hint("rebalance")  # on S3 each costs several requests, however small it is
    in_few_files.write.mode("overwrite").json(_folder(lake_uri, "rejects", day, run))


def remove_run(spark: SparkSession, lake_uri: str, day: date, run: int) -> None:
    """Remove what a run kept: after a dry run, or when its process died."""
    system = FileSystem(spark, lake_uri)
    for kind in ("counts", "rejects"):
        system.remove(_folder(lake_uri, kind, day, run))


def _folder(lake_uri: str, kind: str, day: date, run: int) -> str:
    return f"{lake_uri}/{kind}/date={day}/run={run}"
