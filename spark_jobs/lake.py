"""Where a run keeps what it prepares: LAKE_URI/counts (Parquet) and LAKE_URI/rejects (JSON lines), a folder a run."""

from datetime import date

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.storage import FileSystem


def write_counts(counts: DataFrame, lake_uri: str, day: date, run: int) -> DataFrame:
    """Keep the day's counts under the run and return them as they can be read again."""
    folder = _folder(lake_uri, "counts", day, run)
    counts.write.mode("overwrite").parquet(folder)
    return counts.sparkSession.read.schema(counts.schema).parquet(folder)


def read_counts(spark: SparkSession, lake_uri: str, day: date, run: int) -> DataFrame | None:
    """Return the counts that a run kept of its day; None where the lake has none."""
    folder = _folder(lake_uri, "counts", day, run)
    return spark.read.parquet(folder) if FileSystem(spark, folder).exists(folder) else None


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
