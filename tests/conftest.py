"""Fixtures for all tests: the services, one Spark session for the whole run, raw files, and a night run in this process."""

import gzip
import io
import logging
import os
import uuid
from contextlib import closing
from dataclasses import replace
from functools import partial

import pytest

from devstack.postgres import BATCH
from spark_jobs import nightly
from spark_jobs.night import Nights
from spark_jobs.session import spark_session
from spark_jobs.settings import Database, Storage, storage_from
from spark_jobs.warehouse import Warehouse
from tests.processes import Job
from tests.services import STACK

DAY = "2026-11-20"
VIEWS, ADS = "advertiser_id,product_id,date\n", "advertiser_id,product_id,type,date\n"


@pytest.fixture(scope="session")
def stack(pytestconfig):
    """PostgreSQL and S3 as tests/services.py started them."""
    return pytestconfig.stash[STACK]


@pytest.fixture(scope="session")
def spark():
    """One Spark session, configured by conf/spark-defaults.conf as the job's own is."""
    logging.getLogger("py4j").setLevel(logging.ERROR)
    session = spark_session("tests", storage_from(os.environ))
    yield session
    session.stop()


class RawFolder:
    """A RAW_URI on the local file system, to be filled by a test."""

    def __init__(self, folder):
        self.folder = folder
        self.uri = folder.as_uri()

    def put(self, name, text):
        """Write one file: text, compressed if its name ends in .gz, or bytes as they are; returns self."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        encoded = text if isinstance(text, bytes) else text.encode()
        path.write_bytes(gzip.compress(encoded) if name.endswith(".gz") and isinstance(text, str) else encoded)
        return self

    def fill(self, active=("a",), views=(), ads=()):
        """Write the three inputs from tuples in the order of their columns; returns self."""
        self.put("advertiser_ids.csv", "advertiser_id\n" + "".join(f"{each}\n" for each in active))
        self.put("product_views.csv", VIEWS + "".join(",".join(row) + "\n" for row in views))
        return self.put("ads_views.csv", ADS + "".join(",".join(row) + "\n" for row in ads))


@pytest.fixture
def raw(tmp_path):
    """An empty folder for raw files."""
    return RawFolder(tmp_path / "raw")


def a_day_of_events(day=DAY):
    """The least raw rows that a night publishes: advertiser `a`, product `p`, seen, shown and clicked."""
    return {"views": [("a", "p", day)], "ads": [("a", "p", "impression", day), ("a", "p", "click", day)]}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker, stack):
    """pytest-django's test database, with the roles of batch and web."""
    from django.core.management import call_command

    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patched:
        for variable, password in stack.postgres.passwords().items():
            patched.setenv(variable, password)
        call_command("database_roles", stdout=io.StringIO())


@pytest.fixture
def database(stack, transactional_db):
    """Django's test database, as the batch sees it."""
    from django.db import connection

    return Database.from_url(stack.postgres.url(connection.settings_dict["NAME"], BATCH))


@pytest.fixture
def night(run_night, raw, tmp_path):
    """A function that runs nights in this process against the test database and tells whether the audit passed.

    Keywords are variables of the audit: `MAX_REJECTED_SHARE="1"`.
    """

    return partial(run_night, Storage(raw.uri, (tmp_path / "lake").as_uri()))


@pytest.fixture
def night_on_s3(run_night, prefix):
    """The same over s3a, under `prefix`."""
    return partial(run_night, replace(storage_from(os.environ), raw_uri=f"{prefix}/raw", lake_uri=f"{prefix}/lake"))


@pytest.fixture
def run_night(spark, database):
    """A function that runs nights on a storage."""

    def run(storage, *arguments, **variables):
        days = [] if {"--from", "--day"} & set(arguments) else ["--day", DAY]
        options = nightly.options_from(nightly.parser().parse_args([*days, *arguments]), variables)
        with closing(Warehouse(database)) as warehouse:
            warehouse.hold(options.days, anew=not options.dry_run)
            return Nights(spark, warehouse, storage, options).run()

    return run


@pytest.fixture
def prefix(stack):
    """A fresh s3a:// folder in the tests' bucket."""
    return f"s3a://{stack.s3.bucket}/{uuid.uuid4().hex}"


@pytest.fixture
def put(stack, prefix):
    """A function that writes an object, text or bytes, under the raw folder of the test's own s3a:// folder."""
    folder = prefix.removeprefix(f"s3a://{stack.s3.bucket}/")
    client = stack.s3.client()
    return lambda name, content: client.put_object(Bucket=stack.s3.bucket, Key=f"{folder}/raw/{name}", Body=content)


@pytest.fixture
def bucket(put):
    """A function that puts raw files there, each by its name without the ending."""

    def fill(**objects):
        for name, content in objects.items():
            put(f"{name}.csv", content)

    return fill


@pytest.fixture
def url(stack, transactional_db):
    """The DATABASE_URL of Django's test database for the batch."""
    from django.db import connection

    return stack.postgres.url(connection.settings_dict["NAME"], BATCH)


@pytest.fixture
def start_job(url, prefix):
    """A function that starts nightly.py by spark-submit, over the test's own s3a:// folder, and returns the Job."""
    jobs = []

    def start(*arguments, spark=(), largest_file=None, **environment):
        places = {
            "DATABASE_URL": url,
            "RAW_URI": f"{prefix.replace('s3a:', 's3:')}/raw",
            "LAKE_URI": f"{prefix}/lake",
        }
        command = [*spark, "spark_jobs/nightly.py", "--day", DAY, *arguments]
        jobs.append(Job(*command, environment={**places, **environment}, largest_file=largest_file))
        return jobs[-1]

    yield start
    for job in jobs:
        job.kill()


@pytest.fixture
def spark_submit(start_job):
    """A function that runs nightly.py by spark-submit to its end: (exit code, last line's JSON or None, what it said)."""

    def run(*arguments, **environment):
        return start_job(*arguments, **environment).wait()

    return run
