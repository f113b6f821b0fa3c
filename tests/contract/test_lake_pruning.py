"""A nightly run deletes what nobody needs in the lake: folders of pruned runs, and copies that killed processes have left."""

from contextlib import closing
from datetime import timedelta

import pytest
from django.core.management import call_command

from spark_jobs.raw.copies import today
from spark_jobs.session import SCRATCH
from spark_jobs.stages import clean_lake
from spark_jobs.warehouse import Warehouse
from tests.conftest import a_day_of_events
from tests.web.conftest import YESTERDAY, make_run
from webapp.rankings.models import Run


@pytest.fixture
def lake(tmp_path):
    """A lake on the local file system."""
    return tmp_path / "lake"


@pytest.fixture
def clean(spark, database, lake):
    """A function that cleans the lake, as a nightly run does at its end."""

    def on(lake_uri=None):
        with closing(Warehouse(database)) as warehouse:
            clean_lake(spark, warehouse, lake_uri or lake.as_uri())

    return on


def folders_of(lake, run):
    return [lake / kind / f"date={run.day}" / f"run={run.pk}" for kind in ("counts", "rejects")]


def make_run_with_folders(lake, state, day=YESTERDAY):
    run = make_run(day, state)
    for folder in folders_of(lake, run):
        folder.mkdir(parents=True)
        (folder / "part-0").write_text("rows")
    return run


@pytest.mark.long
def test_a_nightly_run_deletes_the_lake_folders_of_pruned_runs(night, raw, lake):
    raw.fill(**a_day_of_events())
    assert night()
    old = Run.objects.get()
    Run.objects.update(state="superseded")
    make_run(old.day)
    call_command("prune_runs", "--keep", "1")
    assert folders_of(lake, old)[0].exists()

    assert night()

    old.refresh_from_db()
    assert old.lake_pruned_at
    assert not folders_of(lake, old)[0].exists()
    assert folders_of(lake, Run.objects.published().get())[0].exists()


def test_only_pruned_runs_lose_their_folders_and_only_once(clean, lake):
    old, new = [make_run_with_folders(lake, state) for state in ("superseded", "published")]
    call_command("prune_runs", "--keep", "1")
    clean()
    old.refresh_from_db()
    deleted_at = old.lake_pruned_at
    clean()

    old.refresh_from_db()
    assert old.lake_pruned_at == deleted_at is not None
    assert not any(folder.exists() for folder in folders_of(lake, old))
    assert all(folder.exists() for folder in folders_of(lake, new))


def test_old_days_lose_their_folders_too(clean, lake):
    old = make_run_with_folders(lake, "published", YESTERDAY - timedelta(days=61))
    new = make_run_with_folders(lake, "published")
    call_command("prune_runs", "--days", "60")
    clean()

    assert not any(folder.exists() for folder in folders_of(lake, old))
    assert all(folder.exists() for folder in folders_of(lake, new))


def test_a_failure_is_logged_and_the_next_nightly_run_tries_again(clean, lake, caplog):
    old, _ = [make_run_with_folders(lake, state) for state in ("superseded", "published")]
    call_command("prune_runs", "--keep", "1")
    clean("no-such-scheme://lake")

    assert "pruned runs or old copies remain in the lake until the next nightly run" in caplog.text
    assert Run.objects.get(pk=old.pk).lake_pruned_at is None
    clean()
    assert Run.objects.get(pk=old.pk).lake_pruned_at


def test_copies_of_killed_processes_are_removed_after_two_days(clean, spark, lake):
    usual = spark.conf.get(SCRATCH)
    spark.conf.set(SCRATCH, f"{lake.as_uri()}/scratch")
    old, recent = [lake / "scratch" / f"{today() - timedelta(days=days)}_x" for days in (3, 2)]
    for folder in (old, recent):
        folder.mkdir(parents=True)
    clean()
    spark.conf.set(SCRATCH, usual)

    assert (old.exists(), recent.exists()) == (False, True)
