"""Failing Spark tasks: one that fails once, one that always fails, one that is retried after its commit."""

import pytest

from tests.conftest import DAY, VIEWS
from tests.faults.points import COUNTED
from tests.faults.postgres_proxy import LossyProxy
from tests.processes import error_messages

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

THREE_TRIES = ("--master", "local[2,3]")  # attempts per task; `local[*]` allows one, a cluster four


@pytest.fixture
def failing_inserts(session):
    """A function that makes the first `times` rows that are inserted into top_ctr fail, in PostgreSQL."""

    def arm(times):
        session.query("create sequence fault")  # a sequence is not rolled back
        session.query("grant usage on sequence fault to public")
        session.query(
            "create function fail() returns trigger language plpgsql as $$ begin"
            f" if nextval('fault') <= {times} then raise exception 'no room for this row today'; end if;"
            " return new; end $$"
        )
        session.query("create trigger fail before insert on top_ctr for each row execute function fail()")

    yield arm
    session.query("drop function if exists fail cascade")
    session.query("drop sequence if exists fault")


def test_a_task_that_fails_once_is_retried_and_the_run_publishes(
    failing_inserts, reader, new_in_s3, spark_submit, nothing_is_left, counted
):
    failing_inserts(times=1)
    counted.faults += 1
    code, _, said = spark_submit(spark=THREE_TRIES)
    reader.read_on()

    assert code == 0, said
    assert reader.saw == ["old", "new"]
    assert nothing_is_left()


def test_a_task_that_always_fails_exits_1_with_its_reason_and_the_next_run_publishes(
    failing_inserts, reader, new_in_s3, spark_submit, session, nothing_is_left, the_next_night_publishes, counted
):
    failing_inserts(times=10**9)
    code, report, said = spark_submit(spark=THREE_TRIES)
    [(tries,)] = session.query("select last_value from fault")
    counted.faults += tries
    reader.read_on()

    assert (code, report["state"]) == (1, "failed")
    [message] = error_messages(said)
    assert "no room for this row today" in message
    assert "Traceback" not in said
    assert tries == 3
    assert reader.saw == ["old"]
    assert nothing_is_left()

    session.query("drop trigger fail on top_ctr")
    assert the_next_night_publishes()


def test_a_task_that_is_retried_after_its_commit_duplicates_no_rows(
    reader, new_in_s3, spark_submit, database, nothing_is_left, the_next_night_publishes, counted
):
    with LossyProxy(database.port, "INSERT INTO top_ctr") as proxy:
        code, report, said = spark_submit(spark=THREE_TRIES, DATABASE_URL=proxy.url(database))
    counted.faults += proxy.injected
    reader.read_on()

    assert proxy.injected == 1
    assert (code, report["state"]) == (1, "failed"), said
    [message] = error_messages(said)
    assert "duplicate key value violates unique constraint" in message
    assert reader.saw == ["old"]
    assert nothing_is_left()
    assert the_next_night_publishes()


def test_a_run_reports_published_even_if_the_response_to_the_publishing_commit_is_lost(
    reader, new_in_s3, spark_submit, database, nothing_is_left, counted
):
    with LossyProxy(database.port, "update run set state = 'published'") as proxy:
        code, report, said = spark_submit(DATABASE_URL=proxy.url(database))
    counted.faults += proxy.injected
    reader.read_on()

    assert proxy.injected == 1
    assert (code, report["state"]) == (0, "published"), said
    assert reader.saw == ["old", "new"]
    assert nothing_is_left()


def test_a_full_local_disk_exits_1_with_its_reason_and_the_next_run_publishes(
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
    assert "File too large" in " ".join(error_messages(said))
    assert "Traceback" not in said
    assert reader.saw == ["old"]
    assert the_next_night_publishes()


def test_of_two_runs_at_once_the_second_exits_4_naming_the_first_and_the_first_publishes(
    reader, stopped_at, spark_submit, session, url, nothing_is_left, counted
):
    patient = f"{url}?options=-c%20lock_timeout%3D300s"  # the second run may take longer than the usual minute
    with stopped_at(COUNTED, DATABASE_URL=patient) as first:
        [(run,)] = session.query("select id from run where state = 'running'")
        counted.faults += 1
        code, _, said = spark_submit()

        assert code == 4
        [message] = error_messages(said)
        assert f"(run {run}, started " in message
        assert first.is_running()

    code, _, said = first.wait()
    reader.read_on()

    assert code == 0, said
    assert reader.saw == ["old", "new"]
    assert nothing_is_left()
