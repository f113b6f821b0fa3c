"""What fault tests share: a day that readers see, a reader who never stops asking, and the count of what was tried."""

from collections import defaultdict
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

import pytest

from devstack.state import secret
from spark_jobs.warehouse import RUN_TABLES
from tests.faults.database import Session
from tests.faults.editions import NEW, OLD
from tests.faults.points import OPENED
from tests.faults.reader import Reader, by_queryset


@dataclass
class Counted:
    """What one promise was tried with."""

    faults: int = 0
    reads: int = 0
    wrong: int = 0
    unanswered: int = 0


COUNTED = pytest.StashKey[dict[str, Counted]]()


def pytest_configure(config):
    config.stash[COUNTED] = defaultdict(Counted)


@pytest.fixture
def counted(request):
    """What is counted of this test."""
    return request.config.stash[COUNTED][request.node.originalname or request.node.name]


@pytest.fixture
def postgres(stack):
    """The server of the job's database."""
    return stack.postgres


@pytest.fixture
def session(database, postgres):
    """An administrator's session in the job's database: sees and ends other roles' sessions, locks what he likes."""
    administrator = replace(database, user="postgres", password=secret(postgres.folder, "postgres"))
    with closing(Session(administrator)) as session:
        yield session


@pytest.fixture
def old_is_published(night, raw):
    """The day as readers have it before the fault."""
    for name, content in OLD.files.items():
        raw.put(f"{name}.csv", content)
    assert night()


@pytest.fixture
def new_in_s3(bucket):
    """The day's raw events in S3 as they are now."""
    bucket(**NEW.files)


@pytest.fixture
def reader_settings():
    """The settings of the database that the reader asks, where it is not Django's own."""
    return


@pytest.fixture
def ask():
    """How the reader asks for a list."""
    return by_queryset


@pytest.fixture
def reader(old_is_published, ask, reader_settings, counted):
    """A reader at work from before the fault until after the next run; no answer of his may be wrong."""
    reader = Reader([OLD, NEW], ask, reader_settings).start()
    yield reader
    reader.stop()
    counted.reads += reader.reads["answered"]
    counted.unanswered += reader.reads["no answer"]
    counted.wrong += len(reader.wrong)
    assert reader.wrong == []


@pytest.fixture
def stopped_at(new_in_s3, start_job, session):
    """A function that starts a job over the new raw events and holds it at a point while its `with` block lasts."""

    @contextmanager
    def stop(point, **environment):
        job = start_job(**environment)
        session.wait_until(OPENED.is_there, job)  # what a job clears up before it opens its run needs the tables, too
        with session.holding(point.locks):
            session.wait_until(point.is_there, job)
            yield job

    return stop


@pytest.fixture
def nothing_is_left(session):
    """A function that tells whether the ledger and the tables hold nothing of runs that came to nothing."""

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
    """A function that tells whether the next run publishes the new lists and leaves nothing of the one before."""

    def run():
        for name, content in NEW.files.items():
            raw.put(f"{name}.csv", content)
        published = night()
        reader.read_on()
        session.reconnect()
        return published and reader.saw == ["old", "new"] and nothing_is_left()

    return run


def pytest_terminal_summary(terminalreporter, config):
    """Say what was counted, test by test and in all; docs/reliability.md quotes it."""
    if not config.stash[COUNTED]:
        return
    terminalreporter.section("faults and what readers saw")
    rows = config.stash[COUNTED].items()
    for name, each in rows:
        terminalreporter.line(f"{each.faults:6,} faults {each.reads:9,} reads {each.wrong:3} wrong  {name}")
    faults, reads, wrong, unanswered = (
        sum(getattr(each, field) for _, each in rows) for field in ("faults", "reads", "wrong", "unanswered")
    )
    terminalreporter.line(
        f"faults injected: {faults:,}; reads made: {reads:,}; wrong reads: {wrong:,}"
        f" (and {unanswered:,} without an answer while PostgreSQL was down)"
    )
