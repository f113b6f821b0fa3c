"""The web app's settings, checked by running commands with different environment variables."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest
from django.core.exceptions import ImproperlyConfigured

from webapp import environment

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "SECRET_KEY": "abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNOPQRSTUVWXYZ-0123456789",
    "DATABASE_URL": "postgres://user:password@database.example/vitrina",
    "ALLOWED_HOSTS": "vitrina.example.com",
}
SECRETS = ("abcdefghijklmnopqrstuvwxyz", "password@")


def manage(*arguments, **variables):
    """Run manage.py with only these variables; None means not set."""
    given = {name: value for name, value in {**PRODUCTION, **variables}.items() if value is not None}
    return subprocess.run(
        [sys.executable, ROOT / "manage.py", *arguments],
        env={"PATH": os.environ["PATH"], **given},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_production_settings_pass_djangos_deployment_checks():
    check = manage("check", "--deploy", "--fail-level", "WARNING")

    assert check.returncode == 0, check.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        {"DATABASE_URL": None},
        {"DATABASE_URL": ""},
        {"DATABASE_URL": "mysql://user:password@host/name"},
        {"DATABASE_URL": "postgres://user:password@host:5432/"},
        {"DATABASE_URL": "postgres://user:password@host:port/name"},
        {"DATABASE_URL": "postgres://user:password@host/name?nonsense=1"},
        {"SECRET_KEY": None},
        {"SECRET_KEY": "$abcdefghijklmnopqrstuvwxyz"},
        {"DEBUG": "perhaps"},
        {"HTTPS_ONLY": "ture"},
        {"PUBLISH_DEADLINE": "25:00"},
        {"PUBLISH_DEADLINE": "six"},
        {"LOG_LEVEL": "loud"},
        {"API_PUBLIC": "perhaps"},
        {"REQUESTS_PER_KEY": "0"},
        {"REQUESTS_PER_ADDRESS": "many"},
        {"STATEMENT_TIMEOUT": "soon"},
        {"CACHE_URL": "memcached://127.0.0.1"},
        {"PROXIES": "-1"},
        {"PROXIES": "some"},
    ],
    ids=str,
)
def test_an_invalid_variable_is_reported_in_one_line_that_names_it(wrong):
    check = manage("check", **wrong)
    (name,) = wrong

    assert check.returncode == 2
    assert check.stderr.startswith(f"{name} ")
    assert check.stderr.count("\n") == 1
    assert not any(secret in check.stderr.partition(" set it to ")[0] for secret in SECRETS)


def test_debug_needs_no_secret_key():
    assert manage("check", SECRET_KEY=None, DEBUG="true").returncode == 0


def test_an_unreachable_database_is_reported_without_a_traceback():
    migrate = manage("migrate", DATABASE_URL="postgres://user:password@127.0.0.1:1/vitrina")

    assert migrate.returncode == 1
    assert migrate.stderr.startswith("Database error (DATABASE_URL): ")
    assert "Traceback" not in migrate.stderr


def setting(expression, **variables):
    """The value of an expression over the settings with these variables."""
    program = f"from django.conf import settings; print({expression})"
    return manage("shell", "--verbosity", "0", "--command", program, **variables).stdout.strip()


def test_the_defaults_are_strict():
    closed = "settings.DEBUG, settings.API_PUBLIC, settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT"

    assert setting(closed, ALLOWED_HOSTS=None) == "False False [] True"


def test_lists_are_separated_by_commas():
    assert setting("settings.ALLOWED_HOSTS", ALLOWED_HOSTS="a.example, b.example,") == "['a.example', 'b.example']"


def test_plain_http_needs_no_secure_cookies():
    assert setting("settings.SESSION_COOKIE_SECURE, settings.SECURE_PROXY_SSL_HEADER", HTTPS_ONLY="false") == (
        "False None"
    )


def test_the_query_of_the_url_is_passed_to_the_driver():
    options = environment.postgresql("postgres://u:p@h/n?sslmode=verify-full&sslrootcert=/ca.pem")["OPTIONS"]

    assert (options["sslmode"], options["sslrootcert"]) == ("verify-full", "/ca.pem")


def test_a_password_may_contain_any_character():
    assert environment.postgresql("postgres://u:p%40%2F%3A%25%23%3F@h/n")["PASSWORD"] == "p@/:%#?"


def test_a_plus_sign_in_the_name_of_the_database_is_itself():
    assert environment.postgresql("postgres://u:p@h/a+b%20c")["NAME"] == "a+b c"


def test_the_last_of_a_repeated_parameter_is_valid():
    options = environment.postgresql("postgres://u:p@h/n?sslmode=disable&sslmode=verify-full")["OPTIONS"]

    assert options["sslmode"] == "verify-full"


def test_the_url_can_change_the_connection_timeout():
    assert environment.postgresql("postgres://u:p@h/n?connect_timeout=1")["OPTIONS"]["connect_timeout"] == 1


@pytest.mark.django_db
def test_the_driver_enforces_the_sslmode_of_the_url():
    url = f"{os.environ['DATABASE_URL']}?sslmode=require"
    database = environment.postgresql(url)

    with pytest.raises(psycopg2.OperationalError, match="SSL"):
        psycopg2.connect(
            host=database["HOST"],
            port=database["PORT"],
            user=database["USER"],
            password=database["PASSWORD"],
            dbname=database["NAME"],
            **database["OPTIONS"],
        )


def test_an_empty_variable_takes_its_default(monkeypatch):
    monkeypatch.setenv("SOME_VARIABLE", " ")

    assert environment.variable("SOME_VARIABLE", "set it", default="x") == "x"


def test_a_flag_that_is_not_a_boolean_is_an_error(monkeypatch):
    monkeypatch.setenv("SOME_FLAG", "nein")

    with pytest.raises(ImproperlyConfigured, match="SOME_FLAG is not valid: set it to true or false"):
        environment.flag("SOME_FLAG", "for a test", default=False)
