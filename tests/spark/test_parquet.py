"""Parquet files are counted, rejected and refused like CSV files."""

from datetime import date

import duckdb
import pytest

from spark_jobs.counts import rejects_of_runs
from spark_jobs.file_system import Unreadable
from spark_jobs.raw.events import read_raw
from spark_jobs.raw.inputs import InputError
from spark_jobs.raw.listing import locate
from spark_jobs.raw.parquet_footers import ParquetColumn
from spark_jobs.raw.parquet_types import type_of
from tests.conftest import DAY

ON = date.fromisoformat(DAY)
VIEW = f"'a' as advertiser_id, 'p' as product_id, date '{DAY}' as date"


@pytest.fixture
def put_parquet(raw):
    """A function that writes the rows of an SQL query as one Parquet file in the raw folder."""

    def put(name, query):
        path = raw.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with duckdb.connect() as database:
            database.execute(f"copy ({query}) to '{path}' (format parquet)")

    return put


@pytest.fixture
def views_as_parquet(raw, put_parquet):
    """A function that replaces the CSV file of product views with the rows of an SQL query."""

    def put(query, name="product_views.parquet"):
        raw.fill(active=["a", "7"])
        (raw.folder / "product_views.csv").unlink()
        put_parquet(name, query)

    return put


@pytest.fixture
def read(spark, raw):
    return lambda: read_raw(spark, locate(spark, raw.uri, [ON]), [ON])


@pytest.fixture
def counted(read, counts_in_lake):
    """A function that returns the day's counts as {(advertiser, product): (views, impressions, clicks)}."""
    return lambda: counts_in_lake(read(), ON)


def test_numeric_ids_count_as_their_digits(views_as_parquet, counted):
    views_as_parquet(f"select 7 as advertiser_id, 42 as product_id, date '{DAY}' as date")

    assert counted() == {("7", "42"): (1, 0, 0)}


def test_all_three_inputs_may_be_parquet(put_parquet, counted):
    put_parquet("advertiser_ids.parquet", "select 'a' as advertiser_id")
    put_parquet("product_views.parquet", f"select {VIEW}")
    put_parquet("ads_views.parquet", f"select {VIEW}, unnest(['impression', 'impression', 'click']) as type")

    assert counted() == {("a", "p"): (1, 2, 1)}


def test_rows_of_other_days_are_read_but_not_counted(views_as_parquet, read, counted):
    views_as_parquet(f"select {VIEW} union all select 'a', 'p', date '2026-11-19' from range(9)")

    assert counted() == {("a", "p"): (1, 0, 0)}
    assert sum(row.lines for row in read().tallies if row.input == "product_views") == 10


def test_a_folder_may_hold_both_parquet_and_csv(raw, views_as_parquet, counted):
    views_as_parquet(f"select {VIEW}", "product_views/one.snappy.parquet")
    raw.put("product_views/other.csv", f"advertiser_id,product_id,date\na,p,{DAY}\n")

    assert counted() == {("a", "p"): (2, 0, 0)}


def test_rows_have_the_day_of_their_date_folder(views_as_parquet, counted):
    views_as_parquet(
        "select 'a' as advertiser_id, 'p' as product_id from range(2)", f"product_views/date={DAY}/part.parquet"
    )

    assert counted() == {("a", "p"): (2, 0, 0)}


def test_rows_are_rejected_like_lines_of_csv(views_as_parquet, read):
    views_as_parquet(
        f"select * from (values (null, 'p', '{DAY}'), ('a', '', '{DAY}'), ('a', 'p', null), ('a', 'p', '20.11.2026'))"
        " as rows(advertiser_id, product_id, date)"
    )
    rejected = {reason: lines for (_, reason), lines in read().lines_of(ON).items() if reason}

    assert rejected == {"bad_advertiser_id": 1, "bad_product_id": 1, "no_date": 2}


def test_a_rejected_row_is_written_as_a_line_of_csv(views_as_parquet, read):
    views_as_parquet(f"select 'a, or \"b\"' as advertiser_id, '' as product_id, date '{DAY}' as date")

    [row] = rejects_of_runs(read(), {ON: 1}).collect()
    assert row.line == f'"a, or ""b""",,{DAY}'


def test_a_file_without_a_needed_column_is_named_with_its_schema(raw, views_as_parquet, read):
    views_as_parquet(f"select 'a' as advertiser_id, date '{DAY}' as date")

    with pytest.raises(
        InputError, match=r"product_views\.parquet has no column 'product_id'; its schema is: .*advertiser_id"
    ):
        read()


def test_a_date_column_in_a_date_folder_is_refused(views_as_parquet, read):
    views_as_parquet(f"select {VIEW}", f"product_views/date={DAY}/part.parquet")

    with pytest.raises(InputError, match="is in a date= folder and also has a column 'date'"):
        read()


def test_a_column_of_lists_is_refused(views_as_parquet, read):
    views_as_parquet(f"select ['a'] as advertiser_id, 'p' as product_id, date '{DAY}' as date")

    with pytest.raises(InputError, match="has a column 'advertiser_id' with more than one value in a row"):
        read()


def test_a_decimal_with_more_digits_than_spark_can_read_has_no_type_for_an_id():
    types = [type_of(ParquetColumn("id", "FIXED_LEN_BYTE_ARRAY", f"DECIMAL({n},2)"), "product_id") for n in (38, 39)]

    assert [type_ is None for type_ in types] == [False, True]


def test_a_damaged_file_is_named(raw, views_as_parquet, read):
    views_as_parquet(f"select {VIEW}")
    raw.put("product_views.parquet", (raw.folder / "product_views.parquet").read_bytes()[:-4])

    with pytest.raises(Unreadable, match=r"product_views\.parquet cannot be read: .*not a Parquet file"):
        read()
