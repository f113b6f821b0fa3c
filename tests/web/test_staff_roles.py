"""What each staff role may see and do on every page of the admin."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command
from django.urls import reverse

from tests.web.conftest import hide, make_list, make_publication, make_user
from webapp.backoffice.roles import role_permissions
from webapp.curation.models import HiddenProduct
from webapp.keys.models import ApiKey
from webapp.rankings.models import RANKINGS, WINDOWED, Rollback

pytestmark = pytest.mark.django_db
NOBODY, VIEWER, OPERATOR, ADMINISTRATOR = None, "viewer", "operator", "administrator"
EVERYONE = {NOBODY, VIEWER, OPERATOR, ADMINISTRATOR}
STAFF = {VIEWER, OPERATOR, ADMINISTRATOR}

REGISTERED: dict[str, Any] = {
    f"{model._meta.app_label}_{model._meta.model_name}": model for model in admin.site._registry
}
MAY_VIEW = {"rankings": STAFF, "curation": STAFF, "auth": {ADMINISTRATOR}, "keys": {ADMINISTRATOR}}
"""Who may view the models of an app; of other apps, only the lockouts are viewed."""
LOCKOUTS = "axes_accessattempt"
MAY_ADD = {"auth_user": {ADMINISTRATOR}, "keys_apikey": {ADMINISTRATOR}}
MAY_DELETE = {"auth_user": {ADMINISTRATOR}, LOCKOUTS: {ADMINISTRATOR}}

OTHER_PAGES: dict[str, Any] = {
    "/admin/": EVERYONE,
    "/admin/password_change/": EVERYONE,
    "/admin/rankings/": STAFF,
    "/admin/curation/": STAFF,
    "/admin/auth/": {ADMINISTRATOR},
    "/admin/rankings/advertiser/A/TopProduct.csv": STAFF,
    "/admin/rankings/advertiser/A/explain/": STAFF,
    "/admin/rankings/advertiser/A/hide/": {OPERATOR, ADMINISTRATOR},
    "/admin/rankings/advertiser/A/history/": STAFF,
    "/admin/auth/user/{hider}/password/": {ADMINISTRATOR},
    "/admin/auth/user/{root}/password/": set(),
    "/admin/auth/user/{root}/delete/": set(),
}


def who_may_view(name):
    return {ADMINISTRATOR} if name == LOCKOUTS else MAY_VIEW.get(name.partition("_")[0], set())


@pytest.fixture
def rows():
    """One row of every registered model that a role may view, by name, and the accounts that OTHER_PAGES name."""
    run = make_publication()
    for model in {*RANKINGS.values(), *WINDOWED.values()} - {RANKINGS["TopProduct"]}:
        make_list(run, "A", "p1", model, **({"days": 7} if model in WINDOWED.values() else {}))
    Rollback.objects.create(day=run.day, withdrawn=run, restored=run, author="boss")
    ApiKey.objects.issue("ad server", None)
    lockouts = REGISTERED[LOCKOUTS].objects
    lockouts.create(username="ann", ip_address="127.0.0.1", failures_since_start=1)
    lockouts.update(attempt_time=datetime.now(UTC))  # a login deletes old ones, and django-axes has its own clock
    hider, root = hide("A", "p1").hidden_by_id, make_user("root", is_superuser=True).pk
    rows = {name: model.objects.order_by("pk").first() for name, model in REGISTERED.items()}
    return {**rows, "hider": hider, "root": root}


def pages_of(name, row):
    """The registered model's pages, each with the roles that may open it."""
    pages = {
        reverse(f"admin:{name}_changelist"): who_may_view(name),
        reverse(f"admin:{name}_add"): MAY_ADD.get(name, set()),
    }
    if row is not None:
        pages[reverse(f"admin:{name}_change", args=[row.pk])] = who_may_view(name)
        pages[reverse(f"admin:{name}_delete", args=[row.pk])] = MAY_DELETE.get(name, set())
    return pages


@pytest.fixture
def pages(rows):
    """Every page of the admin, with the roles that may open it."""
    pages = {page.format(**rows): roles for page, roles in OTHER_PAGES.items()}
    for name in REGISTERED:
        pages |= pages_of(name, rows[name])
    return pages


def test_every_model_that_a_role_may_view_has_a_row_in_these_tests(rows):
    assert [name for name in REGISTERED if who_may_view(name) and rows[name] is None] == []


@pytest.mark.parametrize("role", [NOBODY, VIEWER, OPERATOR, ADMINISTRATOR])
def test_a_role_opens_exactly_its_pages(log_in, pages, role):
    client = log_in(role)
    statuses = {page: client.get(page).status_code for page in pages}

    assert {page for page, status in statuses.items() if status == 200} == {
        page for page, roles in pages.items() if role in roles
    }
    assert set(statuses.values()) <= {200, 403, 404}


def test_a_visitor_is_sent_to_the_login_everywhere(client, pages):
    responses = [client.get(page) for page in pages]

    assert all(response["Location"].startswith("/admin/login/") for response in responses)


@pytest.mark.parametrize("verb", ["hide", "unhide"])
def test_a_viewer_can_neither_hide_nor_unhide(log_in, rows, verb):
    fields = {"product_id": "p2" if verb == "hide" else "p1", "reason": "x", "until": "2026-05-01"}
    response = log_in(VIEWER).post(f"/admin/rankings/advertiser/A/{verb}/", fields)

    assert response.status_code == 403
    assert HiddenProduct.objects.in_force().count() == 1


def test_a_viewer_sees_no_button_to_hide_or_unhide(log_in, rows):
    page = log_in(VIEWER).get("/admin/rankings/advertiser/A/change/").text

    assert "/hide/" not in page
    assert "/unhide/" not in page


def test_unhiding_requires_a_post(log_in, rows):
    assert log_in(OPERATOR).get("/admin/rankings/advertiser/A/unhide/").status_code == 405


def test_staff_without_a_role_see_no_figures_on_the_home_page(log_in, rows):
    page = log_in(NOBODY).get("/admin/").text

    assert "no role yet" in page
    assert "Latest runs" not in page


def test_a_user_who_is_not_staff_is_kept_out(client, rows):
    client.force_login(make_user("outsider", VIEWER, is_staff=False))

    assert client.get("/admin/").status_code == 302


# The groups


def permissions_of(role):
    return set(Group.objects.get(name=role).permissions.values_list("content_type__app_label", "codename"))


@pytest.mark.parametrize("role", sorted(STAFF))
def test_a_group_has_the_permissions_of_its_role(role):
    assert permissions_of(role) == role_permissions()[role]


def test_migrate_repairs_the_groups_of_an_existing_database():
    for group in Group.objects.all():
        group.permissions.remove(*Permission.objects.filter(codename__in=["view_trending", "view_topctrwindow"]))
    call_command("migrate", verbosity=0)

    assert {role: permissions_of(role) for role in STAFF} == role_permissions()


def test_migrate_keeps_a_permission_that_a_superuser_granted():
    extra = Permission.objects.get(codename="view_logentry")
    Group.objects.get(name=VIEWER).permissions.add(extra)
    call_command("migrate", verbosity=0)

    assert extra in Group.objects.get(name=VIEWER).permissions.all()


def test_a_viewer_may_only_view():
    assert all(codename.startswith("view_") for _, codename in permissions_of(VIEWER))
