"""The database roles of the batch and the web app: each has the rights it needs, and no others."""

import os
import subprocess
import sys
from contextlib import closing, contextmanager

import psycopg2
import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connection
from psycopg2.errors import InsufficientPrivilege

from devstack.postgres import BATCH, OWNER, WEB
from devstack.state import ROOT
from tests.web.conftest import connected_otherwise, make_list, make_publication
from webapp.rankings.models import TopCTR


@pytest.fixture
def url_of(stack, django_db_setup):
    """A function that returns the DATABASE_URL of Django's test database for a role."""
    return lambda role: stack.postgres.url(connection.settings_dict["NAME"], role)


@pytest.fixture
def execute(url_of):
    """A function that executes a statement as a role, without committing."""

    def as_role(role, statement):
        with closing(psycopg2.connect(url_of(role))) as own, own.cursor() as cursor:
            cursor.execute(statement)

    return as_role


@pytest.fixture
def as_web(stack, transactional_db):
    """A context in which the web app connects as its role."""

    @contextmanager
    def connected():
        with connected_otherwise(USER=WEB, PASSWORD=stack.postgres.passwords()["WEB_PASSWORD"]):
            yield

    return connected


@pytest.mark.parametrize(
    "statement",
    [
        "create table mine (id int)",
        "create schema mine",
        "create temporary table mine (id int)",
        "drop table run",
        "truncate top_product",
        "alter table run add column mine int",
        "create index on run (message)",
        "create role mine",
        "delete from advertiser",
        "update top_product set views = 0",
        "select from auth_user",
        "select from django_session",
        "select from django_migrations",
        "insert into auth_user (username) values ('mine')",
        "delete from rollback",
    ],
)
def test_the_batch_may_not(execute, statement):
    with pytest.raises(InsufficientPrivilege):
        execute(BATCH, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "create table mine (id int)",
        "create temporary table mine (id int)",
        "drop table auth_user",
        "truncate django_session",
        "insert into top_product default values",
        "update top_ctr set ctr = 1",
        "delete from top_product",
        "insert into run (day) values ('2026-03-09')",
        "update run set counts = '{}'",
        "update run set message = 'all well'",
        "delete from run",
        "insert into advertiser (advertiser_id) values ('A')",
        "update advertiser set last_active_on = null",
        "delete from advertiser",
        "update rollback set author = 'somebody else'",
        "delete from rollback",
        "delete from api_key",
        "delete from hidden_product",
        "delete from django_migrations",
    ],
)
def test_the_web_app_may_not(execute, statement):
    with pytest.raises(InsufficientPrivilege):
        execute(WEB, statement)


@pytest.mark.parametrize("role", [BATCH, WEB])
def test_only_the_owner_creates_tables(execute, role):
    execute(OWNER, "create table new (id int)")
    with pytest.raises(InsufficientPrivilege):
        execute(role, "create table new (id int)")


def test_no_other_role_may_connect(execute, url_of):
    execute(OWNER, "select")
    with closing(psycopg2.connect(url_of(OWNER))) as owner, owner.cursor() as cursor:
        cursor.execute(
            "select has_database_privilege('public', current_database(), what) from unnest(%s) as what",
            [["connect", "temporary"]],
        )

        assert cursor.fetchall() == [(False,), (False,)]


def test_the_web_apps_role_serves_the_api(client, as_web):
    make_list(make_publication(), "A", "p1", TopCTR)
    lists = ["recommendations/A/TopProduct", "history/A", "stats", "advertisers", "models", "runs"]
    api = [*lists, "health/ready", "health/fresh"]
    with as_web():
        statuses = {address: client.get(address).status_code for address in ["/", *(f"/api/v1/{name}" for name in api)]}

    assert set(statuses.values()) == {200}, statuses


def test_the_web_apps_role_logs_in_and_opens_every_admin_page(client, as_web):
    User.objects.create_superuser("boss", password="boss-word")
    make_list(make_publication(), "A", "p1", TopCTR)
    with as_web():
        client.post("/admin/login/", {"username": "boss", "password": "boss-word"})
        tables = [f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry]
        statuses = {address: client.get(address).status_code for address in tables}

    assert set(statuses.values()) == {200}, statuses
    assert Session.objects.count() == 1


def test_the_web_apps_role_adds_and_deletes_users(client, as_web):
    client.force_login(User.objects.create_superuser("boss", password="boss-word"))
    with as_web():
        client.post(
            "/admin/auth/user/add/",
            {"username": "new", "password1": "a-long-word", "password2": "a-long-word", "usable_password": "true"},
        )
        new = User.objects.get(username="new")
        client.post(f"/admin/auth/user/{new.pk}/delete/", {"post": "yes"})

    assert list(User.objects.values_list("username", flat=True)) == ["boss"]


# The command


def database_roles(database_url, *arguments, **variables):
    return subprocess.run(
        [sys.executable, ROOT / "manage.py", "database_roles", *arguments],
        env={**os.environ, "DATABASE_URL": database_url, **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def new_roles(url_of):
    """Two names of roles, which are dropped after the test."""
    names = ["tests_batch", "tests_web"]
    yield names
    with closing(psycopg2.connect(url_of("postgres"))) as superuser, superuser, superuser.cursor() as cursor:
        cursor.execute("select rolname from pg_roles where rolname = any(%s)", [names])
        for (name,) in cursor.fetchall():
            cursor.execute(f"drop owned by {name}; drop role {name}")


def test_a_new_role_logs_in_with_the_password_of_its_variable(url_of, new_roles):
    batch, web = new_roles
    done = database_roles(
        url_of(OWNER), "--batch", batch, "--web", web, BATCH_PASSWORD="batch-word", WEB_PASSWORD="web-word"
    )

    assert done.returncode == 0, done.stderr
    assert "-word" not in done.stdout + done.stderr
    parts = psycopg2.extensions.parse_dsn(url_of(OWNER))
    psycopg2.connect(**{**parts, "user": batch, "password": "batch-word"}).close()


def test_a_new_role_needs_its_variable(url_of, new_roles):
    done = database_roles(url_of(OWNER), "--batch", new_roles[0], "--web", new_roles[1])

    assert done.returncode == 1
    assert "BATCH_PASSWORD is not set" in done.stderr


@pytest.mark.django_db(transaction=True)
def test_an_existing_role_keeps_its_password_if_none_is_given(url_of):
    call_command("database_roles")

    psycopg2.connect(url_of(BATCH)).close()


@pytest.mark.django_db(transaction=True)
def test_other_rights_are_revoked(execute, url_of):
    with closing(psycopg2.connect(url_of(OWNER))) as owner, owner, owner.cursor() as cursor:
        cursor.execute(f"grant select on auth_user to {BATCH}; grant update (message) on run to {WEB}")
    call_command("database_roles")

    for role, statement in ((BATCH, "select from auth_user"), (WEB, "update run set message = 'all well'")):
        with pytest.raises(InsufficientPrivilege):
            execute(role, statement)


@pytest.mark.parametrize("name", [OWNER, "postgres"])
@pytest.mark.django_db
def test_a_privileged_role_is_refused(name):
    with pytest.raises(CommandError, match="more rights than it should"):
        call_command("database_roles", batch=name)


@pytest.mark.django_db
def test_batch_and_web_cannot_share_a_role():
    with pytest.raises(CommandError, match="different roles"):
        call_command("database_roles", batch=WEB)


@pytest.mark.parametrize("role", [BATCH, WEB])
def test_only_the_owner_creates_roles(url_of, new_roles, role):
    done = database_roles(
        url_of(role), "--batch", new_roles[0], "--web", new_roles[1], BATCH_PASSWORD="x", WEB_PASSWORD="x"
    )

    assert done.returncode == 1
    assert "permission denied to create role" in done.stderr
    assert "Traceback" not in done.stderr
