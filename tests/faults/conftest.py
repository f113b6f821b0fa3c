"""Fixtures of the fault tests: a published day, a client that reads it without a pause, and counts for the summary."""

from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import chain

import pytest

from spark_jobs.warehouse import RUN_TABLES
from tests.faults.editions import NEW, OLD
from tests.faults.points import OPENED
from tests.faults.reader import Reader, by_queryset


@dataclass
class Counted:
    """What one test did and saw."""

    faults: int = 0
    reads: int = 0
    wrong: int = 0
    unanswered: int = 0


@pytest.fixture
def counted(request):
    """The counts of this test; they travel with its report, since each process of `pytest -n 2` runs only some tests."""
    counted = Counted()
    yield counted
    request.node.user_properties.append(("counted", asdict(counted)))


@pytest.fixture(scope="session")
def old_rows():
    """The rows of the published day before the fault, by server."""
    return {}


@pytest.fixture
def old_is_published(night, raw, session, old_rows):
    """The published day before the fault. The first test on a server runs the night; for the others its rows are copied."""
    for name, content in OLD.files.items():
        raw.put(f"{name}.csv", content)
    server = session.database.port
    if server in old_rows:
        session.copy_in(old_rows[server])
    else:
        assert night()
        old_rows[server] = session.copy_out(["run", "advertiser", *RUN_TABLES])


@pytest.fixture
def new_in_s3(bucket):
    """The day's new raw events in S3."""
    bucket(**NEW.files)


@pytest.fixture
def reader_settings():
    """The settings of the database to read, if it is not Django's own."""
    return


@pytest.fixture
def read_list():
    """How to read a list."""
    return by_queryset


@pytest.fixture
def reader(old_is_published, read_list, reader_settings, counted):
    """A client that reads from before the fault until after the next run; it must never see a wrong list."""
    reader = Reader([OLD, NEW], read_list, reader_settings).start()
    yield reader
    reader.stop()
    counted.reads += reader.reads["answered"]
    counted.unanswered += reader.reads["no answer"]
    counted.wrong += len(reader.wrong)
    assert reader.wrong == []


@pytest.fixture
def stopped_at(new_in_s3, start_job, session):
    """A function that starts a job over the new raw events and stops it at a point for the length of a `with` block."""

    @contextmanager
    def stop(point, **environment):
        job = start_job(**environment)
        session.wait_until(OPENED.is_there, job)  # before it opens its run, the job needs the tables for cleaning up
        with session.holding(point.locks):
            session.wait_until(point.is_there, job)
            yield job

    return stop


@pytest.fixture
def nothing_is_left(session):
    """A function that returns whether all runs have ended, and only published and superseded ones have rows."""

    def check():
        states = (
            "select array_agg(distinct state::text) <@ array['published', 'superseded', 'failed', 'refused'] from run"
        )
        rows = " union all ".join(f"select run_id from {table}" for table in RUN_TABLES)
        kept = "select id from run where state in ('published', 'superseded')"
        return session.tells(states) and session.tells(f"select not exists ({rows} except {kept})")

    return check


@pytest.fixture
def the_next_night_publishes(night, raw, reader, session, nothing_is_left):
    """A function that returns whether the next run publishes the new lists and cleans up."""

    def run():
        for name, content in NEW.files.items():
            raw.put(f"{name}.csv", content)
        published = night()
        reader.read_on()
        session.reconnect()
        return published and reader.saw == ["old", "new"] and nothing_is_left()

    return run


def pytest_terminal_summary(terminalreporter):
    """Print the counts of each test and their sums; docs/reliability.md quotes them."""
    by_test: dict[str, Counter[str]] = defaultdict(Counter)
    for report in chain.from_iterable(terminalreporter.stats.values()):
        if getattr(report, "when", None) == "teardown":
            name = report.nodeid.partition("[")[0].rpartition("::")[-1]
            by_test[name].update(dict(report.user_properties).get("counted", {}))
    counts = {name: counted for name, counted in by_test.items() if counted}
    if not counts:
        return
    terminalreporter.section("faults and what readers saw")
    for name, each in counts.items():
        terminalreporter.line(f"{each['faults']:6,} faults {each['reads']:9,} reads {each['wrong']:3} wrong  {name}")
    total: Counter[str] = sum(counts.values(), Counter())
    terminalreporter.line(
        f"faults injected: {total['faults']:,}; reads made: {total['reads']:,}; wrong reads: {total['wrong']:,}"
        f" (and {total['unanswered']:,} without a response while PostgreSQL was down)"
    )
