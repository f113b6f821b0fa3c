"""manage.py prune_runs deletes the rows of old runs; the runs themselves, and what readers see, stay."""

import os
import subprocess
import sys
from contextlib import closing
from datetime import timedelta

import psycopg2
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from devstack.postgres import WEB
from devstack.state import ROOT
from spark_jobs.warehouse import LOCK_CLASS
from tests.web.conftest import YESTERDAY, days_ago, make_list, make_run
from webapp.operations.rollbacks import CannotRollBack, roll_back
from webapp.rankings.models import Run, TopCTR, TopProduct

pytestmark = pytest.mark.django_db


def make_day(*states, day=YESTERDAY):
    """Runs of a day in those states, oldest first, each with rows."""
    runs = [make_run(day, state) for state in states]
    for run in runs:
        for model in (TopProduct, TopCTR):
            make_list(run, "A", "p1", model)
    return runs


def with_rows():
    return sorted(TopProduct.objects.values_list("run_id", flat=True))


def test_the_newest_three_of_a_day_keep_their_rows():
    runs = make_day(*["superseded"] * 4, "published")
    call_command("prune_runs")

    assert with_rows() == [run.pk for run in runs[2:]]
    assert TopCTR.objects.count() == 3


def test_each_day_keeps_its_own_newest_runs():
    make_day("superseded", "superseded", "published")
    make_day("superseded", "superseded", "published", day=days_ago(1))
    call_command("prune_runs")

    assert len(with_rows()) == 6


def test_the_number_kept_can_be_chosen():
    runs = make_day("superseded", "superseded", "published")
    call_command("prune_runs", "--keep", "1")

    assert with_rows() == [runs[2].pk]


@pytest.mark.parametrize("state", ["published", "running"])
def test_a_run_in_use_is_never_pruned_however_old(state):
    runs = make_day(state, *["superseded"] * 3)
    call_command("prune_runs", "--keep", "1")

    assert with_rows() == [runs[0].pk, runs[3].pk]


def test_the_run_stays_and_has_the_time_of_its_pruning():
    old, _ = make_day("superseded", "published")
    Run.objects.filter(pk=old.pk).update(counts={"events": 3}, message="late")
    call_command("prune_runs", "--keep", "1")

    old.refresh_from_db()
    assert (old.state, old.counts, old.message) == ("superseded", {"events": 3}, "late")
    assert old.pruned_at
    assert old.lake_pruned_at is None


def test_a_day_is_not_rolled_back_to_a_pruned_run():
    old, _ = make_day("superseded", "published")
    call_command("prune_runs", "--keep", "1")

    with pytest.raises(CannotRollBack, match="has no rows any more"):
        roll_back(YESTERDAY, "boss", to=old.pk)


def test_a_run_that_was_rolled_back_from_is_pruned_like_any_other():
    make_day("superseded", "published")
    roll_back(YESTERDAY, "boss")
    [*_, newest] = make_day("superseded")
    call_command("prune_runs", "--keep", "1")

    assert with_rows() == [Run.objects.published().get().pk, newest.pk]


def test_a_run_pruned_once_is_not_pruned_again(capsys):
    make_day("superseded", "published")
    call_command("prune_runs", "--keep", "1")
    call_command("prune_runs", "--keep", "1")

    assert capsys.readouterr().out.splitlines() == [
        "Pruned 1 run; kept the newest 1 of each day.",
        "Pruned 0 runs; kept the newest 1 of each day.",
    ]


def test_a_dry_run_lists_the_runs_and_deletes_nothing(capsys):
    old, new = make_day("superseded", "published")
    call_command("prune_runs", "--keep", "1", "--dry-run")

    assert capsys.readouterr().out == f"Would prune run {old.pk} of {YESTERDAY} (superseded).\n"
    assert with_rows() == [old.pk, new.pk]


@pytest.mark.parametrize("keep", ["0", "-1", "all"])
def test_at_least_one_run_is_kept(keep):
    with pytest.raises(CommandError, match="--keep"):
        call_command("prune_runs", f"--keep={keep}")


def test_a_run_of_a_locked_day_is_skipped_and_reported(database, capsys):
    old, _ = make_day("superseded", "published")
    with closing(psycopg2.connect(**database.libpq_parameters)) as batch, batch.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s, %s)", [LOCK_CLASS, YESTERDAY.toordinal()])
        call_command("prune_runs", "--keep", "1")

    assert capsys.readouterr().err.startswith(f"Skipped run {old.pk}: {YESTERDAY} is locked by")
    assert TopProduct.objects.of(old).exists()


@pytest.mark.django_db(transaction=True)
def test_the_web_apps_role_may_not_prune_and_gets_a_one_line_error(stack):
    runs = make_day("superseded", "published")
    done = subprocess.run(
        [sys.executable, ROOT / "manage.py", "prune_runs", "--keep", "1"],
        env={**os.environ, "DATABASE_URL": stack.postgres.url(connection.settings_dict["NAME"], WEB)},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "Database error (DATABASE_URL): permission denied for table top_product; run the command as the owner of the "
        "tables, or run `database_roles` again after `migrate`"
    ]
    assert with_rows() == [run.pk for run in runs]


def test_old_days_are_no_longer_published_and_keep_their_runs_alone():
    [old] = make_day("published", day=YESTERDAY - timedelta(days=61))
    [kept] = make_day("published", day=YESTERDAY - timedelta(days=60))
    [newest] = make_day("published")
    call_command("prune_runs", "--days", "60")

    old.refresh_from_db()
    assert with_rows() == [kept.pk, newest.pk]
    assert (old.state, bool(old.pruned_at)) == ("superseded", True)
    assert list(Run.objects.published().order_by("day")) == [kept, newest]


def test_days_are_counted_from_the_newest_published_day_so_that_a_stopped_job_loses_no_list():
    [only] = make_day("published", day=YESTERDAY - timedelta(days=400))
    make_day("refused", day=YESTERDAY)
    call_command("prune_runs", "--days", "60")

    assert only.pk in with_rows()


def test_without_days_old_days_stay():
    [old] = make_day("published", day=YESTERDAY - timedelta(days=400))
    [newest] = make_day("published")
    call_command("prune_runs")

    assert with_rows() == [old.pk, newest.pk]


def test_days_that_late_events_or_windows_need_are_always_kept():
    with pytest.raises(CommandError, match="'59' is less than 60"):
        call_command("prune_runs", "--days=59")
