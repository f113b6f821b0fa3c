"""Fixtures for all tests: the services, one Spark session, raw files, and nightly runs in this process."""

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
from devstack.state import secret
from spark_jobs import nightly
from spark_jobs.database import Database
from spark_jobs.job import Job
from spark_jobs.night import NightlyRun
from spark_jobs.session import spark_session
from spark_jobs.settings import Storage, storage_from
from spark_jobs.warehouse import Warehouse
from tests.faults.database import Session
from tests.processes import Job as Process
from tests.services import STACK, hash_cheaply

DAY = "2026-11-20"
VIEWS, ADS = "advertiser_id,product_id,date\n", "advertiser_id,product_id,type,date\n"


@pytest.fixture(scope="session")
def stack(pytestconfig):
    """PostgreSQL and S3 as tests/services.py started them."""
    return pytestconfig.stash[STACK]


@pytest.fixture(scope="session")
def spark():
    """One Spark session for all tests, configured like the job's by conf/spark-defaults.conf."""
    logging.getLogger("py4j").setLevel(logging.ERROR)
    session = spark_session("tests", storage_from(os.environ))
    # Two shuffle partitions, as many as CI has cores, show what many show, for a seventh less time than the job's four.
    session.conf.set("spark.sql.shuffle.partitions", "2")
    yield session
    session.stop()


class RawFolder:
    """A RAW_URI on the local file system, which tests fill."""

    def __init__(self, folder):
        self.folder = folder
        self.uri = folder.as_uri()

    def put(self, name, text):
        """Write one file: bytes as they are, or text, compressed if the name ends in .gz. Returns self."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        encoded = text if isinstance(text, bytes) else text.encode()
        path.write_bytes(gzip.compress(encoded) if name.endswith(".gz") and isinstance(text, str) else encoded)
        return self

    def fill(self, active=("a",), views=(), ads=()):
        """Write the three inputs from tuples in column order; returns self."""
        self.put("advertiser_ids.csv", "advertiser_id\n" + "".join(f"{each}\n" for each in active))
        self.put("product_views.csv", VIEWS + "".join(",".join(row) + "\n" for row in views))
        return self.put("ads_views.csv", ADS + "".join(",".join(row) + "\n" for row in ads))


@pytest.fixture
def raw(tmp_path):
    """An empty folder for raw files."""
    return RawFolder(tmp_path / "raw")


def a_day_of_events(day=DAY):
    """The fewest raw events that can be published: one view, impression and click of product `p` of advertiser `a`."""
    return {"views": [("a", "p", day)], "ads": [("a", "p", "impression", day), ("a", "p", "click", day)]}


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker, stack):
    """pytest-django's test database, with the roles of batch and web."""
    from django.core.management import call_command

    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patched:
        for variable, password in stack.postgres.passwords().items():
            patched.setenv(variable, password)
        call_command("database_roles", stdout=io.StringIO())
    hash_cheaply(stack.postgres, BATCH)


@pytest.fixture
def database(stack, transactional_db):
    """Django's test database, with the role of the batch."""
    from django.db import connection

    return Database.from_url(stack.postgres.url(connection.settings_dict["NAME"], BATCH))


@pytest.fixture
def postgres(stack):
    """The server of the job's database."""
    return stack.postgres


@pytest.fixture
def session(database, postgres):
    """An administrator's session in the job's database: it can end other sessions and lock any table."""
    administrator = replace(database, user="postgres", password=secret(postgres.folder, "postgres"))
    with closing(Session(administrator)) as session:
        yield session


@pytest.fixture
def night(run_night, raw, tmp_path):
    """A function that runs the nightly job in this process and returns whether the audit passed.

    Keywords are environment variables, such as `MAX_REJECTED_SHARE="1"`.
    """
    return partial(run_night, Storage(raw.uri, (tmp_path / "lake").as_uri()))


@pytest.fixture
def night_on_s3(run_night, prefix):
    """The same with S3, under `prefix`."""
    return partial(run_night, replace(storage_from(os.environ), raw_uri=f"{prefix}/raw", lake_uri=f"{prefix}/lake"))


@pytest.fixture
def run_night(spark, database):
    """A function that runs the nightly job on a given storage."""

    def run(storage, *arguments, **variables):
        days = [] if {"--from", "--day"} & set(arguments) else ["--day", DAY]
        options = nightly.options_from(nightly.parser().parse_args([*days, *arguments]), variables)
        with closing(Warehouse(database)) as warehouse:
            nightly.lock(warehouse, options)
            return NightlyRun(Job(spark, warehouse, storage, options)).run()

    return run


@pytest.fixture
def prefix(stack):
    """An unused s3a:// folder in the tests' bucket."""
    return f"s3a://{stack.s3.bucket}/{uuid.uuid4().hex}"


@pytest.fixture
def put(stack, prefix):
    """A function that writes an object, text or bytes, to the folder `raw` under `prefix`."""
    folder = prefix.removeprefix(f"s3a://{stack.s3.bucket}/")
    client = stack.s3.client()
    return lambda name, content: client.put_object(Bucket=stack.s3.bucket, Key=f"{folder}/raw/{name}", Body=content)


@pytest.fixture
def bucket(put):
    """A function that writes raw files there; keywords are names without the ending."""

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
    """A function that starts nightly.py with spark-submit, reading and writing under `prefix`, and returns the Job."""
    jobs = []

    def start(*arguments, spark=(), largest_file=None, terminal=None, **environment):
        places = {
            "DATABASE_URL": url,
            "RAW_URI": f"{prefix.replace('s3a:', 's3:')}/raw",
            "LAKE_URI": f"{prefix}/lake",
        }
        command = [*spark, "spark_jobs/nightly.py", "--day", DAY, *arguments]
        jobs.append(
            Process(*command, environment={**places, **environment}, largest_file=largest_file, terminal=terminal)
        )
        return jobs[-1]

    yield start
    for job in jobs:
        job.kill()


@pytest.fixture
def spark_submit(start_job):
    """A function that runs nightly.py with spark-submit: (exit code, JSON of the last line or None, output)."""

    def run(*arguments, **environment):
        return start_job(*arguments, **environment).wait()

    return run
