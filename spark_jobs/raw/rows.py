"""Read the needed columns of Parquet files, and write each row as the line of CSV that it would be."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_jobs.raw.lines import RFC_4180, SOME_DATE, days_around, is_one_of
from spark_jobs.raw.parquet_footers import ParquetColumn
from spark_jobs.raw.parquet_types import ColumnType, type_of
from spark_jobs.raw.readers import RawFiles

FIRST_TEN_CHARACTERS = "substring(date, 1, 10)"
AS_WRITTEN = {"datetimeRebaseMode": "CORRECTED", "int96RebaseMode": "CORRECTED"}


def count_rows(spark: SparkSession, source: RawFiles, days: Sequence[date] = ()) -> DataFrame:
    """Count identical rows: the columns that `count_lines` returns for CSV."""
    needed = source.needed_columns
    schema = ", ".join(f"{_quoted(each[1])} {column_type(each).spark_type}" for each in source.types)
    rows = source.load(source.reader(spark).options(**AS_WRITTEN).schema(schema), "parquet")
    texts = rows.select(*map(_as_text, source.types), source.folder_day)
    may_concern = F.lit(True)
    if days and "date" in needed:
        is_a_date = is_one_of(FIRST_TEN_CHARACTERS, days_around(days)) | F.col("date").rlike(SOME_DATE)
        may_concern = is_one_of(FIRST_TEN_CHARACTERS, days) | ~is_a_date
    kept = [F.when(may_concern, F.col(name)).alias(name) for name in needed]
    counted = source.count_by(texts.select("folder_day", *kept), *needed)
    line = F.when(F.col(needed[0]).isNotNull(), F.to_csv(F.struct(*needed), RFC_4180)).alias("line")
    of_lines = [F.lit(False).alias("bad_columns"), F.lit(None).cast("string").alias("note")]
    return counted.select(line, "folder_day", "lines", *of_lines, *needed)


def column_type(needed: tuple[str, str, str]) -> ColumnType:
    """Return how to read a column of RawFiles.types."""
    name, stored, written = needed
    physical, _, logical = written.partition(" ")
    found = type_of(ParquetColumn(stored, physical, logical), name)
    assert found is not None  # noqa: S101  # readers.py refused the others
    return found


def _as_text(needed: tuple[str, str, str]) -> Column:
    text = column_type(needed).to_text(F.col(_quoted(needed[1])))
    return F.coalesce(text, F.lit("")).alias(needed[0])


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
