"""SIGTERM, as schedulers and systemd send it: within ten seconds the run has failed and its day is unlocked."""

import os
import signal
import time

import pytest

from tests.conftest import DAY
from tests.faults.points import COUNTED, IS_FREE, PUBLISHING, waits
from webapp.rankings.models import Run

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

CLOSING = "wait_event_type = 'Lock' and query ilike 'select state from run%'"
IS_GONE = "select not exists (select from pg_stat_activity where application_name = 'vitrina nightly')"


@pytest.mark.parametrize(
    ("send", "point"),
    [(os.kill, COUNTED), (os.killpg, PUBLISHING)],
    ids=["spark-submit alone, in the append", "its whole process group, in the publish"],
)
def test_a_terminated_job_fails_its_run_and_unlocks_its_day_within_ten_seconds(
    send, point, stopped_at, session, reader, counted, the_next_night_publishes
):
    with stopped_at(point) as job:
        send(job.process.pid, signal.SIGTERM)
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


def test_a_job_that_is_terminated_while_it_records_a_failure_still_records_it(
    url, stopped_at, session, reader, counted, nothing_is_left
):
    impatient = f"{url}?options=-c%20lock_timeout%3D10s"  # instead of a minute, in which nothing happens
    the_run_is_locked = "select from run where state = 'running' for update"
    with stopped_at(COUNTED, DATABASE_URL=impatient) as job, session.holding(the_run_is_locked):
        job.process.kill()  # only Spark; a second later, Python sends itself SIGTERM
        counted.faults += 1
        session.wait_until(waits("select state from run"))
        [(first,)] = session.query(f"select xact_start from pg_stat_activity where {CLOSING}")
        session.wait_until(
            f"select not exists (select from pg_stat_activity where {CLOSING} and xact_start = '{first}')"
        )
    session.wait_until(IS_GONE)

    assert Run.objects.latest("id").state == "failed"
    assert nothing_is_left()
    assert reader.saw == ["old"]
