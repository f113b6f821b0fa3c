"""Which lines of CSV files count as events, and why the others are rejected."""

from datetime import date

import pytest

from spark_jobs.raw.events import read_raw
from spark_jobs.raw.listing import locate
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


def test_a_plain_line_is_cut_as_the_csv_parser_would(spark, raw):
    fields = ["a", "p", " a", "p ", " ", "", "a b", "'", "\\", "a\\", "#a", "=1+2", "~", "-1.0"]
    lines = [f"{advertiser},{product},{DAY}" for advertiser in fields for product in fields]

    def read_with(last_column):
        rows = "".join(f"{line},{last_column}\n" for line in lines)
        raw.fill().put("product_views.csv", f"advertiser_id,product_id,date,title\n{rows}")
        events = read(spark, raw.uri, ON).events.where("input = 'product_views'")
        return sorted(events.select("advertiser_id", "product_id", "day", "lines", "reason", "note").collect())

    plain, quoted = read_with("x"), read_with('"x"')

    assert len(plain) == len(lines)
    assert plain == quoted


def test_other_days_and_inactive_advertisers_do_not_count(raw, counted):
    raw.fill(views=[("a", "p", DAY), ("a", "p", "2026-11-19"), ("idle", "p", DAY)])

    assert counted() == {("a", "p"): (1, 0, 0)}


def test_a_date_in_a_product_id_is_not_the_day_of_the_event(raw, counted):
    raw.fill(views=[("a", DAY, "2026-11-19")])

    assert counted() == {}


def test_the_day_is_found_in_a_line_that_ends_with_another_date(raw, counted):
    endings = [" 2026-1-1", "x2026-11-19", "1999-01-01", "2026-02-30", "2026-11-1"]
    rows = "".join(f"a,before {ending},{DAY},{ending}\n" for ending in endings)
    raw.fill().put("product_views.csv", f"advertiser_id,product_id,date,date_of_order\n{rows}")

    assert counted() == {("a", f"before {ending}"): (1, 0, 0) for ending in endings}


def test_a_malformed_date_at_the_end_of_a_line_is_rejected(raw, rejected):
    raw.fill(views=[("a", "p", written) for written in ("2026-1-1", "19.11.2026", " 2026-1-1 ")])

    assert rejected() == {("product_views", "no_date"): 3}


def test_each_file_of_a_folder_has_its_own_header(raw, counted):
    raw.fill()
    (raw.folder / "product_views.csv").unlink()
    raw.put("product_views/one.csv", f"{VIEWS}a,p,{DAY}\n")
    raw.put("product_views/two.csv", f"date,product_id,advertiser_id\n{DAY},p,a\n")

    assert counted() == {("a", "p"): (2, 0, 0)}


def test_a_file_needs_no_extension(raw, counted):
    raw.fill(views=[("a", "p", DAY)])
    (raw.folder / "advertiser_ids.csv").rename(raw.folder / "advertiser_ids")

    assert counted() == {("a", "p"): (1, 0, 0)}


def test_only_the_date_folder_of_the_requested_day_is_read(raw, counted):
    raw.fill()
    (raw.folder / "product_views.csv").unlink()
    raw.put(f"product_views/date={DAY}/part.csv", f"{VIEWS}a,p,{DAY}\n")
    raw.put("product_views/date=2026-11-19/part.csv.gz", "not a valid header\n")

    assert counted() == {("a", "p"): (1, 0, 0)}


def test_each_day_may_have_its_own_list_of_active_advertisers(raw, counted):
    raw.fill(views=[("a", "p", DAY), ("b", "p", DAY)])
    (raw.folder / "advertiser_ids.csv").unlink()
    raw.put(f"advertiser_ids/date={DAY}/ids.csv", "advertiser_id\nb\n")
    raw.put("advertiser_ids/date=2026-11-19/ids.csv", "advertiser_id\na\n")

    assert counted() == {("b", "p"): (1, 0, 0)}


def test_quotes_crlf_and_a_byte_order_mark_follow_rfc_4180(raw, counted):
    raw.fill(active=['"a, ""the"" one"'])
    raw.put("product_views.csv", f'\ufeffadvertiser_id,product_id,date\r\n"a, ""the"" one","p",{DAY}\r\n')

    assert counted() == {('a, "the" one', "p"): (1, 0, 0)}


def test_a_timestamp_counts_for_the_day_that_it_begins_with(raw, counted):
    raw.fill(views=[("a", "p", f"{DAY}{time}") for time in ("T23:59:59Z", " 00:00:00", "T10:00:00.123+02:00")])

    assert counted() == {("a", "p"): (3, 0, 0)}


def test_a_header_that_is_repeated_in_a_file_is_not_a_row(raw, counted, rejected):
    raw.fill().put("product_views.csv", f"{VIEWS}a,p,{DAY}\n{VIEWS}a,p,{DAY}\n")

    assert counted() == {("a", "p"): (2, 0, 0)}
    assert rejected() == {}


def test_a_broken_row_is_rejected_with_its_reason_and_count(spark, raw):
    broken = {
        f"a,{DAY}": "bad_columns",
        f"a,p,{DAY},more": "bad_columns",
        f",p,{DAY}": "bad_advertiser_id",
        f"a\x00,p,{DAY}": "bad_advertiser_id",
        f"a,,{DAY}": "bad_product_id",
        f"a,{'p' * 65},{DAY}": "bad_product_id",
        f"a,p\u200bq,{DAY}": "bad_product_id",
        f"a,p,{DAY}x": "bad_date",
        f"a,p,on {DAY}": "bad_date",
        "a,p,2026/11/20": "no_date",
        "a,p,2026-13-20": "no_date",
        "a,p,": "no_date",
        "nonsense": "no_date",
    }
    raw.fill().put("product_views.csv", VIEWS + "".join(f"{row}\n" * 3 for row in broken))
    rows = read(spark, raw.uri, ON).events.where("input = 'product_views' and line is not null").collect()

    assert {row.line: (row.reason, row.lines) for row in rows} == {row: (reason, 3) for row, reason in broken.items()}


def test_a_row_with_an_open_quote_is_rejected_with_its_count(raw, rejected):
    raw.fill().put("product_views.csv", VIEWS + f'a,"p,{DAY}\n' * 3)

    assert rejected() == {("product_views", "bad_columns"): 3}


def test_an_event_of_unknown_type_is_rejected(raw, rejected):
    raw.fill().put("ads_views.csv", ADS + "".join(f"a,p,{type_},{DAY}\n" for type_ in ("hover", "Click", "")))

    assert rejected() == {("ads_views", "bad_type"): 3}


def test_a_broken_id_in_the_list_of_advertisers_is_rejected(raw, rejected):
    raw.fill(active=["a", "x" * 65])

    assert rejected() == {("advertiser_ids", "bad_advertiser_id"): 1}


def test_rejected_lines_are_written_to_the_lake_with_reason_and_count(spark, raw, counted, tmp_path):
    raw.fill(ads=[("a", "p", "hover", DAY)] * 2)
    counted()

    [row] = spark.read.json((tmp_path / "lake/rejects").as_uri()).collect()
    assert (row.input, row.reason, row.lines, row.line) == ("ads_views", "bad_type", 2, f"a,p,hover,{DAY}")
