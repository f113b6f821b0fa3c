"""PostgreSQL stops, cuts connections, is locked, or has a full disk while a real job appends or publishes."""

import re
from contextlib import closing
from itertools import count

import psycopg2
import pytest

from spark_jobs.database import Database
from tests.faults.points import COUNTED, HALF_APPENDED, PUBLISHING
from tests.faults.server import FragileServer
from tests.processes import error_messages

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def postgres(stack):
    """The module's own server, with all tables."""
    server = FragileServer(stack.folder / "fragile")
    yield server
    server.stop()


@pytest.fixture
def url(postgres):
    """Its DATABASE_URL; the tables are empty."""
    with closing(psycopg2.connect(postgres.url())) as connection, connection, connection.cursor() as cursor:
        cursor.execute("truncate run, advertiser cascade")
    return postgres.url()


@pytest.fixture
def database(url):
    return Database.from_url(url)


@pytest.fixture
def reader_settings(database, django_db_blocker):
    """Django's settings for this server."""
    from django.db import connection

    here = {"HOST": database.host, "PORT": database.port, "USER": database.user, "PASSWORD": database.password}
    with django_db_blocker.unblock():
        yield {**connection.settings_dict, **here, "NAME": database.name}


FAULTS = {
    "is stopped, fast": lambda server, session, query: (server.halt("fast"), server.resume()),
    "is stopped, immediate": lambda server, session, query: (server.halt("immediate"), server.resume()),
    "cuts the job's connection": lambda server, session, query: session.cut_off(query),
}


@pytest.mark.parametrize(
    ("fault", "point", "query"),
    [
        ("is stopped, fast", HALF_APPENDED, "insert into top_ctr"),
        ("is stopped, immediate", PUBLISHING, "insert into advertiser"),
        ("cuts the job's connection", PUBLISHING, "insert into advertiser"),
    ],
)
def test_if_postgresql_goes_away_the_job_exits_1_clients_keep_the_old_lists_and_the_next_run_publishes(
    fault, point, query, postgres, reader, stopped_at, session, the_next_night_publishes, counted
):
    with stopped_at(point) as job:
        FAULTS[fault](postgres, session, query)
        counted.faults += 1
        code, report, said = job.wait()
    reader.read_on()

    assert (code, report["state"]) == (1, "failed"), said
    assert "Traceback" not in said
    assert re.search("terminat|connection|shutting down", " ".join(error_messages(said))), said
    assert reader.saw == ["old"]
    assert the_next_night_publishes()


def test_the_job_waits_for_locks_that_are_held_for_a_while_in_append_and_publish_and_publishes(
    reader, stopped_at, session, nothing_is_left, counted
):
    with session.holding(PUBLISHING.locks):
        with stopped_at(COUNTED) as job:
            reader.read_on(times=200)
        session.wait_until(PUBLISHING.is_there, job)
        reader.read_on(times=200)
        counted.faults += 2
        seen_meanwhile = list(reader.saw)
    code, _, said = job.wait()
    reader.read_on()

    assert seen_meanwhile == ["old"]
    assert code == 0, said
    assert reader.saw == ["old", "new"]
    assert nothing_is_left()


@pytest.mark.parametrize("point", [COUNTED, PUBLISHING], ids=["append", "publish"])
def test_a_lock_that_is_never_released_ends_the_job_with_1_after_the_lock_timeout(
    point, url, reader, stopped_at, the_next_night_publishes, counted
):
    with stopped_at(point, DATABASE_URL=f"{url}?options=-c%20lock_timeout%3D2s") as job:
        counted.faults += 1
        code, report, said = job.wait()
    reader.read_on()

    assert (code, report["state"]) == (1, "failed")
    message = " ".join(error_messages(said))
    assert "canceling statement due to lock timeout" in message
    assert "another session holds a lock on a table" in message
    assert reader.saw == ["old"]
    assert the_next_night_publishes()


def test_on_a_full_disk_the_job_exits_1_clients_keep_the_old_lists_and_a_run_with_space_publishes(
    postgres, reader, new_in_s3, start_job, session, the_next_night_publishes, counted
):
    full = fill(session)
    postgres.halt("fast")
    postgres.resume(largest_file=full)
    session.reconnect()
    next(number for number in count() if not can_take_another_row(session, number))
    counted.faults += 1
    code, report, said = start_job().wait()
    postgres.halt("fast")
    postgres.resume()
    reader.read_on()

    assert (code, report["state"]) == (1, "failed"), said
    assert "could not extend file" in " ".join(error_messages(said))
    assert reader.saw == ["old"]
    assert the_next_night_publishes()


def fill(session):
    """Make the table top_ctr larger than a segment of the write-ahead log, and return its size in bytes."""
    session.query("alter table top_ctr set (autovacuum_enabled = false)")  # it would free space within full pages
    [(run,)] = session.query(
        "insert into run (day, state, published_at) values ('2026-01-01', 'superseded', now()) returning id"
    )
    session.query(
        "insert into top_ctr (run_id, date, advertiser_id, product_id, rank, clicks, impressions, ctr, score)"
        " select %s, '2026-01-01', 'filler ' || n, repeat('x', 64), 1, 0, 1, 0, 0 from generate_series(1, 110000) as n",
        run,
    )
    [(size,)] = session.query("select pg_relation_size('top_ctr')")
    assert size > 16 * 2**20
    return size


def can_take_another_row(session, number):
    """Try to insert a row that is shorter than the job's; return whether there was space."""
    try:
        session.query(
            "insert into top_ctr (run_id, date, advertiser_id, product_id, rank, clicks, impressions, ctr, score)"
            " select max(id), '2026-01-01', chr(19968 + %s), 'p', 1, 0, 1, 0, 0 from run where state = 'superseded'",
            number,
        )
    except psycopg2.Error:
        return False
    return True
