"""Rolling a day back to an earlier run: what changes, what does not, and what is refused."""

import os
import pwd
from contextlib import closing

import psycopg2
import pytest
from django.core.management import CommandError, call_command

from spark_jobs import warehouse
from tests.web.conftest import YESTERDAY, days_ago, make_advertiser, make_list, make_publication, make_run
from webapp.operations import locks
from webapp.operations.rollbacks import CannotRollBack, roll_back
from webapp.rankings.models import Advertiser, Rollback, Run, TopProduct

pytestmark = pytest.mark.django_db
DAY = str(YESTERDAY)


@pytest.fixture
def runs():
    """The runs of a day that was published three times, oldest first, each with a different list."""
    return make_runs("first", "second", "third")


def make_runs(*products):
    earlier = [make_run(state="superseded") for _ in products[1:]]
    for run, product in zip(earlier, products, strict=False):
        make_list(run, make_advertiser().pk, product)
    return [*earlier, make_publication(products=products[-1])]


def states():
    return list(Run.objects.order_by("id").values_list("state", flat=True))


def test_the_previous_run_is_published_again(runs):
    roll_back(YESTERDAY, "boss")

    assert states() == ["superseded", "published", "superseded"]


def test_the_api_serves_the_restored_run_at_once(get_json, runs):
    roll_back(YESTERDAY, "boss")
    response = get_json("/recommendations/A/TopProduct")

    assert (response["run"], response["items"][0]["product_id"]) == (runs[1].pk, "second")


def test_the_restored_run_has_the_time_of_the_rollback(runs):
    roll_back(YESTERDAY, "boss")

    assert Run.objects.published().get().published_at == Rollback.objects.get().at


def test_a_rollback_records_what_changed_who_did_it_and_why(runs):
    roll_back(YESTERDAY, "boss", "wrong prices")

    rollback = Rollback.objects.get()
    assert (rollback.day, rollback.withdrawn, rollback.restored) == (YESTERDAY, runs[2], runs[1])
    assert (rollback.author, rollback.reason) == ("boss", "wrong prices")
    assert rollback.at


def test_two_rollbacks_go_back_two_runs(runs):
    roll_back(YESTERDAY, "boss")
    roll_back(YESTERDAY, "boss")

    assert states() == ["published", "superseded", "superseded"]


def test_a_run_that_was_rolled_back_from_is_skipped_later(runs):
    roll_back(YESTERDAY, "boss")
    Run.objects.published().update(state="superseded")
    make_publication(products="fourth")
    roll_back(YESTERDAY, "boss")

    assert Run.objects.published().get() == runs[1]


def test_a_rollback_is_undone_by_naming_the_run(runs):
    roll_back(YESTERDAY, "boss")
    roll_back(YESTERDAY, "boss", to=runs[2].pk)

    assert states() == ["superseded", "superseded", "published"]


def test_other_days_are_unchanged(runs):
    other = make_publication(days_ago(1))
    roll_back(YESTERDAY, "boss")

    assert Run.objects.published().on(days_ago(1)).get() == other


def test_advertisers_that_the_withdrawn_run_deactivated_are_served_again(get_json, runs):
    Advertiser.objects.update(active=False)
    roll_back(YESTERDAY, "boss")

    assert get_json("/recommendations/A/TopProduct")["run"] == runs[1].pk


def test_an_older_day_does_not_change_who_is_active(runs):
    make_run(days_ago(-1))
    Advertiser.objects.update(active=False)
    roll_back(YESTERDAY, "boss")

    assert not Advertiser.objects.get().active


@pytest.mark.parametrize("state", ["failed", "refused", "running"])
def test_a_run_that_was_never_published_is_refused(runs, state):
    run = make_run(state=state)
    make_list(run, "A", "p1")

    with pytest.raises(CannotRollBack, match=f"Run {run.pk} of {DAY} is {state} and was never published"):
        roll_back(YESTERDAY, "boss", to=run.pk)


def test_a_run_without_rows_is_refused(runs):
    TopProduct.objects.of(runs[0]).delete()

    with pytest.raises(CannotRollBack, match=f"Run {runs[0].pk} of {DAY} has no rows any more"):
        roll_back(YESTERDAY, "boss", to=runs[0].pk)


def test_the_published_run_is_refused(runs):
    with pytest.raises(CannotRollBack, match=f"is already the published run of {DAY}"):
        roll_back(YESTERDAY, "boss", to=runs[2].pk)


def test_a_run_of_another_day_is_refused(runs):
    other = make_publication(days_ago(1))

    with pytest.raises(CannotRollBack, match=f"{DAY} has no run {other.pk}"):
        roll_back(YESTERDAY, "boss", to=other.pk)


def test_a_day_without_an_earlier_run_is_refused():
    make_publication()

    with pytest.raises(CannotRollBack, match="has no run published before run"):
        roll_back(YESTERDAY, "boss")


def test_a_day_that_is_not_published_is_refused():
    make_run(state="superseded")

    with pytest.raises(CannotRollBack, match="is not published"):
        roll_back(YESTERDAY, "boss")


def test_a_run_published_after_the_author_decided_is_refused(runs):
    with pytest.raises(CannotRollBack, match="in the meantime"):
        roll_back(YESTERDAY, "boss", to=runs[0].pk, seen=runs[1].pk)


def test_a_refused_rollback_changes_nothing(runs):
    with pytest.raises(CannotRollBack):
        roll_back(YESTERDAY, "boss", to=runs[2].pk)

    assert states() == ["superseded", "superseded", "published"]
    assert not Rollback.objects.exists()


def test_batch_and_web_lock_a_day_with_the_same_key():
    assert locks.LOCK_CLASS == warehouse.LOCK_CLASS


def test_a_locked_day_is_refused_and_the_run_is_named(runs, database):
    running = make_run(state="running")
    with closing(psycopg2.connect(**database.libpq_parameters)) as batch, batch.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s, %s)", [warehouse.LOCK_CLASS, YESTERDAY.toordinal()])

        with pytest.raises(locks.DayIsHeld, match=f"{DAY} is locked by run {running.pk}, started "):
            roll_back(YESTERDAY, "boss")


# The command


def test_the_command_reports_what_it_did(runs, capsys):
    call_command("rollback_day", DAY)

    assert capsys.readouterr().out.startswith(f"{DAY} is rolled back from run {runs[2].pk} to run {runs[1].pk}; ")


def test_the_command_rolls_back_to_the_given_run_and_keeps_the_reason(runs):
    call_command("rollback_day", DAY, "--to", str(runs[0].pk), "--reason", "wrong prices")

    assert states() == ["published", "superseded", "superseded"]
    assert Rollback.objects.get().reason == "wrong prices"


def test_the_commands_author_is_the_account_it_runs_as(runs, monkeypatch):
    monkeypatch.setenv("USER", "somebody-else")
    call_command("rollback_day", DAY)

    assert Rollback.objects.get().author == f"cli:{pwd.getpwuid(os.getuid()).pw_name}"


def test_the_command_refuses_in_one_line_with_exit_code_1():
    with pytest.raises(CommandError, match=f"^{DAY} is not published, so it cannot be rolled back.$") as refusal:
        call_command("rollback_day", DAY)

    assert refusal.value.returncode == 1


@pytest.mark.parametrize("arguments", [["yesterday"], ["2026-02-30"], [DAY, "--to", "last"], []], ids=str)
def test_bad_arguments_are_refused(arguments):
    with pytest.raises(CommandError, match="Error: "):
        call_command("rollback_day", *arguments)
