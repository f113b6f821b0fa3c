"""The admin's rollback action: shown, confirmed, done and logged."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User

from devstack.postgres import WEB
from tests.web.conftest import connected_otherwise, make_publication, make_run
from tests.web.test_rollbacks import make_runs, states
from webapp.rankings.models import Rollback, Run

pytestmark = pytest.mark.django_db


@pytest.fixture
def choose():
    """A function that posts the action for runs, as the list's form does, and follows redirects."""

    def post(client, *runs, **confirmation):
        form = {"action": "roll_back", "_selected_action": [run.pk for run in runs], **confirmation}
        return client.post("/admin/rankings/run/", form, follow=True)

    return post


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


def test_the_change_is_shown_before_it_is_made(admin_client, choose):
    old, new = make_runs("old", "new")
    page = choose(admin_client, old).text

    assert re.search(rf">{new.pk}</a></th>\s*<td>withdrawn</td>", page)
    assert re.search(rf">{old.pk}</a></th>\s*<td>published again</td>", page)
    assert states() == ["superseded", "published"]


def test_a_run_that_does_not_exist_is_reported(admin_client, choose):
    assert messages_of(choose(admin_client, Run(pk=2**70))) == ["There is no such run."]


def test_a_confirmed_rollback_is_done_and_reported(admin_client, choose):
    old, new = make_runs("old", "new")
    response = choose(admin_client, old, seen=new.pk, reason="wrong prices")

    assert states() == ["published", "superseded"]
    assert messages_of(response) == [f"Rolled 2026-03-09 back from run {new.pk} to run {old.pk}."]


def test_the_form_of_the_confirmation_page_rolls_back(admin_client, choose):
    old, _ = make_runs("old", "new")
    page = choose(admin_client, old).text
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)"', page))
    admin_client.post("/admin/rankings/run/", fields)

    assert Run.objects.published().get() == old


def test_the_author_and_the_reason_are_stored(admin_client, choose):
    old, new = make_runs("old", "new")
    choose(admin_client, old, seen=new.pk, reason="wrong prices")

    rollback = Rollback.objects.get()
    assert (rollback.author, rollback.reason) == ("admin", "wrong prices")


def test_the_histories_of_both_runs_record_it(admin_client, choose):
    old, new = make_runs("old", "new")
    choose(admin_client, old, seen=new.pk, reason="wrong prices")

    number = Rollback.objects.get().pk
    assert dict(LogEntry.objects.values_list("object_id", "change_message")) == {
        str(old.pk): f"Restored by rollback {number}: wrong prices",
        str(new.pk): f"Withdrawn by rollback {number}: wrong prices",
    }


def test_a_run_published_before_the_confirmation_stays_published(admin_client, choose):
    old, new = make_runs("old", "new")
    Run.objects.published().update(state="superseded")
    newest = make_publication(products="newest")
    response = choose(admin_client, old, seen=new.pk)

    assert Run.objects.published().get() == newest
    assert "published in the meantime" in messages_of(response)[0]


def test_a_run_that_was_never_published_is_refused_with_the_reason(admin_client, choose):
    make_publication()
    failed = make_run(state="failed")

    assert messages_of(choose(admin_client, failed)) == [
        f"Run {failed.pk} of 2026-03-09 is failed and was never published."
    ]


def test_only_one_run_can_be_selected(admin_client, choose):
    runs = make_runs("old", "new")

    assert messages_of(choose(admin_client, *runs)) == ["Select only the run to roll back to."]


def test_an_invalid_confirmation_changes_nothing(admin_client, choose):
    old, _ = make_runs("old", "new")
    choose(admin_client, old, seen="yes")

    assert states() == ["superseded", "published"]


def make_staff(client, *permissions):
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)


def test_a_user_who_may_only_view_runs_is_not_offered_it(client, choose):
    old, new = make_runs("old", "new")
    make_staff(client, "view_run")
    choose(client, old, seen=new.pk)

    assert 'value="roll_back"' not in client.get("/admin/rankings/run/").text
    assert states() == ["superseded", "published"]


def test_a_user_who_may_add_a_rollback_may_roll_back(client, choose):
    old, new = make_runs("old", "new")
    make_staff(client, "view_run", "add_rollback")
    choose(client, old, seen=new.pk)

    assert Rollback.objects.get().author == "staff"


@pytest.mark.django_db(transaction=True)
def test_the_web_apps_database_role_is_sufficient(admin_client, choose, stack):
    old, new = make_runs("old", "new")
    with connected_otherwise(USER=WEB, PASSWORD=stack.postgres.passwords()["WEB_PASSWORD"]):
        choose(admin_client, old, seen=new.pk)

    assert Run.objects.published().get() == old
