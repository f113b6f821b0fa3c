"""Errors that belong to no endpoint in particular: always a problem document, never a page or a traceback."""

import pytest
from django.core.management import call_command
from django.db import close_old_connections, connection
from django.db.backends.postgresql.base import DatabaseWrapper

from tests.web.conftest import connected_otherwise, make_publication, problem_of
from webapp.limits import MAX_ID_LENGTH
from webapp.lists import statistics

ANY_ANSWER = ["/recommendations/A/TopCTR", "/history/A", "/stats", "/advertisers", "/runs", "/api/v1/stats/"]


@pytest.fixture(params=[False, True], ids=["", "DEBUG"])
def debug(request, settings):
    settings.DEBUG = request.param


@pytest.mark.parametrize(
    "address",
    ["/nowhere", "/api/", "/api/v1/no/where", "/recommendations/A", "/history/a%0Ab", "/%00", "/%FF", "/static/none"],
)
@pytest.mark.usefixtures("debug")
def test_an_unknown_path_is_not_found(get_problem, address):
    problem = get_problem(address)

    assert (problem["status"], problem["type"], problem["title"]) == (404, "about:blank", "Not Found")


def test_a_path_that_would_take_long_to_match_is_refused(get_problem):
    assert get_problem("/explain/" + "a/" * 20_000 + "a")["status"] == 414


@pytest.mark.django_db
def test_a_path_with_the_longest_ids_is_not_refused(get_problem):
    longest = "%F0%9F%98%80" * MAX_ID_LENGTH

    assert get_problem(f"/api/v1/explain/{longest}/ExpectedCTR/{longest}/")["type"] == "unknown-advertiser"


def test_the_instance_is_the_requested_url(get_problem):
    assert get_problem("/nowhere/%C3%BC?x=1")["instance"] == "/nowhere/%C3%BC?x=1"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "FOO"])
@pytest.mark.parametrize("address", ["/", "/stats", "/api/v1/", "/api/v1/runs/", "/health/live"])
@pytest.mark.usefixtures("debug")
def test_nothing_can_be_written(get_problem, method, address):
    assert get_problem(address, method)["status"] == 405


def test_a_refused_method_gets_an_allow_header(client):
    assert "GET" in client.post("/stats")["Allow"]
    assert "GET" in client.post("/")["Allow"]


@pytest.mark.usefixtures("debug")
def test_an_unknown_media_type_is_not_acceptable(get_problem):
    assert get_problem("/models", accept="application/xml")["status"] == 406


@pytest.mark.usefixtures("debug")
def test_an_unknown_format_is_an_invalid_parameter(get_problem):
    problem = get_problem("/models?format=xml")

    assert (problem["type"], problem["parameter"]) == ("invalid-parameter", "format")


@pytest.mark.usefixtures("debug")
def test_a_host_that_is_not_named_is_refused(client, settings):
    settings.ALLOWED_HOSTS = ["testserver"]
    problem = problem_of(client.get("/api/v1/", headers={"host": "elsewhere.example"}))

    assert problem["status"] == 400


@pytest.mark.usefixtures("debug")
def test_more_parameters_than_anyone_needs_are_refused(get_problem):
    assert get_problem("/models?" + "&".join(f"a{number}=1" for number in range(1001)))["status"] == 400


@pytest.mark.parametrize("address", ["/stats?x=1", "/nowhere", "/recommendations/A/None"])
@pytest.mark.django_db
def test_a_browser_gets_the_same_document(get_problem, address):
    assert get_problem(address, accept="text/html")["status"] in (400, 404)


@pytest.mark.usefixtures("debug")
@pytest.mark.django_db
def test_a_bug_is_a_problem_without_a_traceback(get_problem, monkeypatch, caplog):
    def mistake(inputs):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(statistics, "run_of", mistake)
    problem = get_problem("/stats")

    assert (problem["status"], problem["type"]) == (500, "about:blank")
    assert "secret" not in str(problem)
    assert "secret detail" in caplog.text


def test_a_mistake_outside_the_api_is_a_problem_too(get_problem, monkeypatch):
    monkeypatch.setattr("webapp.site.front_page.full_context", lambda: 1 / 0)

    assert get_problem("/")["status"] == 500


# Without a database


@pytest.mark.parametrize("address", ANY_ANSWER)
@pytest.mark.usefixtures("database_down", "debug")
def test_without_a_database_the_answer_is_to_try_again(client, address):
    response = client.get(address)
    problem = problem_of(response)

    assert (problem["status"], problem["type"]) == (503, "database-unavailable")
    assert int(response["Retry-After"]) > 0


@pytest.mark.usefixtures("database_down")
def test_the_password_is_in_no_answer(client):
    password = connection.settings_dict["PASSWORD"]

    assert password
    assert password not in client.get("/stats").text


@pytest.mark.parametrize("address", ["/models", "/api/v1/", "/health/live"])
@pytest.mark.usefixtures("database_down")
def test_what_needs_no_database_answers_without_one(get_json, address):
    assert get_json(address)


@pytest.mark.usefixtures("database_down")
def test_the_admin_says_on_a_page_that_the_database_is_down(client):
    client.raise_request_exception = False
    client.cookies["sessionid"] = "x" * 32
    response = client.get("/admin/")

    assert (response.status_code, response["Retry-After"]) == (503, "30")
    assert "The database is not responding" in response.text


@pytest.mark.usefixtures("database_empty")
def test_without_tables_the_answer_names_the_command(get_problem):
    problem = get_problem("/stats")

    assert (problem["status"], problem["type"]) == (503, "database-unavailable")
    assert "manage.py migrate" in problem["detail"]


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_the_server_ended_is_replaced_for_the_next_request(client):
    make_publication()
    with connected_otherwise(CONN_MAX_AGE=60, CONN_HEALTH_CHECKS=True):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            session = cursor.fetchone()
        with connected_otherwise(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 10000)", session)  # waits until the session has ended
            assert cursor.fetchone() == (True,)
        close_old_connections()  # as Django does between requests, though not between those of its test client

        assert client.get("/stats").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_works_is_used_without_asking_the_server(client, monkeypatch):
    make_publication()
    with connected_otherwise(CONN_MAX_AGE=60, CONN_HEALTH_CHECKS=True):
        connection.ensure_connection()
        close_old_connections()
        monkeypatch.setattr(DatabaseWrapper, "is_usable", lambda self: pytest.fail("asked the server"))

        assert client.get("/stats").status_code == 200


# The admin keeps its own pages


@pytest.mark.django_db
def test_the_admins_missing_pages_are_html(admin_client):
    response = admin_client.get("/admin/nowhere/")

    assert (response.status_code, response["Content-Type"]) == (404, "text/html; charset=utf-8")


def test_the_admin_is_found_without_its_last_slash(client):
    assert client.get("/admin")["Location"] == "/admin/"


# The way through HTTPS


@pytest.fixture
def https_only(settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_HSTS_SECONDS = 60


@pytest.mark.usefixtures("https_only")
def test_plain_http_is_sent_to_https(client):
    assert client.get("/models")["Location"] == "https://testserver/models"


@pytest.mark.usefixtures("https_only")
def test_a_proxy_that_ended_tls_is_answered(client):
    response = client.get("/models", headers={"x-forwarded-proto": "https"})

    assert response.status_code == 200
    assert "max-age=60" in response["Strict-Transport-Security"]


@pytest.mark.parametrize("address", ["/health/live", "/api/v1/health/live/"])
@pytest.mark.usefixtures("https_only")
def test_a_probe_may_speak_plain_http(get_json, address):
    assert get_json(address)


# Static files


@pytest.mark.django_db
def test_collected_static_files_are_found_by_the_names_the_pages_use(client, settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    call_command("collectstatic", interactive=False, verbosity=0)
    page = client.get("/").text
    sheet = next(part for part in page.split('"') if part.endswith(".css"))
    response = client.get(sheet)

    assert response.status_code == 200
    assert "immutable" in response["Cache-Control"]
