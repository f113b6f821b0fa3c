"""Spark's own way with bad luck: a task that fails once, one that fails always, one that is run again after its commit."""

import pytest

from tests.conftest import DAY, VIEWS
from tests.faults.points import COUNTED
from tests.faults.postgres_proxy import LossyWay
from tests.processes import complaints

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

THREE_TRIES = ("--master", "local[2,3]")  # `local[*]` gives a task one; a cluster gives it four


@pytest.fixture
def failing_inserts(session):
    """A function that makes the first `times` rows that are inserted into top_ctr fail, in PostgreSQL."""

    def arm(times):
        session.ask("create sequence fault")  # is not rolled back with the row that failed
        session.ask("grant usage on sequence fault to public")
        session.ask(
            "create function fail() returns trigger language plpgsql as $$ begin"
            f" if nextval('fault') <= {times} then raise exception 'no room for this row today'; end if;"
            " return new; end $$"
        )
        session.ask("create trigger fail before insert on top_ctr for each row execute function fail()")

    yield arm
    session.ask("drop function if exists fail cascade")
    session.ask("drop sequence if exists fault")


def test_a_task_that_fails_once_is_run_again_and_the_run_publishes(
    failing_inserts, reader, new_in_s3, spark_submit, nothing_is_left, counted
):
    failing_inserts(times=1)
    counted.faults += 1
    code, _, said = spark_submit(spark=THREE_TRIES)
    reader.read_on()

    assert code == 0, said
    assert reader.saw == ["old", "new"]
    assert nothing_is_left()


def test_a_task_that_fails_always_ends_the_job_1_with_its_reason_and_the_next_run_publishes(
    failing_inserts, reader, new_in_s3, spark_submit, session, nothing_is_left, counted
):
    failing_inserts(times=10**9)
    code, report, said = spark_submit(spark=THREE_TRIES)
    [(tries,)] = session.ask("select last_value from fault")
    counted.faults += tries
    reader.read_on()

    assert (code, report["state"]) == (1, "failed")
    [complaint] = complaints(said)
    assert "no room for this row today" in complaint
    assert "Traceback" not in said
    assert tries == 3
    assert reader.saw == ["old"]
    assert nothing_is_left()

    session.ask("drop trigger fail on top_ctr")
    code, _, said = spark_submit()
    reader.read_on()

    assert code == 0, said
    assert reader.saw == ["old", "new"]


def test_a_task_that_commits_its_rows_and_is_run_again_doubles_none_of_them(
    reader, new_in_s3, spark_submit, database, session, nothing_is_left, counted
):
    with LossyWay(database.port, "INSERT INTO top_ctr") as way:
        code, report, said = spark_submit(spark=THREE_TRIES, DATABASE_URL=way.url(database))
    counted.faults += way.injected
    reader.read_on()

    assert way.injected == 1
    assert (code, report["state"]) == (1, "failed"), said
    [complaint] = complaints(said)
    assert "duplicate key value violates unique constraint" in complaint
    assert reader.saw == ["old"]
    assert nothing_is_left()

    code, _, said = spark_submit()
    reader.read_on()

    assert code == 0, said
    assert reader.saw == ["old", "new"]


def test_where_the_answer_to_the_publishing_commit_is_lost_the_run_asks_again_and_says_published(
    reader, new_in_s3, spark_submit, database, nothing_is_left, counted
):
    with LossyWay(database.port, "update run set state = 'published'") as way:
        code, report, said = spark_submit(DATABASE_URL=way.url(database))
    counted.faults += way.injected
    reader.read_on()

    assert way.injected == 1
    assert (code, report["state"]) == (0, "published"), said
    assert reader.saw == ["old", "new"]
    assert nothing_is_left()


def test_on_a_full_disk_of_sparks_own_the_job_ends_1_and_says_so_and_the_next_run_publishes(
    raw, start_job, reader, tmp_path, the_next_night_publishes, counted
):
    raw.put(
        "product_views.csv", VIEWS + "".join(f"a,{n:08x}{n * 2654435761 % 2**32:08x},{DAY}\n" for n in range(50_000))
    )
    lake = (tmp_path / "lake").as_uri()
    counted.faults += 1
    code, report, said = start_job("--raw-uri", raw.uri, "--lake-uri", lake, largest_file=2**16).wait()
    reader.read_on()

    assert (code, report["state"]) == (1, "failed"), said
    assert "File too large" in " ".join(complaints(said))
    assert "Traceback" not in said
    assert reader.saw == ["old"]
    assert the_next_night_publishes()


def test_of_two_runs_at_once_the_second_ends_4_naming_the_first_which_publishes(
    reader, stopped_at, spark_submit, session, nothing_is_left, counted
):
    with stopped_at(COUNTED) as first:
        [(run,)] = session.ask("select id from run where state = 'running'")
        counted.faults += 1
        code, _, said = spark_submit()

        assert code == 4
        [complaint] = complaints(said)
        assert f"(run {run}, started " in complaint
        assert first.is_running()

    code, _, said = first.wait()
    reader.read_on()

    assert code == 0, said
    assert reader.saw == ["old", "new"]
    assert nothing_is_left()
