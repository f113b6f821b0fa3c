"""Creating, replacing and revoking keys: by command and in the admin."""

import re
from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection

from tests.web.conftest import NOW, make_advertiser
from tests.web.keys import ROUTES, call, make_key, make_lists_of
from webapp.keys.models import ApiKey

pytestmark = pytest.mark.django_db
TEXT = re.compile(r"[0-9a-f]{12}\.[\w-]{43}")


@pytest.fixture(autouse=True)
def closed(settings):
    settings.API_PUBLIC = False


@pytest.fixture
def create(capsys):
    """A function that runs create_api_key and returns what it printed to standard output."""

    def run(*arguments):
        call_command("create_api_key", *arguments)
        return capsys.readouterr().out.strip()

    return run


# By command


def test_the_command_creates_a_key_for_all_advertisers(client, create):
    make_lists_of("A")

    assert call(client, ROUTES[0], create("ad server", "--all-advertisers")).status_code == 200


def test_the_command_creates_a_key_for_one_advertiser(create):
    make_advertiser("A")
    create("ad server", "--advertiser", "A", "--days", "30")
    key = ApiKey.objects.get()

    assert (key.name, key.advertiser_id, key.expires_at) == ("ad server", "A", NOW + timedelta(days=30))


def test_a_key_works_for_a_year_by_default(create):
    create("ad server", "--all-advertisers")

    assert ApiKey.objects.get().expires_at == NOW + timedelta(days=365)


def test_the_command_prints_the_key_and_nothing_else(create):
    assert TEXT.fullmatch(create("ad server", "--all-advertisers"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ad server"], "required"),
        (["ad server", "--advertiser", "nobody"], "No advertiser “nobody” was ever active"),
        (["ad server", "--all-advertisers", "--advertiser", "A"], "not allowed with"),
        (["--all-advertisers"], "Give the key a name"),
        (["ad server", "--all-advertisers", "--days", "0"], "'0' is not a number of days from 1 to 730"),
        (["ad server", "--all-advertisers", "--days", "731"], "'731' is not a number of days from 1 to 730"),
        (["ad server", "--all-advertisers", "--days", "x"], "'x' is not a number of days from 1 to 730"),
        (["--replace", "0123456789ab"], "There is no live key 0123456789ab"),
    ],
)
def test_the_command_rejects_wrong_arguments(create, arguments, said):
    with pytest.raises(CommandError, match=said):
        create(*arguments)


def test_a_replaced_key_works_for_a_week_beside_its_successor(client, create, clock):
    make_lists_of("A")
    old = make_key("A", timedelta(days=100))
    new = create("--replace", old.split(".")[0])
    both = [call(client, ROUTES[0], key).status_code for key in (old, new)]
    clock(NOW + timedelta(days=7))

    assert both == [200, 200]
    assert [call(client, ROUTES[0], key).status_code for key in (old, new)] == [401, 200]


def test_a_successor_has_the_name_scope_and_lifetime_of_the_key_it_replaces(create):
    make_key("A", timedelta(days=100))
    old = ApiKey.objects.get()
    create("--replace", old.prefix)
    new = ApiKey.objects.exclude(pk=old.pk).get()

    assert (new.name, new.advertiser_id, new.expires_at) == ("test", "A", NOW + timedelta(days=100))


def test_replacing_a_key_never_extends_it():
    make_key("A", timedelta(hours=1))
    key = ApiKey.objects.get()
    key.replace()

    assert key.expires_at == NOW + timedelta(hours=1)


def test_the_successor_of_an_older_key_without_end_is_valid_for_two_years():
    make_key()
    ApiKey.objects.update(expires_at=NOW.replace(year=9999))

    assert ApiKey.objects.get().replace().expires_at == NOW + timedelta(days=730)


def test_no_code_issues_a_key_for_longer():
    with pytest.raises(ValueError, match="at most 730 days"):
        make_key(lifetime=timedelta(days=731))


def test_the_migration_shortens_keys_without_end():
    make_key()
    ApiKey.objects.update(expires_at=NOW.replace(year=9999))
    import_module("webapp.keys.migrations.0003_cap_expiry").cap_expiry(apps, connection.schema_editor())

    assert ApiKey.objects.get().expires_at == NOW + timedelta(days=730)


# In the table


def test_prefixes_are_unique():
    make_key()
    twin = ApiKey.objects.get()
    twin.pk = None

    with pytest.raises(IntegrityError, match="prefix"):
        twin.save()


def test_a_secret_cannot_be_stored_in_place_of_its_digest():
    make_key()

    with pytest.raises(IntegrityError, match="api_key_digest_is_sha256"):
        ApiKey.objects.update(digest="secret")


def test_an_advertiser_with_a_key_cannot_be_deleted():
    make_key("A")

    with pytest.raises(IntegrityError):
        make_advertiser("A").delete()


# In the admin


def add(client, **fields):
    form = {"name": "ad server", "expires_at_0": "2027-03-10", "expires_at_1": "00:00:00", **fields}
    return client.post("/admin/keys/apikey/add/", form)


def act(client, action, *keys):
    chosen = [key.pk for key in keys or ApiKey.objects.all()]
    return client.post("/admin/keys/apikey/", {"action": action, "_selected_action": chosen})


def test_a_key_created_in_the_admin_is_shown_and_works(client, admin_client):
    make_lists_of("A")
    shown = TEXT.findall(add(admin_client, advertiser="A").text)

    assert len(shown) == 1
    assert call(client, ROUTES[0], shown[0]).status_code == 200


def test_a_key_is_shown_once_and_never_in_a_cookie_or_cache(admin_client):
    response = add(admin_client)
    [text] = TEXT.findall(response.text)
    key = ApiKey.objects.get()
    pages = [
        admin_client.get(f"/admin/keys/apikey/{page}").text for page in ("", f"{key.pk}/change/", f"{key.pk}/history/")
    ]

    assert "no-store" in response["Cache-Control"]
    assert text not in str(admin_client.cookies)
    assert not any(text.split(".")[1] in page for page in pages)


def test_a_key_that_has_already_expired_is_not_created(admin_client):
    assert "Choose a time in the future." in add(admin_client, expires_at_0="2026-03-09").text
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(("expires", "created"), [("2028-03-09", True), ("2028-03-10", False), ("9999-12-31", False)])
def test_the_admin_creates_keys_for_two_years_at_most(admin_client, expires, created):
    page = add(admin_client, expires_at_0=expires).text

    assert ApiKey.objects.exists() == created
    assert ("valid for at most 730 days" in page) != created


def test_the_admin_revokes_at_once(client, admin_client):
    make_lists_of("A")
    key = make_key("A")
    act(admin_client, "revoke")

    assert call(client, ROUTES[0], key).status_code == 401


def test_revoking_again_keeps_the_first_time(admin_client, clock):
    make_key()
    act(admin_client, "revoke")
    clock(NOW + timedelta(days=1))
    act(admin_client, "revoke")

    assert ApiKey.objects.get().revoked_at == NOW


def test_the_admin_replaces_live_keys_and_shows_their_successors(client, admin_client):
    make_lists_of("A")
    old = make_key("A")
    make_key("A")
    ApiKey.objects.exclude(prefix=old.split(".")[0]).revoke()
    [new] = TEXT.findall(act(admin_client, "replace").text)

    assert [call(client, ROUTES[0], key).status_code for key in (old, new)] == [200, 200]


def test_who_created_and_revoked_a_key_is_logged(admin_client, admin_user):
    add(admin_client)
    act(admin_client, "revoke")
    entries = admin_user.logentry_set.order_by("pk")

    assert [entry.get_change_message() for entry in entries] == ["Added.", "Revoked"]


def test_only_the_name_of_a_key_can_be_changed(admin_client):
    make_key("A")
    key = ApiKey.objects.get()
    admin_client.post(
        f"/admin/keys/apikey/{key.pk}/change/", {"name": "new", "advertiser": "", "expires_at_0": "2099-01-01"}
    )
    changed = ApiKey.objects.get()

    assert (changed.name, changed.advertiser_id, changed.expires_at) == ("new", "A", key.expires_at)


def test_a_key_cannot_be_deleted(admin_client):
    make_key()

    assert (
        admin_client.post(f"/admin/keys/apikey/{ApiKey.objects.get().pk}/delete/", {"post": "yes"}).status_code == 403
    )


@pytest.mark.parametrize("action", ["replace", "revoke"])
def test_a_viewer_of_keys_cannot_replace_or_revoke_them(client, action):
    make_key()
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_apikey"))
    client.force_login(viewer)
    act(client, action)

    assert ApiKey.objects.live().count() == 1
    assert ApiKey.objects.count() == 1


def test_no_address_fills_the_expiry_in(admin_client):
    assert 'value="2027-03-10"' in admin_client.get("/admin/keys/apikey/add/?expires_at=x").text
