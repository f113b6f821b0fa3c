"""manage.py prune_runs: what old runs left behind in database and lake goes; the ledger, and what readers see, stay."""

import os
import subprocess
import sys
from contextlib import closing

import psycopg2
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection

from devstack.postgres import WEB
from devstack.state import ROOT
from spark_jobs.warehouse import LOCK_CLASS
from tests.web.conftest import YESTERDAY, days_ago, make_list, make_run
from webapp.rankings.lake import S3Lake
from webapp.rankings.models import Run, TopCTR, TopProduct
from webapp.rankings.rollbacks import CannotRollBack, roll_back

pytestmark = pytest.mark.django_db


@pytest.fixture
def lake(tmp_path, monkeypatch):
    """A lake on the local file system, LAKE_URI."""
    monkeypatch.setenv("LAKE_URI", tmp_path.as_uri())
    return tmp_path


def make_day(*states, day=YESTERDAY):
    """Runs of a day in those states, oldest first, each with rows."""
    runs = [make_run(day, state) for state in states]
    for run in runs:
        for model in (TopProduct, TopCTR):
            make_list(run, "A", "p1", model)
    return runs


def fill(lake, *runs):
    """Put a file into both folders of each run."""
    for run in runs:
        for folder in folders(lake, run):
            folder.mkdir(parents=True)
            (folder / "part-0.parquet").write_text("rows")


def folders(lake, run):
    return [lake / kind / f"date={run.day}" / f"run={run.pk}" for kind in ("counts", "rejects")]


def with_rows():
    return sorted(TopProduct.objects.values_list("run_id", flat=True))


def test_the_newest_three_of_a_day_keep_their_rows(lake):
    runs = make_day(*["superseded"] * 4, "published")
    call_command("prune_runs")

    assert with_rows() == [run.pk for run in runs[2:]]
    assert TopCTR.objects.count() == 3


def test_each_day_keeps_its_own(lake):
    make_day("superseded", "superseded", "published")
    make_day("superseded", "superseded", "published", day=days_ago(1))
    call_command("prune_runs")

    assert len(with_rows()) == 6


def test_the_number_kept_can_be_chosen(lake):
    runs = make_day("superseded", "superseded", "published")
    call_command("prune_runs", "--keep", "1")

    assert with_rows() == [runs[2].pk]


@pytest.mark.parametrize("state", ["published", "running"])
def test_a_run_in_use_is_never_pruned_however_old(lake, state):
    runs = make_day(state, *["superseded"] * 3)
    call_command("prune_runs", "--keep", "1")

    assert with_rows() == [runs[0].pk, runs[3].pk]


def test_the_ledger_keeps_the_run_and_says_when_its_rows_went(lake):
    old, _ = make_day("superseded", "published")
    Run.objects.filter(pk=old.pk).update(counts={"events": 3}, message="late")
    call_command("prune_runs", "--keep", "1")

    old.refresh_from_db()
    assert (old.state, old.counts, old.message) == ("superseded", {"events": 3}, "late")
    assert old.pruned_at


def test_a_pruned_run_is_not_gone_back_to(lake):
    old, _ = make_day("superseded", "published")
    call_command("prune_runs", "--keep", "1")

    with pytest.raises(CannotRollBack, match="are gone"):
        roll_back(YESTERDAY, "boss", to=old.pk)


def test_a_run_that_was_gone_back_from_is_pruned_like_any_other(lake):
    make_day("superseded", "published")
    roll_back(YESTERDAY, "boss")
    [*_, newest] = make_day("superseded")
    call_command("prune_runs", "--keep", "1")

    assert with_rows() == [Run.objects.published().get().pk, newest.pk]


def test_a_run_pruned_once_is_not_pruned_again(lake, capsys):
    make_day("superseded", "published")
    call_command("prune_runs", "--keep", "1")
    call_command("prune_runs", "--keep", "1")

    assert capsys.readouterr().out.splitlines() == [
        "Pruned 1 run; each day keeps its newest 1.",
        "Pruned 0 runs; each day keeps its newest 1.",
    ]


def test_the_runs_part_of_the_lake_goes_and_no_other(lake):
    old, new = make_day("superseded", "published")
    fill(lake, old, new)
    call_command("prune_runs", "--keep", "1")

    assert not any(folder.exists() for folder in folders(lake, old))
    assert all(folder.exists() for folder in folders(lake, new))


def test_a_lake_in_s3_is_pruned_by_whole_folders(prefix, stack, monkeypatch):
    old, _ = make_day("superseded", "published")
    monkeypatch.setenv("LAKE_URI", prefix)
    root = prefix.split("/", 3)[3]
    kept = [f"{root}/counts/date={old.day}/run={old.pk}0/part-0.parquet", f"{root}/rejects/other.json"]
    gone = [f"{root}/{kind}/date={old.day}/run={old.pk}/part-{n}" for kind in ("counts", "rejects") for n in range(3)]
    client = stack.s3.client()
    for key in kept + gone:
        client.put_object(Bucket=stack.s3.bucket, Key=key, Body=b"rows")
    call_command("prune_runs", "--keep", "1")

    left = client.list_objects_v2(Bucket=stack.s3.bucket, Prefix=root)["Contents"]
    assert [each["Key"] for each in left] == kept


def test_more_objects_than_one_request_removes_all_go(prefix, stack):
    client, root = stack.s3.client(), prefix.split("/", 3)[3]
    for number in range(1001):
        client.put_object(Bucket=stack.s3.bucket, Key=f"{root}/counts/{number}", Body=b"")
    S3Lake(stack.s3.bucket, root).remove("counts")

    assert client.list_objects_v2(Bucket=stack.s3.bucket, Prefix=root)["KeyCount"] == 0


def test_a_dry_run_names_the_runs_and_removes_nothing(lake, capsys):
    old, new = make_day("superseded", "published")
    fill(lake, old)
    call_command("prune_runs", "--keep", "1", "--dry-run")

    assert capsys.readouterr().out == f"Would prune run {old.pk} of {YESTERDAY} (superseded).\n"
    assert with_rows() == [old.pk, new.pk]
    assert all(folder.exists() for folder in folders(lake, old))


def test_a_lake_that_cannot_be_pruned_keeps_the_run_for_another_time(monkeypatch):
    old, _ = make_day("superseded", "published")
    monkeypatch.setenv("LAKE_URI", "s3a://no-such-bucket/lake")

    with pytest.raises(CommandError, match=f"Run {old.pk} of {YESTERDAY} stays.*NoSuchBucket"):
        call_command("prune_runs", "--keep", "1")
    assert TopProduct.objects.of(old).exists()


@pytest.mark.parametrize("uri", ["", "lake", "s3a:///lake", "https://bucket/lake"])
def test_a_lake_that_is_none_is_refused_by_the_variables_name(monkeypatch, uri):
    monkeypatch.setenv("LAKE_URI", uri)

    with pytest.raises(ImproperlyConfigured, match="LAKE_URI"):
        call_command("prune_runs")


@pytest.mark.parametrize("keep", ["0", "-1", "all"])
def test_keeping_none_is_refused(keep):
    with pytest.raises(CommandError, match="--keep"):
        call_command("prune_runs", f"--keep={keep}")


def test_a_day_that_a_run_is_at_work_on_is_left_and_told(lake, database, capsys):
    old, _ = make_day("superseded", "published")
    with closing(psycopg2.connect(**database.libpq_parameters)) as batch, batch.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s, %s)", [LOCK_CLASS, YESTERDAY.toordinal()])
        call_command("prune_runs", "--keep", "1")

    assert capsys.readouterr().err.startswith(f"Left run {old.pk}: {YESTERDAY} is being worked on")
    assert TopProduct.objects.of(old).exists()


@pytest.mark.django_db(transaction=True)
def test_the_web_apps_role_may_not_prune_and_is_told_in_a_sentence(stack, lake):
    old, _ = make_day("superseded", "published")
    fill(lake, old)
    done = subprocess.run(
        [sys.executable, ROOT / "manage.py", "prune_runs", "--keep", "1"],
        env={**os.environ, "DATABASE_URL": stack.postgres.url(connection.settings_dict["NAME"], WEB)},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "The database of DATABASE_URL does not do its part: permission denied for table top_product; the command is for "
        "the owner of the tables, or `database_roles` has not run since the last `migrate`"
    ]
    assert all(folder.exists() for folder in folders(lake, old))
