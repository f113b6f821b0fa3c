"""Days whose run never started, failed or died: the next nightly run processes them, and closes what dead runs left."""

from contextlib import closing, contextmanager
from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from spark_jobs import nightly, stages
from spark_jobs.audit import audit
from spark_jobs.job import Job
from spark_jobs.night import NightlyRun
from spark_jobs.runs import DIED, Failed
from spark_jobs.settings import Storage
from spark_jobs.warehouse import Warehouse, ledger, locks
from tests.conftest import ADS, DAY, VIEWS, a_day_of_events
from webapp.operations.freshness import load_gaps
from webapp.rankings.models import Run, TopProduct, TopProductWindow

LONG_AGO = date(2026, 10, 1)


def november(day):
    return date(2026, 11, day)


def make_run(day, state="published", **columns):
    published_at = f"{DAY}T05:00Z" if state == "published" else None
    return Run.objects.create(day=november(day), state=state, published_at=published_at, **columns)


def options_of(*arguments, **variables):
    return nightly.options_from(nightly.parser().parse_args(arguments), variables)


@pytest.fixture
def other(database):
    """The connection of another process."""
    with closing(Warehouse(database)) as warehouse:
        yield warehouse


@pytest.fixture
def die_on(database):
    """A function that leaves the ledger as a process does that is killed while it works on the day; returns its run."""

    def die(day):
        with closing(Warehouse(database)) as killed:
            locks.lock_day(killed, day)
            [run] = ledger.open_runs(killed, [day], "test", "test", {}).values()
        return Run.objects.get(pk=run)

    return die


@pytest.fixture
def job(spark, database, raw, tmp_path):
    """A function that opens a job for DAY or other days, which it locks, for the length of a `with` block."""

    @contextmanager
    def open_job(*arguments, **variables):
        with closing(Warehouse(database)) as warehouse:
            days = [] if "--from" in arguments else ["--day", DAY]
            options = options_of(*days, *arguments, **variables)
            nightly.lock(warehouse, options)
            yield Job(spark, warehouse, Storage(raw.uri, (tmp_path / "lake").as_uri()), options)

    return open_job


@pytest.fixture
def missing_days(job, raw):
    """A function that returns the days of November that a nightly run finds missing."""

    def find(*arguments, **variables):
        raw.fill()
        with job(*arguments, **variables) as opened:
            night = NightlyRun(opened)
            night.select_days()
            return [day.day for day in night.selection.missing]

    return find


@pytest.mark.long
def test_after_two_missed_nights_the_third_repairs_both_before_it_publishes_its_own_day(night, raw, die_on, caplog):
    """The 17th never started, the 18th was killed, and the 19th has no events. They are read together, once."""
    events = [a_day_of_events(f"2026-11-{day}") for day in (17, 18, 20)]
    raw.fill(**{kind: [row for each in events for row in each[kind]] for kind in ("views", "ads")})
    make_run(16, counts={"events": 3})
    killed, killed_long_ago = die_on(november(18)), die_on(LONG_AGO)
    TopProduct.objects.create(run=killed, date=killed.day, advertiser_id="a", product_id="p", rank=1, views=1)

    assert night()

    published = Run.objects.published().exclude(day=november(16)).order_by("published_at")
    assert [run.day.day for run in published] == [17, 18, 20]
    assert [run.state for run in Run.objects.filter(day=november(19))] == ["refused"]
    for dead in (killed, killed_long_ago):
        dead.refresh_from_db()
        assert (dead.state, dead.message) == ("failed", DIED)
    assert not TopProduct.objects.of(killed).exists()
    assert [row.views for row in TopProductWindow.objects.of(published[2]).filter(days=7)] == [3]
    assert sum(message.startswith("read raw files") for message in caplog.messages) == 1


def test_for_both_halves_a_day_is_missing_unless_it_has_a_published_or_refused_run(other, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 11, 19, 7, tzinfo=UTC))
    by_day = {
        11: ["published"],
        12: [],
        13: ["running"],
        14: ["failed", "failed"],
        15: ["published", "failed"],
        16: ["superseded", "published"],
        17: ["refused"],
        18: ["refused", "failed"],
    }
    for day, states in by_day.items():
        for state in states:
            make_run(day, state, pruned_at=None if state == "running" else f"{DAY}T05:00Z")  # which makes no difference

    missing = ledger.read_missing_days(other, november(11), november(18))
    assert [day.day for day in missing] == [12, 13, 14]
    assert load_gaps().missing == missing


def test_no_day_before_the_first_published_one_is_missing(other):
    make_run(14, "failed")
    make_run(15, "refused")
    before = ledger.read_missing_days(other, november(10), november(19))
    make_run(17)

    assert before == []
    assert ledger.read_missing_days(other, november(10), november(19)) == [november(18), november(19)]


@pytest.mark.parametrize(
    ("arguments", "variables", "days"),
    [
        ([], {}, 3),
        (["--day", DAY], {}, 3),
        (["--day", DAY], {"LOOKBACK_DAYS": "0"}, 0),
        (["--no-lookback"], {}, 0),
        (["--from", DAY, "--to", DAY], {}, 0),
        (["--step", "prepare"], {}, 0),
    ],
)
def test_only_a_run_of_one_day_looks_back(arguments, variables, days):
    assert options_of(*arguments, **variables).lookback == days


def test_a_nightly_run_repairs_the_missing_days_of_its_lookback_and_a_dry_run_repairs_none(missing_days):
    make_run(14)

    assert missing_days() == [17, 18, 19]
    assert missing_days(LOOKBACK_DAYS="1") == [19]
    assert missing_days(LOOKBACK_DAYS="31") == [15, 16, 17, 18, 19]
    assert missing_days(LOOKBACK_DAYS="0") == missing_days("--dry-run") == []


def test_allow_drop_does_not_publish_a_missing_day_with_few_events():
    options = options_of("--day", DAY, "--allow-drop")
    counts = {"read": {}, "rejected_share": {}, "active_advertisers": 1, "listed_advertisers": 1}
    few = {**counts, "usual_events": 100, "events": 1}

    assert audit(options.days[0], {}, few, {}, options) == []
    assert "1 events are under 50% of the usual 100" in audit(november(19), {}, few, {}, options)[0]


def test_a_missing_day_that_another_process_holds_is_left_to_it(missing_days, other):
    make_run(16)
    locks.lock_day(other, november(18))

    assert missing_days() == [17, 19]


def test_a_prepared_run_waits_for_its_next_step_however_late_it_is(job, missing_days):
    make_run(16)
    waiting = make_run(18, "running", inputs={"prepared": {"active": [], "hidden": []}})
    with job() as opened:
        assert stages.recover_days(opened) == []

    assert missing_days() == [17, 19]
    waiting.refresh_from_db()
    assert waiting.state == "running"


def test_any_later_run_but_a_dry_one_closes_the_entries_of_dead_runs_and_leaves_their_days_free(job, die_on, other):
    dead = die_on(LONG_AGO)
    with job("--dry-run") as opened:
        assert stages.recover_days(opened) == []
    with job("--from", "2026-11-19", "--to", DAY) as opened:
        assert [each.run for each in stages.recover_days(opened)] == [dead.pk]
        assert locks.try_to_lock_day(other, LONG_AGO)

    dead.refresh_from_db()
    assert (dead.state, dead.message) == ("failed", DIED)


def test_a_run_at_work_on_another_day_is_not_dead(job, other):
    locks.lock_day(other, november(18))
    make_run(18, "running")
    with job() as opened:
        assert stages.recover_days(opened) == []

    assert Run.objects.get().state == "running"


def test_if_the_files_of_a_missing_day_are_unreadable_only_the_requested_day_is_read(job, raw, caplog):
    make_run(18)
    raw.put("advertiser_ids.csv", "advertiser_id\na\n")
    for name, header, row in (("product_views", VIEWS, "a,p,{}\n"), ("ads_views", ADS, "a,p,impression,{}\n")):
        raw.put(f"{name}/date=2026-11-19/part.csv", "no header that would do\n")
        raw.put(f"{name}/date={DAY}/part.csv", header + row.format(DAY))
    with job() as opened:
        night = NightlyRun(opened)
        night.select_days()
        night.read_days()
        night.free_memory()

    assert night.selection.missing == ()
    assert night.raw.lines_of(date.fromisoformat(DAY)) == {("product_views", None): 1, ("ads_views", None): 1}
    assert "2026-11-19 to the next nightly run: " in caplog.text


def test_if_a_repair_fails_the_requested_day_is_locked_even_if_the_connection_was_lost(job, raw, other, monkeypatch):
    make_run(18)
    raw.fill()
    with job() as opened:
        night = NightlyRun(opened)
        night.select_days()

        def fail(days):
            opened.warehouse.connection.close()
            opened.warehouse.reconnect()
            raise Failed

        monkeypatch.setattr(night, "run_days", fail)
        night.run_missing_days()

        assert not locks.try_to_lock_day(other, date.fromisoformat(DAY))
