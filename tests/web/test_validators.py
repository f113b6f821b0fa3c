"""An ETag covers every input of its response: whatever may change the response changes the tag."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from tests.web.conftest import NOW, YESTERDAY, days_ago, hide, make_counts, make_list, make_run
from tests.web.keys import EVERYWHERE, OPEN, call, make_key
from tests.web.validators import (
    EARLIER,
    ENDPOINTS,
    EXPLANATION,
    EXPLORED,
    HISTORY,
    LIST,
    SNAPSHOT,
    STATISTICS,
    VIEWS,
    activate,
    etag,
    get,
    make_every_list,
    view_of,
)
from webapp.api.base import PublishedViewSet
from webapp.api.urls import router
from webapp.curation.models import HiddenProduct
from webapp.lists import response_cache
from webapp.rankings.models import RANKINGS, Advertiser, Run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def lists():
    make_every_list()


# The table


def test_every_endpoint_with_an_etag_is_in_these_tests():
    published = {viewset for _, viewset, _ in router.registry if issubclass(viewset, PublishedViewSet)}

    assert published == set(VIEWS.values())


def test_no_other_route_sends_an_etag(client):
    key = make_key()
    responses = {str(route): call(client, route, key) for route in EVERYWHERE}
    responses |= {address: get(client, address) for address in OPEN}
    tagged = {view_of(address) for address, response in responses.items() if "ETag" in response}

    assert tagged == set(VIEWS.values())


def rerun(clock):
    Run.objects.filter(day=YESTERDAY).update(state="superseded")
    run = make_run(published_at=NOW)
    for ranking in RANKINGS.values():
        make_list(run, "A", "p1 p2", ranking)
    make_counts(run, "A", {"p1": [5, 4, 1, 0]})


def roll_back(clock):
    """Publishes the same run once more."""
    Run.objects.filter(day=YESTERDAY).update(published_at=NOW)


def publish_the_next_day(clock):
    run = make_run(YESTERDAY + timedelta(days=1))
    for ranking in RANKINGS.values():
        make_list(run, "A", "p1", ranking)
    make_counts(run, "A", {"p1": [5, 4, 1, 0]})


def hide_again(clock):
    """Hides and unhides, so that as many are hidden as before."""
    HiddenProduct.objects.unhide(User.objects.get(username="hider"))
    hide("A", "p2")


ALL = {*ENDPOINTS, EXPLORED}
CHANGES = {
    "the day is ranked again": (rerun, ALL),
    "the day is rolled back": (roll_back, ALL),
    "the day becomes final": (lambda clock: Run.objects.update(final=True), ALL),
    "the lists turn stale at midnight": (lambda clock: clock(NOW + timedelta(days=1)), ALL),
    "a new day is published": (publish_the_next_day, ALL - {SNAPSHOT}),
    "the day before is published": (lambda clock: make_run(days_ago(1)), {HISTORY, STATISTICS}),
    "a product is hidden": (lambda clock: hide("A", "p1"), ALL - {STATISTICS}),
    "an explored product is hidden": (lambda clock: hide("A", "p3"), {EXPLORED}),
    "an advertiser leaves": (lambda clock: activate("A"), {STATISTICS, SNAPSHOT}),
    "one advertiser leaves and another comes": (lambda clock: activate("A", "C"), {SNAPSHOT}),
    "the advertiser leaves": (lambda clock: activate("B"), ALL - {LIST, EXPLORED}),
    "the advertiser was active on a later day": (
        lambda clock: Advertiser.objects.update(last_active_on=YESTERDAY),
        {EXPLANATION},
    ),
}


@pytest.mark.parametrize(
    ("address", "change"),
    [
        pytest.param(address, change, id=f"{address} when {name}")
        for name, (change, concerned) in CHANGES.items()
        for address in sorted(concerned)
    ],
)
def test_a_change_of_an_input_changes_the_tag(client, clock, address, change):
    before = etag(client, address)
    change(clock)

    assert etag(client, address) != before


@pytest.mark.parametrize("address", sorted(ALL - {STATISTICS}))
def test_every_change_to_what_is_hidden_changes_the_tag_and_none_brings_an_old_one_back(client, clock, address):
    stale = NOW + timedelta(days=3)
    clock(stale)
    tags = [etag(client, address)]
    hide("A", "p2", until=stale.date())
    tags.append(etag(client, address))
    hide_again(clock)
    tags.append(etag(client, address))
    HiddenProduct.objects.unhide(User.objects.get())
    tags.append(etag(client, address))
    hide("A", "p2", until=stale.date())
    tags.append(etag(client, address))
    clock(stale + timedelta(days=1))
    tags.append(etag(client, address))

    assert len(set(tags)) == len(tags)


@pytest.mark.parametrize("address", [LIST, EXPLORED, HISTORY, EXPLANATION])
def test_what_happens_to_another_advertiser_does_not_change_the_tag(client, address):
    before = etag(client, address)
    hide("B", "p1")
    activate("A", "C")

    assert etag(client, address) == before


# Changes between the queries of one request


def during_the_next_load(monkeypatch, view, change):
    """Lets the change happen after the view has read the versions and before it reads the lists, once."""
    load = view.load

    def changed(self, selection):
        monkeypatch.setattr(view, "load", load)
        change()
        return load(self, selection)

    monkeypatch.setattr(view, "load", changed)


@pytest.mark.parametrize("address", sorted(ALL - {STATISTICS}))
def test_a_hide_during_a_request_does_not_outlive_its_unhiding(client, monkeypatch, address):
    expected = get(client, address).getvalue()
    response_cache.clear()
    during_the_next_load(monkeypatch, view_of(address), lambda: hide("A", "p1"))
    between = get(client, address)
    HiddenProduct.objects.unhide(User.objects.get())
    after = get(client, address, if_none_match=between["ETag"])

    assert between.getvalue() != expected
    assert (after.status_code, after.getvalue()) == (200, expected)


@pytest.mark.parametrize(
    ("endpoint", "address"), [(STATISTICS, f"/stats?date={EARLIER}"), (SNAPSHOT, f"/snapshots/{EARLIER}")]
)
def test_who_left_during_a_request_does_not_outlive_a_rollback_of_the_newest_day(
    client, monkeypatch, endpoint, address
):
    during_the_next_load(monkeypatch, VIEWS[endpoint], lambda: activate("A"))
    between = get(client, address)
    roll_back(None)
    activate("A", "B")

    assert get(client, address, if_none_match=between["ETag"]).status_code == 200


def test_a_date_never_gets_304_because_not_every_change_has_one(client):
    response = get(client, LIST)

    assert "Last-Modified" not in response
    assert get(client, LIST, if_modified_since="Tue, 10 Mar 2026 05:00:00 GMT").status_code == 200
