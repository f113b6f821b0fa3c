"""`kill -9` of JVM and Python at each point of a run."""

import pytest

from tests.faults.editions import NEW
from tests.faults.points import HALF_APPENDED, OPENED, PUBLISHED, PUBLISHING
from webapp.rankings.models import Run

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

BEFORE_THE_COMMIT = {
    "the run is opened": OPENED,
    "half of the rows are appended": HALF_APPENDED,
    "the day is flipped but not committed": PUBLISHING,
}


@pytest.fixture
def killed_at(stopped_at, session, reader, counted):
    """A function that starts a job, kills it at a point, and waits until PostgreSQL and the client have noticed."""

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
def test_after_a_kill_before_the_commit_clients_keep_the_old_lists_and_the_next_run_cleans_up_and_publishes(
    point, killed_at, reader, the_next_night_publishes
):
    killed_at(BEFORE_THE_COMMIT[point])
    dead = Run.objects.latest("id")

    assert reader.saw == ["old"]
    assert dead.state == "running"
    assert the_next_night_publishes()

    dead.refresh_from_db()

    assert (dead.state, dead.message) == ("failed", "the process died without reporting")


def test_after_a_kill_after_the_commit_clients_have_the_new_lists_and_the_next_run_supersedes_them(
    killed_at, reader, night, raw, nothing_is_left
):
    killed_at(PUBLISHED)
    dead = Run.objects.latest("id")

    assert reader.saw == ["old", "new"]
    assert dead.state == "published"

    for name, content in NEW.files.items():
        raw.put(f"{name}.csv", content)
    assert night()
    reader.read_on()
    dead.refresh_from_db()

    assert reader.saw == ["old", "new"]
    assert dead.state == "superseded"
    assert nothing_is_left()
