"""Options of the server in DATABASE_URL or PGOPTIONS, and proxies that refuse them, leave every protection in place."""

import os
from contextlib import closing
from dataclasses import replace
from urllib.parse import quote

import psycopg2
import pytest
from django.db import connections
from django.db.backends.signals import connection_created

from spark_jobs.database import database_from
from spark_jobs.failures import in_one_line
from spark_jobs.warehouse import Warehouse, connection, ledger, lists
from tests.conftest import DAY, a_day_of_events
from tests.connection_proxy import connection_proxy
from tests.web.conftest import connected_otherwise, make_run
from webapp import environment
from webapp.operations.statement_timeout import limit_statements

OF_THE_JOB = {"lock_timeout": "1min", "client_connection_check_interval": "2s", "statement_timeout": "0"}
OF_THE_WEB_SERVER = {"lock_timeout": "0", "client_connection_check_interval": "0", "statement_timeout": "10s"}
OPTIONS = {
    "": {},
    "-c search_path=ads": {"search_path": "ads"},
    "-c lock_timeout=5s -cstatement_timeout=1min": {"lock_timeout": "5s", "statement_timeout": "1min"},
    "--client-connection-check-interval=9s": {"client_connection_check_interval": "9s"},
}


@pytest.fixture(params=["DATABASE_URL", "PGOPTIONS"])
def url_with(request, url, monkeypatch):
    """A function that returns the DATABASE_URL of a deployment that sets options there, or in PGOPTIONS."""

    def configured(options):
        if request.param == "PGOPTIONS":
            monkeypatch.setenv("PGOPTIONS", options)
            return url
        monkeypatch.setenv("PGOPTIONS", "-c lock_timeout=7s")
        return f"{url}?options={quote(options or '-c geqo=on')}"

    return configured


@pytest.fixture
def through_proxy(url, database):
    """The DATABASE_URL through a connection proxy."""
    with connection_proxy(database.port) as port:
        yield url.replace(f":{database.port}/", f":{port}/")


def query_for(settings):
    return "select " + ", ".join(f"current_setting('{name}') as {name}" for name in settings)


def warehouse(url, kind=Warehouse):
    """The warehouse as nightly.py connects to it."""
    return closing(kind(database_from({**os.environ, "DATABASE_URL": url})))


@pytest.mark.parametrize("options", OPTIONS)
def test_the_job_protects_both_kinds_of_connections_unless_the_deployment_sets_that_very_option(
    options, url_with, spark
):
    expected = {**OF_THE_JOB, **OPTIONS[options]}
    with warehouse(url_with(options), connection.Connection) as own:
        [session] = own.query(query_for(expected))
        properties = {**own.database.jdbc_properties, **own.jdbc_protections}
        query = f"({query_for(expected)}) as settings"
        jdbc = spark.read.jdbc(own.database.jdbc_url, query, properties=properties).first().asDict()

    assert dict(zip(expected, session, strict=True)) == expected
    assert jdbc == expected


@pytest.fixture
def web_connection(settings):
    """A function that returns the settings of a session of the web server."""
    settings.STATEMENT_TIMEOUT = 10
    connection_created.connect(limit_statements)  # as webapp/wsgi.py does

    def values(url, expected):
        with connected_otherwise(**environment.postgresql(url)), connections["default"].cursor() as cursor:
            cursor.execute(query_for(expected))
            return dict(zip(expected, cursor.fetchone(), strict=True))

    yield values
    connection_created.disconnect(limit_statements)


@pytest.mark.parametrize("options", OPTIONS)
def test_the_web_server_limits_statements_unless_the_deployment_does(options, url_with, web_connection):
    expected = {**OF_THE_WEB_SERVER, **OPTIONS[options]}

    assert web_connection(url_with(options), expected) == expected


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_any_reason_can_be_stored_whatever_encoding_the_deployment_sets(encoding, url, monkeypatch):
    run = make_run(DAY, state="running")
    monkeypatch.setenv("PGCLIENTENCODING", encoding)
    with warehouse(url) as own:
        ledger.close_runs(own, {run.pk: {}}, "failed", "漢.csv cannot be read")
    run.refresh_from_db()

    assert (run.state, run.message) == ("failed", "漢.csv cannot be read")


def test_the_web_server_is_protected_behind_a_proxy_that_refuses_start_up_options(through_proxy, web_connection):
    assert web_connection(through_proxy, OF_THE_WEB_SERVER) == OF_THE_WEB_SERVER


def test_the_jobs_session_is_protected_behind_such_a_proxy(through_proxy):
    with warehouse(through_proxy) as own:
        [session] = own.query(query_for(OF_THE_JOB))

    assert dict(zip(OF_THE_JOB, session, strict=True)) == OF_THE_JOB


class TestBehindAProxy:
    @pytest.fixture
    def database(self, database):
        with connection_proxy(database.port) as port:
            yield replace(database, port=port)

    def test_the_job_publishes(self, night, raw):
        raw.fill(**a_day_of_events())

        assert night()


@pytest.mark.parametrize("way", ["url", "through_proxy"])
def test_an_append_does_not_wait_for_a_lock_forever(way, request, url, spark, monkeypatch):
    monkeypatch.setattr(connection, "LOCK_TIMEOUT", 2)
    monkeypatch.setitem(connection.PROTECTIONS, "lock_timeout", "2s")
    rows = spark.sql(
        "select 1L as run_id, date'2026-11-20' as date, 'a' as advertiser_id, 1 as rank, 'p' as product_id"
    )
    with warehouse(request.getfixturevalue(way)) as own, closing(psycopg2.connect(url)) as other:
        other.cursor().execute("lock table top_product in share mode")
        with pytest.raises(Exception, match="canceling statement") as failure:
            lists.append(own, rows, "top_product", expected=1)

    assert "another session holds a lock on a table" in in_one_line(failure.value)


@pytest.mark.parametrize(("expected", "transactions"), [(8, 1), (10**6, 4)])
def test_many_rows_are_appended_in_several_transactions(url, spark, expected, transactions):
    run = make_run(DAY, state="running")
    rows = spark.range(8, numPartitions=8).selectExpr(
        f"{run.pk}L as run_id",
        f"date'{DAY}' as date",
        "'a' as advertiser_id",
        "int(id + 1) as rank",
        "concat('p', id) as product_id",
        "1L as views",
    )
    with warehouse(url) as own:
        lists.append(own, rows, "top_product", expected)
        [(appended, used)] = own.query("select count(*), count(distinct xmin::text) from top_product")

    assert (appended, used) == (8, transactions)
