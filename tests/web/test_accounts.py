"""Staff accounts: who gives which rights, and why an account with a history stays."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.db.models import ProtectedError

from tests.web.conftest import hide, make_advertiser, make_user
from webapp.keys.models import ApiKey

pytestmark = pytest.mark.django_db
VIEWER, OPERATOR, ADMINISTRATOR = "viewer", "operator", "administrator"


def change(client, user, **fields):
    given = {"username": user.username, "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00", **fields}
    return client.post(f"/admin/auth/user/{user.pk}/change/", given)


def test_an_administrator_gives_a_role(log_in):
    user = make_user("new")
    change(log_in(ADMINISTRATOR), user, is_staff="on", is_active="on", groups=Group.objects.get(name=OPERATOR).pk)

    assert user.groups.get().name == OPERATOR


def test_an_administrator_cannot_create_a_superuser(log_in):
    user = make_user("new")
    change(log_in(ADMINISTRATOR), user, is_staff="on", is_active="on", is_superuser="on")
    user.refresh_from_db()

    assert not user.is_superuser


def test_an_administrator_cannot_change_a_superuser(log_in):
    root = make_user("root", is_superuser=True)
    response = change(log_in(ADMINISTRATOR), root)

    assert response.status_code == 403
    assert User.objects.get(pk=root.pk).is_active


@pytest.mark.parametrize("group", ["auditors", None])
def test_an_administrator_gives_only_roles(log_in, group):
    user = make_user("new")
    client = log_in(ADMINISTRATOR)
    given = Group.objects.create(name=group) if group else Group.objects.get(name=VIEWER)
    permission = Permission.objects.get(codename="view_logentry")
    change(client, user, is_staff="on", is_active="on", groups=given.pk, user_permissions=permission.pk)

    assert list(user.groups.all()) == ([] if group else [given])
    assert not user.user_permissions.exists()


@pytest.mark.parametrize("more", ["group", "permission"])
def test_an_administrator_cannot_change_an_account_with_more_than_roles(log_in, more):
    """Whoever sets its password has its rights."""
    account, permission = make_user("auditor", VIEWER), Permission.objects.get(codename="view_logentry")
    if more == "group":
        account.groups.add(Group.objects.create(name="auditors"))
    else:
        account.user_permissions.add(permission)
    client = log_in(ADMINISTRATOR)
    page = f"/admin/auth/user/{account.pk}"

    assert change(client, account).status_code == 403
    assert client.get(f"{page}/password/").status_code == client.get(f"{page}/delete/").status_code == 403


def author_of_a_key(client):
    """An administrator who created, replaced and revoked keys."""
    author = make_user("author", ADMINISTRATOR)
    client.force_login(author)
    client.post("/admin/keys/apikey/add/", {"name": "x", "expires_at_0": "2027-03-10", "expires_at_1": "00:00:00"})
    for action in ("replace", "revoke"):
        key = ApiKey.objects.earliest("pk")
        client.post("/admin/keys/apikey/", {"action": action, "_selected_action": [key.pk]})
    return author


@pytest.mark.parametrize("in_bulk", [False, True])
def test_the_author_of_keys_cannot_be_deleted_but_deactivated(client, in_bulk):
    author = author_of_a_key(client)
    client.force_login(make_user("root", is_superuser=True))
    if in_bulk:
        form = {"action": "delete_selected", "_selected_action": [author.pk], "post": "yes"}
        page = client.post("/admin/auth/user/", form).text
    else:
        page = client.post(f"/admin/auth/user/{author.pk}/delete/", {"post": "yes"}).text

    assert "the history of “author” in the admin" in page
    assert "Deactivate the account instead" in page
    history = client.get(f"/admin/keys/apikey/{ApiKey.objects.earliest('pk').pk}/history/").text
    assert history.count("author") == 3
    change(client, author, is_staff="on")
    author.refresh_from_db()
    assert not author.is_active


def test_no_code_deletes_the_author_of_keys(client):
    author_of_a_key(client)

    with pytest.raises(ProtectedError, match="deactivate the account instead"), transaction.atomic():
        User.objects.filter(username="author").delete()
    assert LogEntry.objects.filter(user__username="author").count() == 4


def test_an_account_without_a_history_can_be_deleted(log_in):
    account = make_user("new")
    log_in(ADMINISTRATOR).post(f"/admin/auth/user/{account.pk}/delete/", {"post": "yes"})

    assert not User.objects.filter(pk=account.pk).exists()


def test_a_user_who_hid_a_product_cannot_be_deleted(log_in):
    make_advertiser()
    hider = hide("A", "p1").hidden_by
    page = log_in(ADMINISTRATOR).post(f"/admin/auth/user/{hider.pk}/delete/", {"post": "yes"}).text

    assert "Deactivate the account instead" in page
    assert User.objects.filter(pk=hider.pk).exists()
