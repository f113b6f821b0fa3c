"""Which types a needed column of a Parquet file may have, and how its values become text."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F

from spark_jobs.raw.parquet_footers import ParquetColumn

NANOSECONDS_PER_DAY = 86_400_000_000_000
PLAIN_TYPES = {"INT32": "int", "INT64": "bigint", "BOOLEAN": "boolean", "FLOAT": "float", "DOUBLE": "double"}
MOST_DIGITS = 38
"""Those of a decimal in Spark."""
LARGEST_EXACT = {"float": 2**24, "double": 2**53}
"""Up to these, floating-point columns hold every whole number exactly."""


@dataclass(frozen=True)
class ColumnType:
    """How to read a column: its Spark type, and how a value becomes text."""

    spark_type: str
    to_text: Callable[[Column], Column]
    is_numeric: bool = False
    """Whether the column may hold numbers that are not whole. Their text is not an id."""


def type_of(column: ParquetColumn, name: str) -> ColumnType | None:
    """Return how to read `column` as the needed column `name`, or None if its type does not fit."""
    if column.logical == "UNKNOWN":  # all of its values are null
        return ColumnType(PLAIN_TYPES.get(column.physical, "string"), _as_string)
    text = _text_type(column)
    if text or name == "type":
        return text
    return _date_type(column) if name == "date" else _id_type(column)


def _text_type(column: ParquetColumn) -> ColumnType | None:
    if column.physical == "BINARY" and column.logical in ("", "STRING", "ENUM", "JSON"):
        return ColumnType("string", _as_string)
    if column.physical == "FIXED_LEN_BYTE_ARRAY" and not column.logical:
        return ColumnType("binary", _as_string)
    return None


def _id_type(column: ParquetColumn) -> ColumnType | None:
    decimal = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", column.logical)
    if decimal and int(decimal[1]) <= MOST_DIGITS:
        return ColumnType(f"decimal({decimal[1]},{decimal[2]})", _whole_decimal, is_numeric=True)
    if column.logical == "UUID":
        return ColumnType("binary", _uuid)
    if column.physical in ("INT32", "INT64") and column.logical in ("", *_integers(True), *_integers(False)):
        is_unsigned_long = column.logical == "INTEGER(64,false)"
        is_long = column.physical == "INT64" or column.logical == "INTEGER(32,false)"
        return ColumnType("decimal(20,0)" if is_unsigned_long else "bigint" if is_long else "int", _as_string)
    if column.physical in ("FLOAT", "DOUBLE") and not column.logical:
        return ColumnType(
            column.physical.lower(), _whole_float(LARGEST_EXACT[column.physical.lower()]), is_numeric=True
        )
    return None


def _date_type(column: ParquetColumn) -> ColumnType | None:
    if column.logical == "DATE":
        return ColumnType("date", _as_string)
    if column.physical == "INT96":
        return ColumnType("timestamp", _as_string)
    found = re.fullmatch(r"TIMESTAMP\((MILLIS|MICROS|NANOS),(true|false)\)", column.logical)
    if found is None:
        return None
    if found[1] == "NANOS":
        return ColumnType("bigint", _day_of_nanoseconds)
    return ColumnType("timestamp" if found[2] == "true" else "timestamp_ntz", _as_string)


def _integers(signed: bool) -> list[str]:
    return [f"INTEGER({bits},{str(signed).lower()})" for bits in (8, 16, 32, 64)]


def _as_string(value: Column) -> Column:
    return value.cast("string")


def _uuid(value: Column) -> Column:
    return F.regexp_replace(F.lower(F.hex(value)), "^(.{8})(.{4})(.{4})(.{4})(.{12})$", "$1-$2-$3-$4-$5")


def _whole_decimal(value: Column) -> Column:
    whole = F.floor(value)
    return F.when(value == whole, whole.cast("string")).otherwise(value.cast("string"))


def _whole_float(largest: int) -> Callable[[Column], Column]:
    def to_text(value: Column) -> Column:
        is_exact = (F.abs(value) <= largest) & (value == F.floor(value))
        return F.when(is_exact, value.try_cast("bigint").cast("string")).otherwise(value.cast("string"))

    return to_text


def _day_of_nanoseconds(value: Column) -> Column:
    since_midnight = F.pmod(value, F.lit(NANOSECONDS_PER_DAY))
    days = (value - since_midnight) / F.lit(NANOSECONDS_PER_DAY)  # a whole number, far below 2**53
    return F.date_from_unix_date(days.cast("int")).cast("string")
