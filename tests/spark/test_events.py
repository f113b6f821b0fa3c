"""What counts as an event, in every form a raw file comes in, and why a row is rejected."""

from datetime import date

import pytest

from spark_jobs.raw_events import locate, read_raw
from tests.conftest import ADS, DAY, VIEWS

ON = date.fromisoformat(DAY)


def read(spark, uri, day):
    return read_raw(spark, locate(spark, uri, [day]), [day])


@pytest.fixture
def counted(spark, raw, counts_in_lake):
    """A function that returns the day's counts as {(advertiser, product): (views, impressions, clicks)}."""
    return lambda day=ON: counts_in_lake(read(spark, raw.uri, day), day)


@pytest.fixture
def rejected(spark, raw):
    """A function that returns why rows were rejected: {(input, reason): lines}."""

    def why():
        lines = read(spark, raw.uri, ON).lines_of(ON)
        return {key: count for key, count in lines.items() if key[1] is not None}

    return why


def test_events_are_counted_by_kind(raw, counted):
    raw.fill(
        views=[("a", "p", DAY)] * 3,
        ads=[("a", "p", "impression", DAY)] * 5 + [("a", "p", "click", DAY)] * 2,
    )

    assert counted() == {("a", "p"): (3, 5, 2)}


def test_other_days_and_inactive_advertisers_are_left_out(raw, counted):
    raw.fill(views=[("a", "p", DAY), ("a", "p", "2026-11-19"), ("idle", "p", DAY)])

    assert counted() == {("a", "p"): (1, 0, 0)}


def test_another_day_in_the_id_of_a_product_is_no_event_of_that_day(raw, counted):
    raw.fill(views=[("a", DAY, "2026-11-19")])

    assert counted() == {}


@pytest.mark.parametrize("ending", [" 2026-1-1", "x2026-11-19", "1999-01-01", "2026-02-30", "2026-11-1"])
def test_a_line_that_ends_like_a_date_and_names_the_day_is_looked_at_as_a_whole(raw, counted, ending):
    raw.fill().put("product_views.csv", f"advertiser_id,product_id,date,date_of_order\na,p,{DAY},{ending}\n")

    assert counted() == {("a", "p"): (1, 0, 0)}


@pytest.mark.parametrize("written", ["2026-1-1", "19.11.2026", " 2026-1-1 "])
def test_what_is_no_date_at_the_end_of_a_line_is_rejected_whatever_it_looks_like(raw, rejected, written):
    raw.fill(views=[("a", "p", written)])

    assert rejected() == {("product_views", "no_date"): 1}


def test_columns_are_found_by_name_in_any_order_and_extra_ones_ignored(raw, counted):
    raw.fill().put("product_views.csv", f"referrer,date,product_id,advertiser_id\nx,{DAY},p,a\n")

    assert counted() == {("a", "p"): (1, 0, 0)}


def test_each_file_of_a_folder_is_read_by_its_own_header(raw, counted):
    raw.fill()
    (raw.folder / "product_views.csv").unlink()
    raw.put("product_views/one.csv", f"{VIEWS}a,p,{DAY}\n")
    raw.put("product_views/two.csv", f"date,product_id,advertiser_id\n{DAY},p,a\n")

    assert counted() == {("a", "p"): (2, 0, 0)}


def test_a_plain_name_without_ending_is_a_file_too(raw, counted):
    raw.fill(views=[("a", "p", DAY)])
    (raw.folder / "advertiser_ids.csv").rename(raw.folder / "advertiser_ids")

    assert counted() == {("a", "p"): (1, 0, 0)}


def test_gzip_is_unpacked(raw, counted):
    raw.fill()
    (raw.folder / "product_views.csv").unlink()
    raw.put("product_views.csv.gz", f"{VIEWS}a,p,{DAY}\n")

    assert counted() == {("a", "p"): (1, 0, 0)}


def test_only_the_asked_date_folder_is_read(raw, counted):
    raw.fill()
    (raw.folder / "product_views.csv").unlink()
    raw.put(f"product_views/date={DAY}/part.csv", f"{VIEWS}a,p,{DAY}\n")
    raw.put("product_views/date=2026-11-19/part.csv.gz", "no header that would do\n")

    assert counted() == {("a", "p"): (1, 0, 0)}


def test_a_date_folder_stands_for_a_date_column_that_is_not_there(raw, counted):
    raw.fill()
    (raw.folder / "product_views.csv").unlink()
    raw.put(f"product_views/date={DAY}/part.csv", "advertiser_id,product_id\na,p\n")

    assert counted() == {("a", "p"): (1, 0, 0)}


def test_a_row_of_another_day_in_a_date_folder_is_rejected(raw, rejected):
    raw.fill()
    (raw.folder / "product_views.csv").unlink()
    raw.put(f"product_views/date={DAY}/part.csv", f"{VIEWS}a,p,2026-11-19\n")

    assert rejected() == {("product_views", "other_day"): 1}


def test_each_day_may_have_its_own_list_of_active_advertisers(raw, counted):
    raw.fill(views=[("a", "p", DAY), ("b", "p", DAY)])
    (raw.folder / "advertiser_ids.csv").unlink()
    raw.put(f"advertiser_ids/date={DAY}/ids.csv", "advertiser_id\nb\n")
    raw.put("advertiser_ids/date=2026-11-19/ids.csv", "advertiser_id\na\n")

    assert counted() == {("b", "p"): (1, 0, 0)}


def test_quotes_crlf_and_a_byte_order_mark_are_read_as_rfc_4180_says(raw, counted):
    raw.fill(active=['"a, ""the"" one"'])
    raw.put("product_views.csv", f'\ufeffadvertiser_id,product_id,date\r\n"a, ""the"" one","p",{DAY}\r\n')

    assert counted() == {('a, "the" one', "p"): (1, 0, 0)}


@pytest.mark.parametrize("moment", [f"{DAY}T23:59:59Z", f"{DAY} 00:00:00", f"{DAY}T10:00:00.123+02:00"])
def test_a_timestamp_counts_for_the_day_it_begins_with(raw, counted, moment):
    raw.fill(views=[("a", "p", moment)])

    assert counted() == {("a", "p"): (1, 0, 0)}


def test_a_header_repeated_inside_a_file_is_not_a_row(raw, counted, rejected):
    raw.fill().put("product_views.csv", f"{VIEWS}a,p,{DAY}\n{VIEWS}a,p,{DAY}\n")

    assert counted() == {("a", "p"): (2, 0, 0)}
    assert rejected() == {}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"a,{DAY}", "bad_columns"),
        (f"a,p,{DAY},more", "bad_columns"),
        (f'a,"p,{DAY}', "bad_columns"),
        (f",p,{DAY}", "bad_advertiser_id"),
        (f"a\x00,p,{DAY}", "bad_advertiser_id"),
        (f"a,,{DAY}", "bad_product_id"),
        (f"a,{'p' * 65},{DAY}", "bad_product_id"),
        (f"a,p\u200bq,{DAY}", "bad_product_id"),
        (f"a,p,{DAY}x", "bad_date"),
        (f"a,p,on {DAY}", "bad_date"),
        ("a,p,2026/11/20", "no_date"),
        ("a,p,2026-13-20", "no_date"),
        ("a,p,", "no_date"),
        ("complete nonsense", "no_date"),
    ],
)
def test_a_broken_row_is_rejected_with_its_reason_and_count(raw, rejected, row, reason):
    raw.fill().put("product_views.csv", VIEWS + f"{row}\n" * 3)

    assert rejected() == {("product_views", reason): 3}


def test_bytes_that_are_not_utf8_are_rejected(raw, rejected):
    raw.fill().put("product_views.csv", VIEWS.encode() + b"a,p\xff," + DAY.encode() + b"\n")

    assert rejected() == {("product_views", "bad_product_id"): 1}


@pytest.mark.parametrize("type_", ["hover", "Click", ""])
def test_an_event_of_unknown_type_is_rejected(raw, rejected, type_):
    raw.fill().put("ads_views.csv", f"{ADS}a,p,{type_},{DAY}\n")

    assert rejected() == {("ads_views", "bad_type"): 1}


def test_a_broken_id_in_the_list_of_advertisers_is_rejected(raw, rejected):
    raw.fill(active=["a", "x" * 65])

    assert rejected() == {("advertiser_ids", "bad_advertiser_id"): 1}


def test_a_64_character_id_of_any_script_is_good(raw, counted):
    product = "é" * 32 + "漢" * 31 + "😀"
    raw.fill(views=[("a", product, DAY)])

    assert counted() == {("a", product): (1, 0, 0)}


def test_rejected_lines_are_kept_in_the_lake_with_reason_and_count(spark, raw, counted, tmp_path):
    raw.fill(ads=[("a", "p", "hover", DAY)] * 2)
    counted()

    [row] = spark.read.json((tmp_path / "lake/rejects").as_uri()).collect()
    assert (row.input, row.reason, row.lines, row.line) == ("ads_views", "bad_type", 2, f"a,p,hover,{DAY}")
