"""The benchmarks' own parts, at a size that takes seconds: nothing here is held to a time."""

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
from tests.benchmarks.rows import OtherRows, Rows

SHAPE = Shape(7_000, active=2, inactive=1, products=30)
DAY = str(RANKED_DAY)
NOON = datetime(2025, 6, 8, 12, tzinfo=UTC)


@pytest.fixture
def events(raw):
    """The files of seven days with 500 views and 500 ad events each."""
    write_events(raw.folder, SHAPE, "flat")
    return files_of(str(raw.folder), "flat", RANKED_DAY)


@pytest.fixture
def rows(stack, transactional_db):
    """The rankings of the test database."""
    from django.db import connection

    return Rows(stack.postgres.url(connection.settings_dict["NAME"]))


@pytest.fixture
def two_runs(rows):
    """A published run and a peer's, one product in each of their rankings; returns the peer's id."""
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


def test_the_events_are_as_many_as_asked_for_on_each_of_seven_days(events):
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
    of_the_day = "select * from '{}' where date = cast(? as date) order by all"
    flat, same = (duckdb.execute(of_the_day.format(files.ads), [FIRST_DAY]).fetchall() for files in (events, other))

    assert len(flat) == 500
    assert flat == same


def test_the_peers_that_need_no_other_environment_rank_as_vitrina_does(night, rows, events, spark):
    assert night("--day", DAY)
    by_duckdb, by_spark = rows.open_run(RANKED_DAY), rows.open_run(RANKED_DAY)
    peer = [sys.executable, str(PEERS / "duckdb_copy.py"), *events, DAY, str(by_duckdb)]
    measure(peer, {**os.environ, "DATABASE_URL": rows.url})
    rank_and_append(spark, rows.url, [*events], DAY, by_spark)

    rows.same_as_published(by_duckdb, RANKED_DAY)
    rows.same_as_published(by_spark, RANKED_DAY)


def test_the_stages_are_read_from_a_nights_own_lines(night, events, caplog):
    caplog.set_level(logging.INFO, "nightly")
    assert night("--day", DAY)
    said = "\n".join(f"01:02:03 {message}" for message in caplog.messages)
    stages = report.stages_of(Measured(wall=1000.0, cpu=0, memory=0, others=0, said=said))

    assert [*stages] == ["read raw files", "prepare", *report.TO_POSTGRESQL, "start, and all else"]
    assert sum(stages.values()) == pytest.approx(1000)


def test_equal_rows_are_accepted(rows, two_runs):
    rows.same_as_published(two_runs, RANKED_DAY)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            "update top_ctr set clicks = 2 where run_id = %s",
            "top_ctr: 1 rows, Vitrina has 1; only Vitrina's has .*, 1, 3, ",
        ),
        ("update top_product set product_id = 'a' where run_id = %s", "top_product: .* only the peer's has .*'a', 'a'"),
        ("delete from top_product where run_id = %s", "top_product: 0 rows, Vitrina has 1; only Vitrina's has"),
    ],
)
def test_one_other_row_ends_the_comparison(rows, two_runs, change, complaint):
    from django.db import connection

    connection.cursor().execute(change, [two_runs])

    with pytest.raises(OtherRows, match=complaint):
        rows.same_as_published(two_runs, RANKED_DAY)


def test_copy_writes_all_that_is_published_once_more_and_it_goes_again(rows, two_runs):
    from webapp.rankings.models import Run, TopProductWindow

    of_week = {"days": 7, "date": RANKED_DAY, "advertiser_id": "a", "product_id": "p", "rank": 1, "views": 3}
    TopProductWindow.objects.create(run=Run.objects.published().get(), **of_week)
    count, seconds = rows.copy_published(RANKED_DAY)

    assert count == 3
    assert TopProductWindow.objects.count() == 1
    assert seconds > 0
    assert Run.objects.count() == 2


def test_a_program_is_measured_with_what_it_starts():
    child = "x = bytearray(200_000_000); sum(range(5_000_000)); import time; time.sleep(0.5)"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    lap = measure([sys.executable, "-c", program], os.environ)

    assert lap.memory > 200_000_000
    assert lap.wall > 0.3
    assert lap.cpu > 0.05


def test_a_program_that_fails_ends_the_comparison_with_its_last_words():
    with pytest.raises(Failed, match="exit code 3: no such day"):
        measure([sys.executable, "-c", "import sys; print('no such day'); sys.exit(3)"], os.environ)


def test_a_section_takes_the_place_of_the_one_with_its_title(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "DOCUMENT", tmp_path / "benchmarks.md")
    report.DOCUMENT.write_text("# Benchmarks\n\nWords.\n")
    for section in ("## One\n\nold", "## Two\n\nkept", "## One\n\nnew"):
        report.write(section)

    assert report.DOCUMENT.read_text() == "# Benchmarks\n\nWords.\n\n## One\n\nnew\n\n## Two\n\nkept\n"
