"""Raw lines in, the day's counted events and the rejected lines out.

Identical lines are counted before any is parsed: an events file repeats the same few lines, so parsing each distinct
line once costs a fraction of parsing the file, and a rejected line comes with how often it came.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.raw_files import RawFiles

# 1 to 64 printable characters: letters, marks, digits, punctuation, symbols and the plain space, but not U+FFFD, which
# stands where a file was not UTF-8.
ID = r"^[\p{L}\p{M}\p{N}\p{P}\p{S} &&[^\x{FFFD}]]{1,64}$"
DATE = r"^\d{4}-\d{2}-\d{2}(?:[T ].*)?$"
SOME_DATE = r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
EVENT_TYPES = ("impression", "click")
A_YEAR = timedelta(days=366)


EVENTS = (
    "input string, file string, day date, advertiser_id string, product_id string, type string, "
    "lines bigint, line string, reason string"
)


def active_advertisers(spark: SparkSession, sources: list[RawFiles]) -> DataFrame:
    """Read the lists of active advertisers, each distinct line once: the columns of EVENTS.

    `day` is the `date=` folder's, or null where one list serves every day.
    """
    return _union(spark, [_parsed(_all_lines(spark, source), source) for source in sources])


def events_of(spark: SparkSession, sources: list[RawFiles], days: Sequence[date]) -> DataFrame:
    """Read the events of `days`, each distinct line once: the columns of EVENTS.

    `type` is `view`, `impression` or `click`, and `lines` how often the line came. A row with a `reason` is rejected;
    the reasons are `bad_columns` (too few, too many), `bad_date`, `other_day` (than its `date=` folder),
    `bad_advertiser_id`, `bad_product_id`, `bad_type`, and `no_date`, where `day` is null: a line of a file of many
    days that holds no date belongs to no night.
    """
    return _union(spark, [_parsed(_lines_of_days(spark, source, days), source, days) for source in sources])


def daily_counts(events: DataFrame) -> DataFrame:
    """Count one day's good events of active advertisers: (advertiser_id, product_id, views, impressions, clicks)."""

    def count_of(type_: str) -> Column:
        return F.sum(F.when(F.col("type") == type_, F.col("lines")).otherwise(0))

    return events.groupBy("advertiser_id", "product_id").agg(
        count_of("view").alias("views"),
        count_of("impression").alias("impressions"),
        count_of("click").alias("clicks"),
    )


def _all_lines(spark: SparkSession, source: RawFiles) -> DataFrame:
    """Return (line, folder_day) of every line but headers."""
    reader = spark.read if source.dated_folder is None else spark.read.option("basePath", source.dated_folder)
    text = reader.text([_without_globs(path) for path in source.paths])
    folder_day = F.lit(None) if source.dated_folder is None else F.col("date")
    lines = text.select(F.col("value").alias("line"), folder_day.cast("date").alias("folder_day"))
    return lines.where(~F.col("line").isin(source.header, "\ufeff" + source.header, ""))


def _lines_of_days(spark: SparkSession, source: RawFiles, days: Sequence[date]) -> DataFrame:
    """Return the lines that may concern `days`: all of a `date=` folder; else those with the day in them, or no date.

    A line of another day becomes null: it is counted with its like, and costs no more than that.
    """
    lines = _all_lines(spark, source)
    if source.dated_folder is not None:
        return lines
    line = F.col("line")
    names_a_day = reduce(Column.__or__, [line.contains(str(day)) for day in days])
    may_concern = names_a_day | ~line.rlike(SOME_DATE)
    if source.columns[-1] == "date":
        # Most lines of such a file end with a day of these years, and looking at ten bytes costs a fifth of searching a line.
        may_concern = _ends_with_one_of(days) | (~_ends_with_one_of(_days_around(days)) & may_concern)
    return lines.withColumn("line", F.when(may_concern, line))


def _ends_with_one_of(days: Iterable[date]) -> Column:
    literals = ", ".join(f"'{day}'" for day in days)  # as SQL, since each literal of `isin` is a call to the JVM
    return F.expr(f"cast(substring(cast(line as binary), -10, 10) as string) in ({literals})")


def _days_around(days: Sequence[date]) -> list[date]:
    first, last = min(days) - A_YEAR, max(days) + A_YEAR
    return [first + timedelta(days=n) for n in range((last - first).days)]


def _parsed(lines: DataFrame, source: RawFiles, days: Sequence[date] = ()) -> DataFrame:
    """Count identical lines, parse each once and say what is wrong with it, if anything."""
    counted = lines.groupBy("line", "folder_day").agg(F.count("*").alias("lines"))
    needed = source.input.columns
    fields = [name if name in needed else f"_{place}" for place, name in enumerate(source.columns)]
    schema = ", ".join(f"{name} string" for name in [*fields, "_malformed"])
    as_csv = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": "_malformed", "quote": '"', "escape": '"'}
    split = counted.withColumn("row", F.from_csv("line", schema, as_csv))

    def text_of(name: str) -> Column:
        return F.coalesce(F.col(f"row.{name}"), F.lit("")) if name in fields else F.lit("")

    bad_columns = F.col("row._malformed").isNotNull()
    reason = F.when(bad_columns, "bad_columns")
    day = F.col("folder_day")
    if "date" in needed:
        written = F.when(text_of("date").rlike(DATE), text_of("date").substr(1, 10).try_cast("date"))
        own_day = written if "date" in fields else F.col("folder_day")
        asked_day_in_it = F.coalesce(*[F.when(F.col("line").contains(str(asked)), F.lit(asked)) for asked in days])
        reason = reason.when(own_day.isNull(), "bad_date").when(own_day != F.col("folder_day"), "other_day")
        day = F.coalesce(F.col("folder_day"), F.when(~bad_columns, own_day), asked_day_in_it)
    for name in ("advertiser_id", "product_id"):
        if name in needed:
            reason = reason.when(~text_of(name).rlike(ID), f"bad_{name}")
    type_ = F.lit("view")
    if "type" in needed:
        type_ = text_of("type")
        reason = reason.when(~type_.isin(*EVENT_TYPES), "bad_type")
    is_of_another_day = F.col("line").isNull()
    return split.select(
        F.lit(source.input.name).alias("input"),
        F.lit(source.origin).alias("file"),
        day.alias("day"),
        text_of("advertiser_id").alias("advertiser_id"),
        text_of("product_id").alias("product_id"),
        type_.alias("type"),
        "lines",
        "line",
        F.when(~is_of_another_day, F.when(day.isNull(), "no_date").otherwise(reason) if days else reason).alias(
            "reason"
        ),
    )


def _union(spark: SparkSession, frames: list[DataFrame]) -> DataFrame:
    return reduce(DataFrame.unionByName, frames) if frames else spark.createDataFrame([], EVENTS)


def _without_globs(path: str) -> str:
    """Escape what Hadoop would take for a pattern."""
    return re.sub(r"([{}\[\]*?\\])", r"\\\1", path)
