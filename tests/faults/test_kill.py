"""`kill -9` of JVM and Python at each named point of a night."""

import pytest

from tests.faults.points import AUDITED, COUNTED, HALF_APPENDED, OPENED, PUBLISHED, PUBLISHING
from webapp.rankings.models import Run

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

BEFORE_THE_COMMIT = {
    "the run is opened": OPENED,
    "its counts are written": COUNTED,
    "half of its rows are appended": HALF_APPENDED,
    "its audit is passed": AUDITED,
    "the day is flipped and not committed": PUBLISHING,
}


@pytest.fixture
def killed_at(stopped_at, session, reader, counted):
    """A function that starts a job, kills it at a point, and waits until PostgreSQL has noticed and the reader read on."""

    def kill(point):
        with stopped_at(point) as job:
            assert job.is_running()
            job.kill()
            counted.faults += 1
        session.wait_until(
            "select not exists (select from pg_stat_activity where application_name = 'vitrina nightly')"
        )
        reader.read_on()

    return kill


@pytest.mark.parametrize("point", BEFORE_THE_COMMIT)
def test_killed_before_the_commit_readers_keep_the_old_lists_and_the_next_run_clears_up_and_publishes(
    point, killed_at, reader, the_next_night_publishes
):
    killed_at(BEFORE_THE_COMMIT[point])
    dead = Run.objects.latest("id")

    assert reader.saw == ["old"]
    assert dead.state == "running"
    assert the_next_night_publishes()

    dead.refresh_from_db()

    assert (dead.state, dead.message) == ("failed", "its process ended without a word")


def test_killed_after_the_commit_readers_have_the_new_lists_and_the_next_run_takes_their_place(
    killed_at, reader, spark_submit, nothing_is_left
):
    killed_at(PUBLISHED)
    dead = Run.objects.latest("id")

    assert reader.saw == ["old", "new"]
    assert dead.state == "published"

    code, _, said = spark_submit()
    reader.read_on()
    dead.refresh_from_db()

    assert code == 0, said
    assert reader.saw == ["old", "new"]
    assert dead.state == "superseded"
    assert nothing_is_left()
