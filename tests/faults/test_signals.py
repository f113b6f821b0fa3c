"""SIGTERM, as a scheduler or systemd sends it: the run ends failed, its lock is free, all within ten seconds."""

import os
import signal
import time

import pytest

from tests.conftest import DAY
from tests.faults.points import COUNTED, PUBLISHING, waits
from webapp.rankings.models import Run

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

RECEIVERS = {"spark-submit alone": os.kill, "its whole process group": os.killpg}
POINTS = {"in the append": COUNTED, "in the publish": PUBLISHING}
AT_THE_ENTRY = "wait_event_type = 'Lock' and query ilike 'select state from run%'"
IS_GONE = "select not exists (select from pg_stat_activity where application_name = 'vitrina nightly')"
IS_FREE = (
    "select not exists (select from pg_locks where locktype = 'advisory')"
    " and not exists (select from run where state = 'running')"
)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("receiver", RECEIVERS)
def test_a_terminated_job_marks_its_run_failed_and_frees_its_day_within_ten_seconds(
    receiver, point, stopped_at, session, reader, counted, the_next_night_publishes
):
    with stopped_at(POINTS[point]) as job:
        RECEIVERS[receiver](job.process.pid, signal.SIGTERM)
        counted.faults += 1
        sent = time.monotonic()
        code, _, said = job.wait(60)
        session.wait_until(IS_FREE)
        took = time.monotonic() - sent
    stopped = Run.objects.latest("id")

    assert took < 10
    assert code != 0
    assert (str(stopped.day), stopped.state) == (DAY, "failed")
    assert stopped.message in ("stopped by a signal", "Spark's JVM has ended: stopped by a signal, or out of memory")
    assert "Traceback" not in said
    assert reader.saw == ["old"]
    assert the_next_night_publishes()


def test_a_job_that_is_told_to_stop_while_it_enters_a_failure_enters_it_all_the_same(
    stopped_at, session, reader, counted, nothing_is_left
):
    the_run_is_locked = "select from run where state = 'running' for update"
    with stopped_at(COUNTED) as job, session.holding(the_run_is_locked):
        job.process.kill()  # Spark alone; a second later, Python tells itself to stop
        counted.faults += 1
        session.wait_until(waits("select state from run"))
        [(first,)] = session.ask(f"select xact_start from pg_stat_activity where {AT_THE_ENTRY}")
        session.wait_until(
            f"select not exists (select from pg_stat_activity where {AT_THE_ENTRY} and xact_start = '{first}')"
        )
    session.wait_until(IS_GONE)

    assert Run.objects.latest("id").state == "failed"
    assert nothing_is_left()
    assert reader.saw == ["old"]
