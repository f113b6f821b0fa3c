"""Read the lines of CSV files.

Identical lines are counted before they are parsed. An events file repeats the same few lines, so parsing each distinct
line once costs a fraction of parsing the file.
"""

from codecs import BOM_UTF8
from collections.abc import Sequence
from datetime import date, timedelta
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.raw.readers import RawFiles
from spark_jobs.raw.records import OPENS_QUOTE

RFC_4180 = {"quote": '"', "escape": '"', "emptyValue": ""}
SOME_DATE = r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
FIELD = r'(?:[^",]|"[^"]*+")*+'
"""A field with or without quotes, unless it has a stray one. Java and Comet's Rust understand it alike."""
PLAIN_FIELD = r"[ !#-+\--~]*"
"""Printable ASCII without quotes and commas."""
A_YEAR = timedelta(days=366)
OPEN_QUOTE, NEEDS_SPARK = "open_quote", "needs_spark"
"""Notes on lines: a line ends inside quotes; Comet read a line that Spark reads otherwise."""
OPEN_QUOTE_OF_OTHER_DAYS = "\0open quote"
"""Stands for the lines that end inside quotes and do not concern the requested days."""
CARRIAGE_RETURN = "\0CR"
"""Stands for the lines that have a CR in them, where Comet, unlike Spark, does not end a line."""
WHOLE_LINES = {"sep": "\x01", "quote": "\n", "escape": "\x02"}
"""Options with which Comet's CSV scan returns whole lines. A line with the byte 0x01 makes the scan fail. A quote would join
lines, but LF always ends one."""
LAST_TEN_BYTES = "cast(substring(cast(line as binary), -10, 10) as string)"
"""Bytes, because finding the last ten characters of a line means counting all of them."""


def count_lines(spark: SparkSession, source: RawFiles, days: Sequence[date] = ()) -> DataFrame:
    """Count identical lines, and parse each distinct line once.

    Returns (line, folder_day, lines, bad_columns, note) and the needed columns that the files have, as strings without
    nulls. `note` is OPEN_QUOTE, NEEDS_SPARK or null. All lines that do not concern `days` become one row, whose `line` is
    null.
    """
    counted = source.count_by(_lines_of_days(spark, source, days), "line")
    line = F.col("line")
    header = source.header.encode(errors="surrogateescape")
    is_record = line.isNull() | ~line.isin(_bytes(header), _bytes(BOM_UTF8 + header), "")
    # `lines` is never below 1. Without it, Spark would compare every line before counting.
    counted = counted.where(is_record | (F.col("lines") < 1))
    is_open = (line == OPEN_QUOTE_OF_OTHER_DAYS) | opens_quote(line)
    note = F.when(line == CARRIAGE_RETURN, NEEDS_SPARK).when(is_open, OPEN_QUOTE)
    is_marked = line.isin(OPEN_QUOTE_OF_OTHER_DAYS, CARRIAGE_RETURN)
    text = line if source.by_comet else F.make_valid_utf8(line)  # Comet fails where there are bytes that are not UTF-8
    counted = counted.withColumns({"note": note, "line": F.when(~is_marked, text)})
    needed = source.needed_columns
    fields = [name if name in needed else f"_{place}" for place, name in enumerate(source.columns)]
    schema = ", ".join(f"{name} string" for name in [*fields, "_malformed"])
    as_csv = {"mode": "PERMISSIVE", "columnNameOfCorruptRecord": "_malformed", **RFC_4180}
    # Most lines are plain: cutting them at their commas is cheap, and as exact.
    is_plain = F.col("line").rlike(rf"\A{','.join([PLAIN_FIELD] * len(fields))}\z")
    parsed = counted.withColumn("is_plain", is_plain).withColumn(
        "row", F.from_csv(F.when(~F.col("is_plain"), F.col("line")), schema, as_csv)
    )

    def field(name: str) -> Column:
        upto = F.substring_index("line", ",", fields.index(name) + 1)
        of_csv = F.coalesce(F.col(f"row.{name}"), F.lit(""))
        return F.when(F.col("is_plain"), F.substring_index(upto, ",", -1)).otherwise(of_csv).alias(name)

    return parsed.select(
        "line",
        "folder_day",
        "lines",
        F.col("row._malformed").isNotNull().alias("bad_columns"),
        "note",
        *map(field, needed),
    )


def opens_quote(line: Column) -> Column:
    """Return whether a line ends inside quotes, so that its record may go on in the next line."""
    return line.contains('"') & java_matches(line, OPENS_QUOTE)


def java_matches(text: Column, pattern: str) -> Column:
    """Return whether a text contains a pattern by the rules of Java.

    Comet runs `rlike` in Rust, so that is for patterns that mean the same in both: ASCII, and no character class by name.
    """
    return F.regexp_instr(text, F.lit(pattern)) > 0


def _lines_of_days(spark: SparkSession, source: RawFiles, days: Sequence[date]) -> DataFrame:
    """Return (line, folder_day) of every line, including headers and empty lines.

    In a `date=` folder every line concerns the folder's day. Elsewhere a line concerns `days` if it contains one of them,
    or has no date where its date should be. The other lines become null, or OPEN_QUOTE_OF_OTHER_DAYS if their records may
    go on.
    """
    line = F.col("line")
    cases: list[tuple[Column, Any]] = [(line.contains("\r"), CARRIAGE_RETURN)] if source.by_comet else []
    otherwise = line
    if source.dated_folder is None and days:
        otherwise = F.when(opens_quote(line), OPEN_QUOTE_OF_OTHER_DAYS)
        may_concern = reduce(Column.__or__, [line.contains(str(day)) for day in days]) | ~_has_date(line, source)
        if source.columns[-1] == "date":
            # Most lines of such a file end with a day of these years. Comparing the end costs a fifth of searching a line.
            cases.append((reduce(Column.__or__, [line.endswith(str(day)) for day in days]), line))
            may_concern = ~is_one_of(LAST_TEN_BYTES, days_around(days)) & may_concern
        cases.append((may_concern, line))
    kept = reduce(lambda when, case: when.when(*case), cases, F).otherwise(otherwise) if cases else line
    return _read_lines(spark, source).withColumn("line", kept)


def _has_date(line: Column, source: RawFiles) -> Column:
    """Return whether the field `date` contains a date; or, in a line with too few or too many fields, any field."""
    before, others = source.columns.index("date"), len(source.columns) - 1
    possessive = "" if source.by_comet else "+"  # Java's stack would overflow at 1,500 columns; Rust's does not grow
    is_whole = line.rlike(rf"\A{FIELD}(?:,{FIELD}){{{others}}}{possessive}\z")
    has_own = line.rlike(rf'\A(?:{FIELD},){{{before}}}{possessive}"?[^",]*{SOME_DATE}')
    return has_own | (line.rlike(SOME_DATE) & ~is_whole)


def _read_lines(spark: SparkSession, source: RawFiles) -> DataFrame:
    """Return (line, folder_day) of every line, without its end."""
    if source.by_comet:
        lines = source.load(source.reader(spark).options(**WHOLE_LINES).schema("line string"), "csv")
        if "CometCsvNativeScan" in lines._jdf.queryExecution().executedPlan().toString():
            line = F.expr(r"trim(trailing '\r' from line)") if source.has_crlf else F.col("line")
            return lines.select(line.alias("line"), source.folder_day)
        # Comet could not start, for example because its library does not run on this machine.
    return source.load(source.reader(spark), "text").select(F.col("value").alias("line"), source.folder_day)


def _bytes(text: bytes) -> Column:
    """Return a literal that may hold bytes that are not UTF-8."""
    return F.expr(f"cast(X'{text.hex()}' as string)")


def is_one_of(text: str, days: Sequence[date]) -> Column:
    """Return whether an SQL expression is one of the days."""
    literals = ", ".join(f"'{day}'" for day in days)  # SQL, because `isin` calls the JVM once for each literal
    return F.expr(f"{text} in ({literals})")


def days_around(days: Sequence[date]) -> list[date]:
    """Return the days from a year before the first to a year after the last."""
    first, last = min(days) - A_YEAR, max(days) + A_YEAR
    return [first + timedelta(days=n) for n in range((last - first).days)]
