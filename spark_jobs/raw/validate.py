"""Validate the counted lines: decide which day each concerns, and reject it with a reason if it breaks a rule."""

from collections.abc import Sequence
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from spark_jobs.raw.lines import java_matches
from spark_jobs.raw.readers import RawFiles
from spark_jobs.raw.rows import column_type

# 1 to 64 printable characters: letters, marks, digits, punctuation, symbols and the plain space. Not U+FFFD, which the
# reader puts in place of bytes that are not UTF-8.
ID = r"\A[\p{L}\p{M}\p{N}\p{P}\p{S} &&[^\x{FFFD}]]{1,64}\z"  # `$` would also match before a last line terminator
ASCII_ID = r"\A[ -~]{1,64}\z"
FLOATING_POINT = r"-?(?:[0-9]+\.0+|[0-9]\.[0-9]+[Ee]\+?[0-9]+)"
MISSING = r"\\N|NULL|null|None|NaN|nan|undefined"
"""How tools write a value that is missing."""
WHOLE_NUMBER = r"\A-?[0-9]+\z"
DATE = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][^\n\r\x{85}\x{2028}\x{2029}]*)?\z"
EVENT_TYPES = ("impression", "click")

EVENTS = (
    "input string, file string, day date, advertiser_id string, product_id string, type string, "
    "lines bigint, fingerprint bigint, line string, reason string, note string"
)
"""`file` and `line` are null unless the row has a reason: most rows have none, and keeping their lines costs more than
reading them."""
DOUBTFUL_ID = "doubtful_id"
"""The note on an id in text such as `20459871.0` or `2.0459871E7`, as if a tool had made numbers of the ids, or `NULL`."""


def validate(counted: DataFrame, source: RawFiles, days: Sequence[date] = ()) -> DataFrame:
    """Return the columns of EVENTS for the lines that were counted.

    `type` is `view`, `impression` or `click`, `lines` says how often the line occurs, and `fingerprint` is a hash of both.
    A row with a `reason` is rejected: `bad_columns` (too few or too many), `bad_date`, `other_day` (than its `date=`
    folder), `bad_advertiser_id`, `bad_product_id`, `bad_type`, or `no_date`, with a null `day`, for a line without a date
    in a file of several days. Without `days`, `day` is that of the `date=` folder, or null. A `note` rejects nothing.
    """

    def text_of(name: str) -> Column:
        return F.col(name) if name in source.needed_columns else F.lit("")

    reason = F.when(F.col("bad_columns"), "bad_columns")
    day = F.col("folder_day")
    if "date" in source.input.columns:
        own_day = day
        if "date" in source.needed_columns:
            own_day = F.when(F.col("date").rlike(DATE), F.substring("date", 1, 10).try_cast("date"))
        requested_day_in_line = F.coalesce(*[F.when(F.col("line").contains(str(each)), F.lit(each)) for each in days])
        reason = reason.when(own_day.isNull(), "bad_date").when(own_day != day, "other_day")
        day = F.coalesce(day, F.when(~F.col("bad_columns"), own_day), requested_day_in_line)
    ids = [name for name in ("advertiser_id", "product_id") if name in source.input.columns]
    numeric = [needed[0] for needed in source.types if column_type(needed).is_numeric]
    for name in ids:
        is_valid = text_of(name).rlike(WHOLE_NUMBER) if name in numeric else is_id(text_of(name))
        reason = reason.when(~is_valid, f"bad_{name}")
    note = F.col("note")
    if in_text := [name for name in ids if name not in numeric]:
        doubtful = rf"\A(?:{FLOATING_POINT}|{MISSING})\z"
        is_doubtful = reduce(Column.__or__, [text_of(name).rlike(doubtful) for name in in_text])
        note = F.coalesce(note, F.when(is_doubtful, DOUBTFUL_ID))
    type_ = F.lit("view")
    if "type" in source.input.columns:
        type_ = F.col("type")
        reason = reason.when(~type_.isin(*EVENT_TYPES), "bad_type")
    if days:
        reason = F.when(day.isNull(), "no_date").otherwise(reason)
    validated = counted.select(
        F.lit(source.input.name).alias("input"),
        F.lit(source.origin).alias("file"),
        day.alias("day"),
        F.col("advertiser_id"),
        text_of("product_id").alias("product_id"),
        type_.alias("type"),
        "lines",
        F.xxhash64("line", "lines").alias("fingerprint"),
        "line",
        F.when(F.col("line").isNotNull(), reason).alias("reason"),
        note.alias("note"),
    )
    return validated.withColumns({name: F.when(F.col("reason").isNotNull(), F.col(name)) for name in ("file", "line")})


def is_id(text: Column) -> Column:
    """Return whether a text is a valid id. Most are ASCII, where native code says so; Java judges the others."""
    return F.when(text.rlike(ASCII_ID), True).otherwise(java_matches(text, ID))
