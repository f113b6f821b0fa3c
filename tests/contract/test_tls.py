"""sslmode and sslrootcert of DATABASE_URL work in all three clients: psycopg2, JDBC, and Django in the web app."""

from contextlib import closing

import psycopg2
import pytest
import trustme
from django.db import OperationalError, connections
from py4j.protocol import Py4JJavaError

from spark_jobs.database import Database
from spark_jobs.warehouse import Warehouse
from tests.tls import tls_proxy
from tests.web.conftest import connected_otherwise
from webapp import environment


class Batch:
    """The connection that locks days and publishes."""

    error = psycopg2.OperationalError
    distrusts, wants_tls, wants_the_name = (
        "certificate verify failed",
        "does not support SSL",
        "does not match host name",
    )

    def connect(self, url, spark):
        with closing(Warehouse(Database.from_url(url))) as warehouse:
            return warehouse.connection.info.status


class Jdbc:
    """The connections that append rows from Spark."""

    error = Py4JJavaError
    distrusts, wants_tls, wants_the_name = (
        "PKIX path",
        "does not support SSL",
        "could not be verified by hostnameverifier",
    )

    def connect(self, url, spark):
        database = Database.from_url(url)
        [row] = spark.read.jdbc(
            database.jdbc_url, "(select 0 as zero) as one_row", properties=database.jdbc_properties
        ).collect()
        return row.zero


class Web:
    """The connections of the web app."""

    error = OperationalError
    distrusts, wants_tls, wants_the_name = Batch.distrusts, Batch.wants_tls, Batch.wants_the_name

    def connect(self, url, spark):
        with connected_otherwise(**environment.postgresql(url)), connections["default"].cursor() as cursor:
            cursor.execute("select 0")
            return cursor.fetchone()[0]


@pytest.fixture(params=[Batch, Jdbc, Web])
def client(request):
    return request.param()


@pytest.fixture(scope="module")
def authority():
    """The certificate authority of the database's operator."""
    return trustme.CA()


@pytest.fixture
def root(authority, tmp_path):
    """The file in sslrootcert."""
    authority.cert_pem.write_to_path(tmp_path / "root.pem")
    return tmp_path / "root.pem"


@pytest.fixture
def port(authority, database):
    """The port of a PostgreSQL with TLS and a certificate for 127.0.0.1."""
    with tls_proxy(database.port, authority.issue_cert("127.0.0.1")) as port:
        yield port


def url_of(database, root, port, host="127.0.0.1"):
    password = f"{database.user}:{database.password}"
    return f"postgres://{password}@{host}:{port}/{database.name}?sslmode=verify-full&sslrootcert={root}"


def test_a_server_certified_by_the_authority_is_trusted(client, database, root, port, spark):
    assert client.connect(url_of(database, root, port), spark) == 0


def test_a_server_certified_by_another_authority_is_refused(client, database, root, port, spark):
    trustme.CA().cert_pem.write_to_path(root)

    with pytest.raises(client.error, match=client.distrusts):
        client.connect(url_of(database, root, port), spark)


def test_a_server_with_another_name_is_refused(client, database, root, port, spark):
    with pytest.raises(client.error, match=client.wants_the_name):
        client.connect(url_of(database, root, port, host="localhost"), spark)


def test_a_server_without_tls_is_refused(client, database, root, spark):
    with pytest.raises(client.error, match=client.wants_tls):
        client.connect(url_of(database, root, database.port), spark)
