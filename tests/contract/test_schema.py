"""All tables may be in a schema of their own, chosen by search_path; both halves find them there."""

import os
import subprocess
import sys
from contextlib import closing
from urllib.parse import quote

import psycopg2
import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from psycopg2.sql import SQL, Identifier

from devstack.postgres import BATCH, OWNER, WEB
from devstack.state import ROOT
from spark_jobs import nightly
from spark_jobs.database import Database
from spark_jobs.job import Job
from spark_jobs.night import NightlyRun
from spark_jobs.settings import Storage
from spark_jobs.warehouse import Warehouse
from tests.conftest import DAY, a_day_of_events
from tests.web.conftest import connected_otherwise, plain_static_files  # noqa: F401
from webapp import environment

pytestmark = pytest.mark.long

OPTIONS = "-c search_path=ads"


class OwnSchema:
    """A database whose owner chooses the schema `ads` in one of PostgreSQL's ways."""

    def __init__(self, postgres, way):
        self.postgres = postgres
        self.name = f"schema {way}"
        self.query = f"?options={quote(OPTIONS)}" if way == "URL" else ""
        self.environment = {"PGOPTIONS": OPTIONS} if way == "PGOPTIONS" else {}

    def url(self, role, query=""):
        return self.postgres.url(quote(self.name), role) + query

    def execute(self, statement, *names, database=None):
        with closing(psycopg2.connect(database or self.url(OWNER))) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute(SQL(statement).format(*map(Identifier, names)))
            return cursor.fetchall() if cursor.description else []

    def manage(self, *command):
        variables = {"DATABASE_URL": self.url(OWNER, self.query), **self.environment, **self.postgres.passwords()}
        done = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module", params=["URL", "PGOPTIONS", "ALTER ROLE", "the owner's name"])
def own_schema(request, stack):
    """The database, migrated, with the roles of both halves."""
    schema = OwnSchema(stack.postgres, request.param)
    schema.execute("create database {}", schema.name, database=stack.postgres.url())
    if request.param == "the owner's name":  # PostgreSQL looks there first
        schema.execute("create schema {}", OWNER)
    else:
        schema.execute("create schema ads")
    if request.param == "ALTER ROLE":
        schema.execute("alter role {} in database {} set search_path = ads", OWNER, schema.name)
    schema.manage("migrate", "--verbosity", "0")
    schema.manage("database_roles")
    return schema


def test_no_table_is_in_public(own_schema):
    [(in_schema, others)] = own_schema.execute(
        "select count(*) filter (where schemaname in ('ads', 'vitrina')), count(*) filter (where schemaname = 'public')"
        " from pg_tables"
    )

    assert (in_schema > 20, others) == (True, 0)


# `database_roles` has set the roles' search path, so only the schema's name makes a difference here.
@pytest.mark.parametrize("own_schema", ["URL", "the owner's name"], indirect=True)
@pytest.mark.usefixtures("db", "plain_static_files")
def test_the_job_publishes_there_and_the_web_app_reads_it(own_schema, raw, tmp_path, spark, client, settings):
    raw.fill(**a_day_of_events())
    options = nightly.options_from(nightly.parser().parse_args(["--day", DAY]), {})
    with closing(Warehouse(Database.from_url(own_schema.url(BATCH)))) as warehouse:
        nightly.lock(warehouse, options)
        storage = Storage(raw.uri, (tmp_path / "lake").as_uri())
        assert NightlyRun(Job(spark, warehouse, storage, options)).run()

    settings.API_PUBLIC = True
    tables = [f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry]
    with connected_otherwise(**environment.postgresql(own_schema.url(WEB))):
        client.force_login(User.objects.create_superuser("boss", password="boss-word"))
        listed = client.get(f"/api/v1/recommendations/a/TopProduct?date={DAY}").content.decode()
        statuses = {path: client.get(path).status_code for path in ("/", "/api/v1/stats", *tables)}
    assert '"product_id":"p"' in listed
    assert set(statuses.values()) == {200}, statuses


def test_a_schema_that_does_not_exist_is_one_sentence(stack):
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": f"{stack.postgres.url()}?options={quote('-c search_path=missing')}"},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 1
    assert done.stderr.strip() == (
        "Database error (DATABASE_URL): no schema of the search_path exists; create the schema, then run migrate again"
    )
