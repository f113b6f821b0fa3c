"""The log, and the request id that each line and the response carry."""

import io
import json
import logging
import uuid

import pytest
from django.db import OperationalError, connection

from tests.web.conftest import connected_otherwise, make_publication
from tests.web.keys import make_key
from webapp.lists import statistics

ID = "4bd1f4d0-5f3c-4a2e-9b8e-0d6d3f6c1a11"


@pytest.fixture
def logged():
    """A function that returns the lines written by the handler in the settings."""
    [handler] = [each for each in logging.getLogger().handlers if type(each) is logging.StreamHandler]
    written = io.StringIO()
    usual = handler.setStream(written)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    handler.setStream(usual)


@pytest.mark.parametrize("address", ["/health/live", "/nowhere", "/", "/models?format=xml", "/admin/login/"])
@pytest.mark.django_db
def test_every_response_has_a_request_id(client, address):
    assert uuid.UUID(client.get(address)["X-Request-ID"]).version == 4


def test_each_request_has_its_own_id(client):
    assert client.get("/health/live")["X-Request-ID"] != client.get("/health/live")["X-Request-ID"]


def test_a_clients_id_is_kept(client):
    assert client.get("/health/live", headers={"x-request-id": ID})["X-Request-ID"] == ID


@pytest.mark.parametrize("given", ["1", "x" * 5000, 'a"b', "id\x7f", "{}"])
def test_an_id_that_is_not_a_uuid_is_replaced(client, given):
    assert client.get("/health/live", headers={"x-request-id": given})["X-Request-ID"] != given


@pytest.mark.django_db
def test_an_error_is_one_line_of_json_with_the_request_id(client, logged, monkeypatch):
    monkeypatch.setattr(statistics, "run_of", lambda inputs: 1 / 0)
    client.raise_request_exception = False
    client.get("/stats", headers={"x-request-id": ID})
    [line] = [line for line in logged() if line["logger"] == "webapp.api.exception_handler"]

    assert (line["level"], line["request_id"], line["message"]) == ("ERROR", ID, "Unhandled exception at /stats")
    assert "ZeroDivisionError" in line["exc_info"]
    assert line["time"].endswith("+00:00")


@pytest.mark.parametrize(
    ("method", "address"),
    [("GET", "/recommendations/A/TopCTR?" + "a&" * 1001), ("POST", "/admin/login/")],
    ids=["API", "admin"],
)
@pytest.mark.django_db
def test_too_many_parameters_leave_no_traceback(client, logged, method, address):
    headers = {"authorization": f"Api-Key {make_key()}"}
    form = {"content_type": "application/x-www-form-urlencoded", "data": "a&" * 1001}

    assert client.generic(method, address, headers=headers, **form).status_code == 400
    assert logged() == []


# Slow queries


@pytest.mark.django_db
def test_a_slow_query_is_logged_without_its_parameters(logged, settings):
    settings.SLOW_QUERY = 20
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(0.03),\n  %s", ["a value"])
    [line] = [line for line in logged() if line["logger"] == "webapp.operations.slow_queries"]

    assert line["level"] == "WARNING"
    assert line["message"].endswith(" ms: SELECT pg_sleep(0.03), %s")


@pytest.mark.django_db
def test_a_slow_query_is_logged_with_the_request_id(client, logged, settings):
    settings.SLOW_QUERY = 0
    make_publication()
    client.get("/recommendations/A/TopProduct", headers={"x-request-id": ID})
    slow = [line["message"] for line in logged() if line["request_id"] == ID]

    assert any('FROM "top_product"' in message for message in slow)


@pytest.mark.django_db
def test_a_fast_query_is_not_logged(logged, settings):
    settings.SLOW_QUERY = 10_000
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")

    assert logged() == []


# Statement timeout


@pytest.mark.django_db
def test_a_query_timeout_tells_the_client_to_try_again(client):
    make_publication()
    client.raise_request_exception = False
    with connected_otherwise(OPTIONS={"options": "-c statement_timeout=50ms"}):
        connection.ensure_connection()
        connection.execute_wrappers.append(slowly)
        response = client.get("/stats")

    assert (response.status_code, response.json()["type"]) == (503, "database-unavailable")
    assert "took too long" in response.json()["detail"]


def slowly(execute, sql, params, many, context):
    """Run a slow statement in place of the real one."""
    return execute("SELECT pg_sleep(5)", None, False, context)


@pytest.mark.django_db
def test_the_database_server_cancels_a_slow_query():
    timeout = connected_otherwise(OPTIONS={"options": "-c statement_timeout=50ms"})

    with timeout, pytest.raises(OperationalError, match="statement timeout"), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(5)")
