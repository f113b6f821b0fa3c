"""Raw lines in, the day's counted events and the rejected lines out.

Identical lines are counted before any is parsed: an events file repeats the same few lines, so parsing each distinct
line once costs a fraction of parsing the file, and a rejected line comes with how often it came.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import reduce

from pyspark.sql import Column, DataFrame, DataFrameReader, SparkSession
from pyspark.sql import functions as F

from spark_jobs.raw_files import RawFiles

# 1 to 64 printable characters: letters, marks, digits, punctuation, symbols and the plain space, but not U+FFFD, which
# stands where a file was not UTF-8.
ID = r"^[\p{L}\p{M}\p{N}\p{P}\p{S} &&[^\x{FFFD}]]{1,64}$"
DATE = r"^\d{4}-\d{2}-\d{2}(?:[T ].*)?$"
SOME_DATE = r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
EVENT_TYPES = ("impression", "click")
AS_RFC_4180 = {"quote": '"', "escape": '"', "emptyValue": ""}
A_YEAR = timedelta(days=366)
FIRST_TEN_CHARACTERS = "substring(date, 1, 10)"
LAST_TEN_BYTES = "cast(substring(cast(line as binary), -10, 10) as string)"

EVENTS = (
    "input string, file string, day date, advertiser_id string, product_id string, type string, "
    "lines bigint, line string, reason string"
)


def active_advertisers(spark: SparkSession, sources: list[RawFiles]) -> DataFrame:
    """Read the lists of active advertisers, each distinct line once: the columns of EVENTS.

    `day` is the `date=` folder's, or null where one list serves every day.
    """
    return _union(spark, [_judged(_counted(spark, source), source) for source in sources])


def events_of(spark: SparkSession, sources: list[RawFiles], days: Sequence[date]) -> DataFrame:
    """Read the events of `days`, each distinct line once: the columns of EVENTS.

    `type` is `view`, `impression` or `click`, and `lines` how often the line came. A row with a `reason` is rejected;
    the reasons are `bad_columns` (too few, too many), `bad_date`, `other_day` (than its `date=` folder),
    `bad_advertiser_id`, `bad_product_id`, `bad_type`, and `no_date`, where `day` is null: a line of a file of many
    days that holds no date belongs to no night. A row of Parquet is written as the line of CSV that it would be.
    """
    return _union(spark, [_judged(_counted(spark, source, days), source, days) for source in sources])


def daily_counts(events: DataFrame) -> DataFrame:
    """Count good events of active advertisers: (date, advertiser_id, product_id, views, impressions, clicks)."""

    def count_of(type_: str) -> Column:
        return F.sum(F.when(F.col("type") == type_, F.col("lines")).otherwise(0))

    return events.groupBy("date", "advertiser_id", "product_id").agg(
        count_of("view").alias("views"),
        count_of("impression").alias("impressions"),
        count_of("click").alias("clicks"),
    )


def _counted(spark: SparkSession, source: RawFiles, days: Sequence[date] = ()) -> DataFrame:
    """Count identical lines, and take each apart once.

    Returns (line, folder_day, lines, bad_columns) and the needed columns that the source has, as strings that are not
    null. `line` is null for all lines that concern none of `days`: they are counted, and cost no more than that.
    """
    return _counted_rows(spark, source, days) if source.is_parquet else _counted_lines(spark, source, days)


def _counted_lines(spark: SparkSession, source: RawFiles, days: Sequence[date]) -> DataFrame:
    counted = _lines_of_days(spark, source, days).groupBy("line", "folder_day").agg(F.count("*").alias("lines"))
    needed = source.needed_columns
    fields = [name if name in needed else f"_{place}" for place, name in enumerate(source.columns)]
    schema = ", ".join(f"{name} string" for name in [*fields, "_malformed"])
    as_csv = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": "_malformed", **AS_RFC_4180}
    return counted.withColumn("row", F.from_csv("line", schema, as_csv)).select(
        "line",
        "folder_day",
        "lines",
        F.col("row._malformed").isNotNull().alias("bad_columns"),
        *[F.coalesce(F.col(f"row.{name}"), F.lit("")).alias(name) for name in needed],
    )


def _counted_rows(spark: SparkSession, source: RawFiles, days: Sequence[date]) -> DataFrame:
    needed = source.needed_columns
    rows = _reader(spark, source).parquet(*map(_without_globs, source.paths))
    as_text = [F.coalesce(F.col(name).cast("string"), F.lit("")).alias(name) for name in needed]
    texts = rows.select(*as_text, _folder_day(source))
    may_concern = F.lit(True)
    if days and "date" in needed:
        is_a_date = _is_one_of(FIRST_TEN_CHARACTERS, _days_around(days)) | F.col("date").rlike(SOME_DATE)
        may_concern = _is_one_of(FIRST_TEN_CHARACTERS, days) | ~is_a_date
    row = F.when(may_concern, F.struct(*needed)).alias("row")
    counted = texts.select("folder_day", row).groupBy("folder_day", "row").agg(F.count("*").alias("lines"))
    line = F.to_csv("row", AS_RFC_4180).alias("line")
    return counted.select(line, "folder_day", "lines", F.lit(False).alias("bad_columns"), "row.*")


def _lines_of_days(spark: SparkSession, source: RawFiles, days: Sequence[date]) -> DataFrame:
    """Return (line, folder_day) of every line but headers; a line that cannot concern `days` is null.

    All lines of a `date=` folder concern its day; of other files those with the day in them, or no date.
    """
    text = _reader(spark, source).text([*map(_without_globs, source.paths)])
    lines = text.select(F.col("value").alias("line"), _folder_day(source))
    lines = lines.where(~F.col("line").isin(source.header, "\ufeff" + source.header, ""))
    if source.dated_folder is not None or not days:
        return lines
    line = F.col("line")
    names_a_day = reduce(Column.__or__, [line.contains(str(day)) for day in days])
    may_concern = names_a_day | ~line.rlike(SOME_DATE)
    if source.columns[-1] == "date":
        # Most lines of such a file end with a day of these years, and looking at ten bytes costs a fifth of searching a line.
        may_concern = _is_one_of(LAST_TEN_BYTES, days) | (~_is_one_of(LAST_TEN_BYTES, _days_around(days)) & may_concern)
    return lines.withColumn("line", F.when(may_concern, line))


def _is_one_of(text: str, days: Iterable[date]) -> Column:
    literals = ", ".join(f"'{day}'" for day in days)  # as SQL, since each literal of `isin` is a call to the JVM
    return F.expr(f"{text} in ({literals})")


def _days_around(days: Sequence[date]) -> list[date]:
    first, last = min(days) - A_YEAR, max(days) + A_YEAR
    return [first + timedelta(days=n) for n in range((last - first).days)]


def _judged(counted: DataFrame, source: RawFiles, days: Sequence[date] = ()) -> DataFrame:
    """Say of each counted line which day it is of, and what is wrong with it, if anything: the columns of EVENTS."""

    def text_of(name: str) -> Column:
        return F.col(name) if name in source.needed_columns else F.lit("")

    reason = F.when(F.col("bad_columns"), "bad_columns")
    day = F.col("folder_day")
    if "date" in source.input.columns:
        own_day = day
        if "date" in source.needed_columns:
            own_day = F.when(F.col("date").rlike(DATE), F.substring("date", 1, 10).try_cast("date"))
        asked_day_in_it = F.coalesce(*[F.when(F.col("line").contains(str(asked)), F.lit(asked)) for asked in days])
        reason = reason.when(own_day.isNull(), "bad_date").when(own_day != day, "other_day")
        day = F.coalesce(day, F.when(~F.col("bad_columns"), own_day), asked_day_in_it)
    for name in ("advertiser_id", "product_id"):
        if name in source.input.columns:
            reason = reason.when(~text_of(name).rlike(ID), f"bad_{name}")
    type_ = F.lit("view")
    if "type" in source.input.columns:
        type_ = F.col("type")
        reason = reason.when(~type_.isin(*EVENT_TYPES), "bad_type")
    if days:
        reason = F.when(day.isNull(), "no_date").otherwise(reason)
    return counted.select(
        F.lit(source.input.name).alias("input"),
        F.lit(source.origin).alias("file"),
        day.alias("day"),
        F.col("advertiser_id"),
        text_of("product_id").alias("product_id"),
        type_.alias("type"),
        "lines",
        "line",
        F.when(F.col("line").isNotNull(), reason).alias("reason"),
    )


def _reader(spark: SparkSession, source: RawFiles) -> DataFrameReader:
    return spark.read if source.dated_folder is None else spark.read.option("basePath", source.dated_folder)


def _folder_day(source: RawFiles) -> Column:
    folder_day = F.lit(None) if source.dated_folder is None else F.col("date")
    return folder_day.cast("date").alias("folder_day")


def _union(spark: SparkSession, frames: list[DataFrame]) -> DataFrame:
    return reduce(DataFrame.unionByName, frames) if frames else spark.createDataFrame([], EVENTS)


def _without_globs(path: str) -> str:
    """Escape what Hadoop would take for a pattern."""
    return re.sub(r"([{}\[\]*?\\])", r"\\\1", path)
