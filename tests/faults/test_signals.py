"""SIGTERM, as a scheduler or systemd sends it: the run ends failed, its lock is free, all within ten seconds."""

import os
import signal
import time

import pytest

from tests.conftest import DAY
from tests.faults.points import COUNTED, PUBLISHING
from webapp.rankings.models import Run

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

RECEIVERS = {"spark-submit alone": os.kill, "its whole process group": os.killpg}
POINTS = {"in the append": COUNTED, "in the publish": PUBLISHING}
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
