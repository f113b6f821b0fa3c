"""The lake, LAKE_URI: a run's daily counts (Parquet) and rejected rows (JSON lines), each in a folder of the run."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.file_system import FileSystem

COUNTS = "advertiser_id string, product_id string, views bigint, impressions bigint, clicks bigint"
ROWS_PER_FILE = 5_000_000
"""Where Spark does not choose the number of files by their size."""
PARALLEL_LOOKUPS = 8  # on S3 each takes some tens of milliseconds


def write_counts(counts: DataFrame, expected: int, lake_uri: str, day: date, run: int) -> None:
    """Write a run's daily counts, the columns of COUNTS; at most `expected` rows."""
    _in_few_files(counts, expected).write.mode("overwrite").parquet(_folder(lake_uri, "counts", day, run))


def read_counts(spark: SparkSession, lake_uri: str, runs: Mapping[date, int]) -> DataFrame:
    """Return the daily counts of the days' runs: the columns of COUNTS, and `date`."""
    folders = [_folder(lake_uri, "counts", day, run) for day, run in runs.items()]
    return spark.read.schema(COUNTS).option("basePath", f"{lake_uri}/counts").parquet(*folders).drop("run")


def find_counts(spark: SparkSession, lake_uri: str, runs: Mapping[date, int]) -> dict[date, int]:
    """Look up which of the days' runs still have their daily counts in the lake."""
    system = FileSystem(spark, lake_uri)
    folders = [_folder(lake_uri, "counts", day, run) for day, run in runs.items()]
    with ThreadPoolExecutor(PARALLEL_LOOKUPS) as pool:
        exists = list(pool.map(system.exists, folders))
    return {day: run for (day, run), found in zip(runs.items(), exists, strict=True) if found}


def write_rejects(rejects: DataFrame, expected: int, lake_uri: str, day: date, run: int) -> None:
    """Write a run's rejected rows, each with its reason and how often it came; at most `expected` rows."""
    _in_few_files(rejects, expected).write.mode("overwrite").json(_folder(lake_uri, "rejects", day, run))


def remove_run(spark: SparkSession, lake_uri: str, day: date, run: int) -> None:
    """Remove a run's folders, for example after a dry run."""
    system = FileSystem(spark, lake_uri)
    for kind in ("counts", "rejects"):
        system.remove(_folder(lake_uri, kind, day, run))


def _in_few_files(rows: DataFrame, expected: int) -> DataFrame:
    """Let the size decide the number of files, not that of the cores: on S3 each costs several requests, however small.

    Adaptive execution knows the size, and writes in parallel; without it, `expected` rows are the best guess.
    """
    if rows.sparkSession.conf.get("spark.sql.adaptive.enabled") == "true":
        return rows.hint("rebalance")
    return rows.coalesce(1 + expected // ROWS_PER_FILE)


def _folder(lake_uri: str, kind: str, day: date, run: int) -> str:
    return f"{lake_uri}/{kind}/date={day}/run={run}"
