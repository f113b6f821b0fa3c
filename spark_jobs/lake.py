"""Where a run keeps what it prepares: LAKE_URI/counts (Parquet) and LAKE_URI/rejects (JSON lines), a folder a run."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.storage import FileSystem

LOOKED_FOR_AT_ONCE = 8  # folders; on S3 each takes some tens of milliseconds


def write_counts(counts: DataFrame, lake_uri: str, day: date, run: int) -> DataFrame:
    """Keep the day's counts under the run and return them as they can be read again."""
    folder = _folder(lake_uri, "counts", day, run)
    counts.write.mode("overwrite").parquet(folder)
    return counts.sparkSession.read.schema(counts.schema).parquet(folder)


def read_counts(spark: SparkSession, lake_uri: str, day: date, run: int) -> DataFrame | None:
    """Return the counts that a run kept of its day; None where the lake has none."""
    folder = _folder(lake_uri, "counts", day, run)
    return spark.read.parquet(folder) if FileSystem(spark, folder).exists(folder) else None


def kept(spark: SparkSession, lake_uri: str, runs: Mapping[date, int]) -> dict[date, int]:
    """Return those of the days' runs whose counts the lake has."""
    system = FileSystem(spark, lake_uri)
    with ThreadPoolExecutor(LOOKED_FOR_AT_ONCE) as pool:
        is_there = pool.map(lambda each: system.exists(_folder(lake_uri, "counts", *each)), runs.items())
        return {day: run for (day, run), there in zip(runs.items(), is_there, strict=True) if there}


def read_past(counts: DataFrame, lake_uri: str, day: date, runs: Mapping[date, int]) -> DataFrame:
    """Return what the runs of days before `day` counted: the columns of `counts`, and `age`, how many days before."""
    if not runs:
        return counts.where("false").withColumn("age", F.lit(0))
    folders = [_folder(lake_uri, "counts", *each) for each in runs.items()]
    reader = counts.sparkSession.read.schema(counts.schema).option("basePath", f"{lake_uri}/counts")
    return reader.parquet(*folders).select(*counts.columns, F.datediff(F.lit(day), F.col("date")).alias("age"))


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
