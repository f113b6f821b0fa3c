"""The lake, LAKE_URI: a run's daily counts (Parquet) and rejected rows (JSON lines), each in a folder of the run."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.file_system import FileSystem

COUNTS = "advertiser_id string, product_id string, views bigint, impressions bigint, clicks bigint"
ADAPTIVE_EXECUTION = "spark.sql.adaptive.enabled"
PARALLEL_LOOKUPS = 8  # on S3 each takes some tens of milliseconds


@contextmanager
def few_files(spark: SparkSession) -> Iterator[None]:
    """Let the size alone decide the number of files that are written while the block lasts.

    On S3 each file costs several requests, however small it is. Only adaptive execution knows the size.
    """
    before = spark.conf.get(ADAPTIVE_EXECUTION)
    spark.conf.set(ADAPTIVE_EXECUTION, "true")
    try:
        yield
    finally:
        spark.conf.set(ADAPTIVE_EXECUTION, str(before))


def write_counts(counts: DataFrame, lake_uri: str, day: date, run: int) -> None:
    """Write a run's daily counts, the columns of COUNTS."""
    counts.hint("rebalance").write.mode("overwrite").parquet(_folder(lake_uri, "counts", day, run))


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


def write_rejects(rejects: DataFrame, lake_uri: str, day: date, run: int) -> None:
    """Write a run's rejected rows, each with its reason and how often it came."""
    rejects.hint("rebalance").write.mode("overwrite").json(_folder(lake_uri, "rejects", day, run))


def remove_run(spark: SparkSession, lake_uri: str, day: date, run: int) -> None:
    """Remove a run's folders, for example after a dry run."""
    system = FileSystem(spark, lake_uri)
    for kind in ("counts", "rejects"):
        system.remove(_folder(lake_uri, kind, day, run))


def _folder(lake_uri: str, kind: str, day: date, run: int) -> str:
    return f"{lake_uri}/{kind}/date={day}/run={run}"
