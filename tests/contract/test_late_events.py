"""Late events, ranges that continue where they stopped, and a dry run that logs what would change."""

import shutil
from contextlib import closing
from datetime import date

import pytest
from django.db import connection

from spark_jobs.database import Database
from spark_jobs.warehouse import RUN_TABLES, Warehouse, ledger, locks
from tests.conftest import ADS, DAY, VIEWS
from tests.faults.database import Session
from webapp.rankings.models import Run, TopProduct

pytestmark = pytest.mark.long

DAYS = ["2026-11-17", "2026-11-18", "2026-11-19", DAY]
THREE_BEFORE = ("--from", DAYS[0], "--to", DAYS[2])


def rows(days, product="p", times=1):
    return {
        "views": [("a", product, day) for day in days] * times,
        "ads": [("a", product, "impression", day) for day in days],
    }


def runs():
    """Return (day of the month, state) of every run, in the order in which they were opened."""
    return [(run.day.day, run.state) for run in Run.objects.order_by("id")]


@pytest.fixture(scope="module")
def kept():
    """What the first test with `three_days` published: its folder, a copy of it, and its rows by table."""
    return []


@pytest.fixture
def three_days(night, raw, stack, tmp_path, tmp_path_factory, kept):
    """Three published days before DAY, from flat files that hold DAY too. The first test runs them; others get copies."""
    with closing(Session(Database.from_url(stack.postgres.url(connection.settings_dict["NAME"])))) as owner:
        if not kept:
            raw.fill(**rows(DAYS))
            night(*THREE_BEFORE)
            copy = shutil.copytree(tmp_path, tmp_path_factory.mktemp("three days") / "copy")
            kept += tmp_path, copy, owner.copy_out(["run", "advertiser", *RUN_TABLES])
        else:
            folder, copy, tables = kept
            shutil.copytree(copy, tmp_path, dirs_exist_ok=True)
            owner.copy_in({table: text.replace(str(folder), str(tmp_path)) for table, text in tables.items()})


def test_an_earlier_day_is_published_again_if_its_events_came_late(night, raw, three_days):
    late = rows(DAYS)
    late["views"] += [("a", "late", DAYS[1])]
    raw.fill(**late)
    assert night()

    assert runs() == [(17, "published"), (18, "superseded"), (19, "published"), (20, "published"), (18, "published")]
    assert set(
        TopProduct.objects.of(Run.objects.published().get(day=DAYS[1])).values_list("product_id", flat=True)
    ) == {
        "p",
        "late",
    }


def test_an_earlier_day_is_unchanged_if_only_other_days_of_its_file_changed(night, raw, three_days):
    raw.fill(**rows(DAYS, times=1), active=["a"]).put(
        "product_views.csv", VIEWS + "".join(f"a,p,{day}\n" for day in reversed(DAYS))
    )
    night()

    assert runs() == [(17, "published"), (18, "published"), (19, "published"), (20, "published")]


def test_no_lookback_ignores_late_events(night, raw, three_days):
    raw.fill(**rows(DAYS, times=2))
    night("--no-lookback")

    assert runs() == [(17, "published"), (18, "published"), (19, "published"), (20, "published")]


def test_lookback_days_limits_the_lookback(night, raw, three_days):
    raw.fill(**rows(DAYS, times=2))
    night(LOOKBACK_DAYS="1")

    assert runs()[3:] == [(20, "published"), (19, "published")]


def test_a_day_is_final_once_it_is_older_than_the_lookback(night, raw, three_days):
    night()

    assert dict(Run.objects.published().values_list("day__day", "final")) == {17: True, 18: False, 19: False, 20: False}


def test_an_earlier_day_whose_events_are_gone_stays_published(night, raw, three_days):
    raw.fill(**rows([DAY]))

    assert night()
    assert runs() == [(17, "published"), (18, "published"), (19, "published"), (20, "published")]


def test_a_refused_day_is_published_once_its_missing_events_arrive(night, raw):
    raw.fill(views=[("a", "p", DAYS[2])], ads=[("a", "p", "impression", DAY)])
    night("--day", DAYS[2])
    raw.fill(**rows(DAYS[2:]))
    night("--day", DAY)

    assert runs() == [(19, "refused"), (20, "published"), (19, "published")]


def test_a_refused_day_is_not_run_again_if_nothing_arrives(night, raw):
    raw.fill(views=[("a", "p", DAYS[2])], ads=[])
    night("--day", DAYS[2])
    raw.put("ads_views.csv", f"{ADS}a,p,impression,{DAY}\n").put(
        "product_views.csv", f"{VIEWS}a,p,{DAYS[2]}\na,p,{DAY}\n"
    )
    night("--day", DAY)

    assert runs() == [(19, "refused"), (20, "published")]


def test_the_requested_day_is_published_even_if_a_file_of_an_earlier_day_is_broken(night, raw, caplog):
    raw.fill()
    for name, header, row in (("product_views", VIEWS, "a,p,{}"), ("ads_views", ADS, "a,p,impression,{}")):
        (raw.folder / f"{name}.csv").unlink()
        for day in DAYS[2:]:
            raw.put(f"{name}/date={day}/part.csv", header + row.format(day) + "\n")
    night("--day", DAYS[2])
    raw.put(f"product_views/date={DAYS[2]}/more.csv", "no header that would do\n")

    assert night()
    assert runs() == [(19, "published"), (20, "published")]
    assert f"leaving {DAYS[2]} to the next nightly run: " in caplog.text


def test_the_lookback_skips_an_earlier_day_that_another_run_holds(night, raw, three_days, database):
    raw.fill(**rows(DAYS, times=2))
    with closing(Warehouse(database)) as other:
        locks.lock_day(other, date.fromisoformat(DAYS[1]))
        night()

    assert runs()[3:] == [(20, "published"), (17, "published"), (19, "published")]


def test_a_range_skips_days_whose_input_is_unchanged(night, raw, three_days, capsys):
    capsys.readouterr()
    assert night(*THREE_BEFORE)

    assert runs() == [(17, "published"), (18, "published"), (19, "published")]
    assert capsys.readouterr().out.count('"state": "unchanged"') == 3


def test_a_range_ranks_an_unchanged_day_again_if_the_lake_has_lost_its_counts(night, three_days, tmp_path):
    shutil.rmtree(tmp_path / "lake" / "counts" / f"date={DAYS[1]}")
    assert night(*THREE_BEFORE)

    assert runs() == [(17, "published"), (18, "superseded"), (19, "published"), (18, "published")]


def test_a_range_continues_where_it_was_stopped(night, raw, database):
    raw.fill(**rows(DAYS))
    night("--from", DAYS[0], "--to", DAYS[1])
    with closing(Warehouse(database)) as killed:
        locks.lock_day(killed, date.fromisoformat(DAYS[2]))
        ledger.open_runs(killed, [date.fromisoformat(DAYS[2])], "test", "test", {})
    night("--from", DAYS[0], "--to", DAY)

    assert runs() == [(17, "published"), (18, "published"), (19, "failed"), (19, "published"), (20, "published")]


@pytest.mark.parametrize("option", [("--force",), ("--ctr-prior-weight", "20")])
def test_a_range_runs_unchanged_days_again_if_forced_or_if_parameters_differ(night, raw, three_days, option):
    night(*THREE_BEFORE, *option)

    assert runs()[3:] == [(17, "published"), (18, "published"), (19, "published")]


def test_a_dry_run_logs_what_would_change(night, raw, caplog):
    raw.fill(views=[("a", p, DAY) for p in "xxyyyz"], ads=[("a", "x", "impression", DAY)])
    night()
    raw.fill(views=[("a", p, DAY) for p in "xxxxyyyn"], ads=[("a", "x", "impression", DAY)])
    caplog.clear()
    night("--dry-run")

    assert "  top_product: 1 entered, 1 left, 2 moved" in caplog.messages
    assert "  top_ctr: 0 entered, 0 left, 0 moved" in caplog.messages
    assert "  advertiser a: 4 products" in caplog.messages
    assert runs() == [(20, "published")]
