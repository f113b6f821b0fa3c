"""Raw events as Parquet: counted like CSV, rejected like CSV, and refused in one sentence where they will not do."""

from datetime import date

import duckdb
import pytest

from spark_jobs.prepare import rejects
from spark_jobs.raw_events import locate, read_raw
from spark_jobs.raw_files import InputError
from spark_jobs.storage import Unreadable
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
    """A function that puts product views of the given query in the place of the CSV."""

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


@pytest.mark.parametrize(
    "written",
    [
        f"date '{DAY}'",
        f"'{DAY}'",
        f"timestamp '{DAY} 23:59:59'",
        f"timestamptz '{DAY} 23:59:59+00'",
        f"'{DAY}T08:00:00Z'",
    ],
)
def test_a_day_counts_whatever_type_its_column_has(views_as_parquet, counted, written):
    views_as_parquet(f"select 'a' as advertiser_id, 'p' as product_id, {written} as date from range(3)")

    assert counted() == {("a", "p"): (3, 0, 0)}


def test_ids_that_are_numbers_count_as_their_digits(views_as_parquet, counted):
    views_as_parquet(f"select 7 as advertiser_id, 42 as product_id, date '{DAY}' as date")

    assert counted() == {("7", "42"): (1, 0, 0)}


def test_all_three_inputs_may_be_parquet(put_parquet, counted):
    put_parquet("advertiser_ids.parquet", "select 'a' as advertiser_id")
    put_parquet("product_views.parquet", f"select {VIEW}")
    put_parquet("ads_views.parquet", f"select {VIEW}, unnest(['impression', 'impression', 'click']) as type")

    assert counted() == {("a", "p"): (1, 2, 1)}


def test_rows_of_other_days_are_read_and_left_out(views_as_parquet, read, counted):
    views_as_parquet(f"select {VIEW} union all select 'a', 'p', date '2026-11-19' from range(9)")

    assert counted() == {("a", "p"): (1, 0, 0)}
    assert sum(row.lines for row in read().tallies if row.input == "product_views") == 10


def test_a_folder_may_hold_both_parquet_and_csv(raw, views_as_parquet, counted):
    views_as_parquet(f"select {VIEW}", "product_views/one.snappy.parquet")
    raw.put("product_views/other.csv", f"advertiser_id,product_id,date\na,p,{DAY}\n")

    assert counted() == {("a", "p"): (2, 0, 0)}


def test_a_date_folder_gives_its_rows_their_day(views_as_parquet, counted):
    views_as_parquet(
        "select 'a' as advertiser_id, 'p' as product_id from range(2)", f"product_views/date={DAY}/part.parquet"
    )

    assert counted() == {("a", "p"): (2, 0, 0)}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"null as advertiser_id, 'p' as product_id, '{DAY}' as date", "bad_advertiser_id"),
        (f"'a' as advertiser_id, '' as product_id, '{DAY}' as date", "bad_product_id"),
        ("'a' as advertiser_id, 'p' as product_id, null as date", "no_date"),
        ("'a' as advertiser_id, 'p' as product_id, '20.11.2026' as date", "no_date"),
    ],
)
def test_a_row_is_rejected_as_its_line_of_csv_would_be(views_as_parquet, read, row, reason):
    views_as_parquet(f"select {row}")

    assert read().lines_of(ON)["product_views", reason] == 1


def test_a_rejected_row_is_kept_as_a_line_of_csv(views_as_parquet, read):
    views_as_parquet(f"select 'a, or \"b\"' as advertiser_id, '' as product_id, date '{DAY}' as date")

    [row] = rejects(read(), [ON]).collect()
    assert row.line == f'"a, or ""b""",,{DAY}'


def test_a_schema_without_a_needed_column_is_named(raw, views_as_parquet, read):
    views_as_parquet(f"select 'a' as advertiser_id, date '{DAY}' as date")

    with pytest.raises(
        InputError, match=r"product_views\.parquet has no column 'product_id'; its schema is: .*advertiser_id"
    ):
        read()


def test_a_date_column_that_the_folder_would_hide_is_refused(views_as_parquet, read):
    views_as_parquet(f"select {VIEW}", f"product_views/date={DAY}/part.parquet")

    with pytest.raises(InputError, match="has a column 'date' and is in a date= folder"):
        read()


def test_a_column_of_lists_is_refused(views_as_parquet, read):
    views_as_parquet(f"select ['a'] as advertiser_id, 'p' as product_id, date '{DAY}' as date")

    with pytest.raises(InputError, match="holds more than one value in a row of column 'advertiser_id'"):
        read()


def test_a_file_that_is_no_parquet_is_named(raw, views_as_parquet, read):
    views_as_parquet(f"select {VIEW}")
    raw.put("product_views.parquet", "advertiser_id,product_id,date\n")

    with pytest.raises(Unreadable, match=r"product_views\.parquet cannot be read: .*not a Parquet file"):
        read()
