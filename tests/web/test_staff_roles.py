"""What each role of staff may see and do: every page of the admin, each role."""

from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from tests.web.conftest import hide, make_list, make_publication, make_user
from webapp.curation.models import HiddenProduct
from webapp.curation.roles import ROLES
from webapp.keys.models import ApiKey
from webapp.rankings.models import TopCTR, TopProduct

pytestmark = pytest.mark.django_db
NOBODY, VIEWER, OPERATOR, ADMINISTRATOR = None, "viewer", "operator", "administrator"
EVERYONE = {NOBODY, VIEWER, OPERATOR, ADMINISTRATOR}
STAFF = {VIEWER, OPERATOR, ADMINISTRATOR}

PAGES: dict[str, Any] = {
    "/admin/": EVERYONE,
    "/admin/password_change/": EVERYONE,
    "/admin/rankings/": STAFF,
    "/admin/rankings/advertiser/": STAFF,
    "/admin/rankings/advertiser/A/change/": STAFF,
    "/admin/rankings/advertiser/A/TopProduct.csv": STAFF,
    "/admin/rankings/advertiser/A/hide/": {OPERATOR, ADMINISTRATOR},
    "/admin/rankings/advertiser/A/history/": STAFF,
    "/admin/rankings/run/": STAFF,
    "/admin/rankings/run/{run}/change/": STAFF,
    "/admin/rankings/rollback/": STAFF,
    "/admin/rankings/rollback/add/": set(),
    "/admin/rankings/topproduct/": STAFF,
    "/admin/rankings/topproduct/{topproduct}/change/": STAFF,
    "/admin/rankings/topctr/": STAFF,
    "/admin/rankings/topctr/{topctr}/change/": STAFF,
    "/admin/curation/": STAFF,
    "/admin/curation/hiddenproduct/": STAFF,
    "/admin/curation/hiddenproduct/{hidden}/change/": STAFF,
    "/admin/auth/": {ADMINISTRATOR},
    "/admin/auth/user/": {ADMINISTRATOR},
    "/admin/auth/user/add/": {ADMINISTRATOR},
    "/admin/auth/user/{hider}/change/": {ADMINISTRATOR},
    "/admin/auth/user/{hider}/password/": {ADMINISTRATOR},
    "/admin/auth/user/{root}/password/": set(),
    "/admin/auth/user/{root}/delete/": set(),
    "/admin/auth/group/": {ADMINISTRATOR},
    "/admin/auth/group/add/": set(),
    "/admin/keys/apikey/": {ADMINISTRATOR},
    "/admin/keys/apikey/add/": {ADMINISTRATOR},
    "/admin/keys/apikey/{key}/change/": {ADMINISTRATOR},
    "/admin/keys/apikey/{key}/delete/": set(),
    "/admin/axes/accessattempt/": {ADMINISTRATOR},
    "/admin/axes/accessattempt/add/": set(),
    "/admin/rankings/run/add/": set(),
    "/admin/rankings/topproduct/add/": set(),
    "/admin/rankings/advertiser/add/": set(),
    "/admin/rankings/advertiser/A/delete/": set(),
    "/admin/curation/hiddenproduct/add/": set(),
    "/admin/curation/hiddenproduct/{hidden}/delete/": set(),
}


@pytest.fixture
def rows():
    """One row of everything, and the names by which PAGES asks for them."""
    run = make_publication()
    make_list(run, "A", "p1", TopCTR)
    hidden = hide("A", "p1")
    return {
        "run": run.pk,
        "hidden": hidden.pk,
        "topproduct": TopProduct.objects.get().pk,
        "topctr": TopCTR.objects.get().pk,
        "hider": hidden.hidden_by_id,
        "root": make_user("root", is_superuser=True).pk,
        "key": ApiKey.objects.issue("ad server", None).pk,
    }


@pytest.mark.parametrize("role", [NOBODY, VIEWER, OPERATOR, ADMINISTRATOR])
def test_the_pages_open_to_a_role_are_those_that_are_for_it(log_in, rows, role):
    client = log_in(role)
    answers = {page: client.get(page.format(**rows)).status_code for page in PAGES}

    assert {page for page, status in answers.items() if status == 200} == {
        page for page, roles in PAGES.items() if role in roles
    }
    assert set(answers.values()) <= {200, 403, 404}


def test_a_visitor_is_asked_to_log_in_everywhere(client, rows):
    answers = [client.get(page.format(**rows)) for page in PAGES]

    assert all(answer["Location"].startswith("/admin/login/") for answer in answers)


@pytest.mark.parametrize("verb", ["hide", "unhide"])
def test_a_viewer_can_neither_hide_nor_undo_it(log_in, rows, verb):
    fields = {"product_id": "p2" if verb == "hide" else "p1", "reason": "x", "until": "2026-05-01"}
    answer = log_in(VIEWER).post(f"/admin/rankings/advertiser/A/{verb}/", fields)

    assert answer.status_code == 403
    assert HiddenProduct.objects.in_force().count() == 1


def test_a_viewer_is_offered_nothing_to_hide(log_in, rows):
    page = log_in(VIEWER).get("/admin/rankings/advertiser/A/change/").text

    assert "/hide/" not in page
    assert "/unhide/" not in page


def test_undoing_takes_a_post(log_in, rows):
    assert log_in(OPERATOR).get("/admin/rankings/advertiser/A/unhide/").status_code == 405


def test_staff_without_a_role_sees_no_figure_on_the_home_page(log_in, rows):
    page = log_in(NOBODY).get("/admin/").text

    assert "no role yet" in page
    assert "Last runs" not in page


def test_a_person_who_is_no_staff_is_kept_out(client, rows):
    client.force_login(make_user("outsider", VIEWER, is_staff=False))

    assert client.get("/admin/").status_code == 302


def test_the_migrations_made_the_roles():
    assert set(Group.objects.values_list("name", flat=True)) >= set(ROLES)
    assert Group.objects.get(name="viewer").permissions.filter(codename="view_run").exists()


def test_a_viewer_has_no_permission_but_to_view():
    codenames = Group.objects.get(name="viewer").permissions.values_list("codename", flat=True)

    assert all(codename.startswith("view_") for codename in codenames)


def change(client, user, **fields):
    given = {"username": user.username, "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00", **fields}
    return client.post(f"/admin/auth/user/{user.pk}/change/", given)


def test_an_administrator_gives_a_role(log_in):
    user = make_user("new")
    change(log_in(ADMINISTRATOR), user, is_staff="on", is_active="on", groups=Group.objects.get(name=OPERATOR).pk)

    assert user.groups.get().name == OPERATOR


def test_an_administrator_makes_no_superuser(log_in):
    user = make_user("new")
    change(log_in(ADMINISTRATOR), user, is_staff="on", is_active="on", is_superuser="on")
    user.refresh_from_db()

    assert not user.is_superuser


def test_an_administrator_cannot_change_a_superuser(log_in):
    root = make_user("root", is_superuser=True)
    answer = change(log_in(ADMINISTRATOR), root)

    assert answer.status_code == 403
    assert User.objects.get(pk=root.pk).is_active


def test_who_hid_a_product_cannot_be_deleted(log_in, rows):
    log_in(ADMINISTRATOR).post(f"/admin/auth/user/{rows['hider']}/delete/", {"post": "yes"})

    assert User.objects.filter(pk=rows["hider"]).exists()
