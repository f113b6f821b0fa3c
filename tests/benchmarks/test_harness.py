"""The parts of the benchmarks work, at a size that takes seconds. No test depends on a duration."""

import csv
import logging
import os
import sys
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from tests.benchmarks import report
from tests.benchmarks.contestants import PEERS
from tests.benchmarks.events import DAYS, FIRST_DAY, RANKED_DAY, Shape, files_of, write_events
from tests.benchmarks.measure import Failed, Measured, measure
from tests.benchmarks.peers.plain_spark import rank_and_append
from tests.benchmarks.rows import DifferentRows, Rows

SHAPE = Shape(8_000, active=2, inactive=1, products=30)
DAY = str(RANKED_DAY)
NOON = datetime(2025, 6, 8, 12, tzinfo=UTC)


@pytest.fixture
def events(raw):
    """Files with 500 views and 500 ad events on each of eight days."""
    write_events(raw.folder, SHAPE, "flat")
    return files_of(str(raw.folder), "flat", RANKED_DAY)


@pytest.fixture
def rows(stack, transactional_db):
    """The rankings in the test database."""
    from django.db import connection

    return Rows(stack.postgres.url(connection.settings_dict["NAME"]))


@pytest.fixture
def two_runs(rows):
    """A published run and a peer's run with one product in each table; the value is the peer's id."""
    from webapp.rankings.models import Run, TopCTR, TopProduct

    peer = rows.open_run(RANKED_DAY)
    published = Run.objects.create(day=RANKED_DAY, state="published", started_at=NOON, published_at=NOON)
    for run in (peer, published.id):
        product = {"run_id": run, "date": RANKED_DAY, "advertiser_id": "a", "product_id": "p", "rank": 1}
        TopProduct.objects.create(**product, views=3)
        TopCTR.objects.create(**product, clicks=1, impressions=3, ctr=1 / 3)
    return peer


def lines_of(path):
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_of_eight_days_has_the_requested_number_of_events(events):
    active, views, ads = map(lines_of, events)

    assert len(active) == SHAPE.active
    assert {each["advertiser_id"] for each in active} < {each["advertiser_id"] for each in ads}
    assert {each["type"] for each in ads} == {"impression", "click"}
    assert len(ads) == SHAPE.rows / 2
    assert Counter(each["date"] for each in views) == {str(date(2025, 6, 1 + n)): 500 for n in range(DAYS)}


@pytest.mark.parametrize("form", ["date", "gzip", "parquet"])
def test_the_events_of_a_day_are_the_same_in_every_form(events, tmp_path, form):
    write_events(tmp_path / form, SHAPE, form)
    other = files_of(str(tmp_path / form), form, FIRST_DAY)
    query = "select * from '{}' where date = cast(? as date) order by all"
    flat, same = (duckdb.execute(query.format(files.ads), [FIRST_DAY]).fetchall() for files in (events, other))

    assert len(flat) == 500
    assert flat == same


def test_duckdb_and_plain_spark_rank_as_vitrina_does(night, rows, events, spark):
    assert night("--day", DAY)
    by_duckdb, by_spark = rows.open_run(RANKED_DAY), rows.open_run(RANKED_DAY)
    peer = [sys.executable, str(PEERS / "duckdb_copy.py"), *events, DAY, str(by_duckdb)]
    measure(peer, {**os.environ, "DATABASE_URL": rows.url})
    rank_and_append(spark, rows.url, [*events], DAY, by_spark)

    rows.same_as_published(by_duckdb, RANKED_DAY)
    rows.same_as_published(by_spark, RANKED_DAY)


def test_the_stages_are_read_from_the_jobs_log(night, events, caplog):
    caplog.set_level(logging.INFO, "nightly")
    assert night("--day", DAY)
    output = "\n".join(f"01:02:03 {message}" for message in caplog.messages)
    stages = report.stages_of(Measured(wall=1000.0, cpu=0, memory=0, others=0, output=output))

    assert [*stages] == ["read raw files", "prepare", *report.TO_POSTGRESQL, "start-up and the rest"]
    assert sum(stages.values()) == pytest.approx(1000)


def test_ratios_with_a_target_are_listed_and_those_not_measured_again_keep_their_values(tmp_path):
    def lasting(seconds):
        return [Measured(wall=seconds, cpu=0, memory=seconds, others=0, output="")]

    small, big = (report.Setting(Shape(rows), "flat", "file") for rows in (40_000_000, 400_000_000))
    measured = report.Results()
    measured.add(small, {"one day": lasting(10), "all days": lasting(14)}, "all days", "one day")
    measured.add_night(small, {"Vitrina": lasting(10), "DuckDB": lasting(5), "pandas": lasting(20)})
    measured.add_night(big, {"Vitrina": lasting(22), "DuckDB": lasting(20)})
    measured.add_advertisers(20_000, lasting(10))
    measured.add_advertisers(200_000, lasting(36))
    document = tmp_path / "benchmarks.md"
    document.write_text("# Benchmarks\n")
    report.write(report.targets(measured, document), document)
    again = report.targets(report.Results(), document)

    assert "| 40M rows, flat: all days / one day | 1.4 | 1.40 |" in again
    assert "| 40M rows, flat: Vitrina / pandas, memory | 0.35 | 0.50 |" in again
    assert "| each further 100M rows: Vitrina / DuckDB | 0.85 | 0.80 |" in again
    assert "| 200,000 advertisers / 20,000 | 12.0 | 3.60 |" in again
    assert "| 4M rows, gzip: Vitrina / plain Spark | 0.75 |  |" in again


def test_equal_rows_are_accepted(rows, two_runs):
    rows.same_as_published(two_runs, RANKED_DAY)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "update top_ctr set clicks = 2 where run_id = %s",
            "top_ctr: 1 rows, Vitrina has 1; only Vitrina has .*, 1, 3, ",
        ),
        ("update top_product set product_id = 'a' where run_id = %s", "top_product: .* only the peer has .*'a', 'a'"),
        ("delete from top_product where run_id = %s", "top_product: 0 rows, Vitrina has 1; only Vitrina has"),
    ],
)
def test_one_different_row_stops_the_comparison(rows, two_runs, change, message):
    from django.db import connection

    connection.cursor().execute(change, [two_runs])

    with pytest.raises(DifferentRows, match=message):
        rows.same_as_published(two_runs, RANKED_DAY)


def test_copy_writes_all_published_rows_again_and_removes_them(rows, two_runs):
    from webapp.rankings.models import Run, TopProductWindow

    week = {"days": 7, "date": RANKED_DAY, "advertiser_id": "a", "product_id": "p", "rank": 1, "views": 3}
    TopProductWindow.objects.create(run=Run.objects.published().get(), **week)
    count, seconds = rows.copy_published(RANKED_DAY)

    assert count == 3
    assert TopProductWindow.objects.count() == 1
    assert seconds > 0
    assert Run.objects.count() == 2


def test_a_program_is_measured_with_its_children():
    child = "x = bytearray(200_000_000); sum(range(5_000_000)); import time; time.sleep(0.5)"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    lap = measure([sys.executable, "-c", program], os.environ)

    assert lap.memory > 200_000_000
    assert lap.wall > 0.3
    assert lap.cpu > 0.05


def test_a_program_that_fails_is_reported_with_its_last_line():
    with pytest.raises(Failed, match="exit code 3: no such day"):
        measure([sys.executable, "-c", "import sys; print('no such day'); sys.exit(3)"], os.environ)


def test_a_section_replaces_the_one_with_the_same_title(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "DOCUMENT", tmp_path / "benchmarks.md")
    report.DOCUMENT.write_text("# Benchmarks\n\nIntroduction.\n")
    for section in ("## One\n\nold", "## Two\n\nkept", "## One\n\nnew"):
        report.write(section)

    assert report.DOCUMENT.read_text() == "# Benchmarks\n\nIntroduction.\n\n## One\n\nnew\n\n## Two\n\nkept\n"
