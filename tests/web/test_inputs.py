"""The query that loads a request's key together with all that the ETag depends on: a 304 needs no other."""

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.web.conftest import NOW, YESTERDAY, days_ago, hide, make_advertiser, make_run
from tests.web.keys import make_key
from tests.web.validators import EARLIER, ENDPOINTS, EXPLANATION, HISTORY, LIST, STATISTICS, get, make_every_list
from webapp.curation.models import HiddenProduct
from webapp.keys.models import ApiKey
from webapp.lists.inputs import Lookup, load_inputs
from webapp.rankings.models import Advertiser, Run

pytestmark = pytest.mark.django_db
VARIANTS = [
    f"{LIST}?date={EARLIER}",
    f"{LIST}?window=7",
    f"{HISTORY}?to={EARLIER}&days=90",
    f"{STATISTICS}?date={EARLIER}",
]


def no_key():
    return {}


def key_header(advertiser_id=None):
    return {"authorization": f"Api-Key {make_key(advertiser_id)}"}


KEYS: dict[str, Any] = {"no key": no_key, "all advertisers": key_header, "one advertiser": lambda: key_header("A")}
REQUESTS = [
    (address, key)
    for address, key in product([*ENDPOINTS, *VARIANTS], KEYS)
    if not (address.startswith(STATISTICS) and key == "one advertiser")  # needs a key for all
]


def tag_of(client, address, **headers):
    """The response's ETag; the request also records the key's use, which takes a query once a minute."""
    return {**headers, "if_none_match": get(client, address, **headers)["ETag"]}


# One query


@pytest.mark.parametrize(("address", "key"), REQUESTS)
def test_a_304_takes_one_query(client, address, key):
    make_every_list()
    hide("A", "p2")
    headers = tag_of(client, address, **KEYS[key]())
    with CaptureQueriesContext(connection) as captured:
        response = get(client, address, **headers)

    assert (response.status_code, len(captured)) == (304, 1)


@pytest.mark.parametrize("address", [LIST, HISTORY, EXPLANATION, STATISTICS])
def test_a_cached_response_takes_one_query(client, address, django_assert_num_queries):
    make_every_list()
    key = key_header()
    get(client, address, **key)

    with django_assert_num_queries(1):
        assert get(client, address, **key).status_code == 200


def test_a_history_of_windows_takes_as_many_queries_however_many_days_it_has(client):
    make_every_list()

    def queries(days):
        with CaptureQueriesContext(connection) as captured:
            assert get(client, f"{HISTORY}?window=7&days={days}").status_code == 200
        return len(captured)

    assert queries(1) == queries(3) == 4


@pytest.mark.parametrize("address", ENDPOINTS)
def test_an_unknown_key_costs_one_query_that_reads_no_other_table(client, address):
    make_every_list()
    with CaptureQueriesContext(connection) as captured:
        response = get(client, address, authorization="Api-Key 0123456789ab.secret")

    assert (response.status_code, len(captured)) == (401, 1)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF) {captured[0]['sql']}")
        plan = [line for (line,) in cursor.fetchall()]
    read = {line.partition(" on ")[2].split()[0] for line in plan if " on " in line and "never executed" not in line}
    assert read <= {"api_key", "key"}


# Every change takes effect at once


def revoke(clock):
    ApiKey.objects.revoke()


def expire(clock):
    clock(NOW + timedelta(days=2))


def replace_and_wait(clock):
    ApiKey.objects.get().replace(grace=timedelta(hours=1))
    clock(NOW + timedelta(hours=1))


@pytest.mark.parametrize("end", [revoke, expire, replace_and_wait])
@pytest.mark.parametrize("address", ENDPOINTS)
def test_a_key_that_ended_gets_401_instead_of_304(client, clock, address, end):
    make_every_list()
    headers = tag_of(client, address, **key_header())
    end(clock)

    assert get(client, address, **headers).status_code == 401


def roll_back():
    Run.objects.filter(day=YESTERDAY).update(state="superseded")
    make_run(published_at=NOW)


CHANGES = {
    "hide": lambda: hide("A", "p1"),
    "unhide": lambda: HiddenProduct.objects.unhide(User.objects.get()),
    "roll back": roll_back,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_hide_an_unhide_and_a_rollback_get_no_304_with_a_key(client, change):
    make_every_list()
    hide("A", "p2")
    headers = tag_of(client, LIST, **key_header("A"))
    CHANGES[change]()

    assert get(client, LIST, **headers).status_code != 304


def test_304s_count_in_the_rate_limit(client, settings):
    settings.REQUESTS_PER_KEY = 3
    make_every_list()
    headers = tag_of(client, LIST, **key_header())

    assert [get(client, LIST, **headers).status_code for _ in range(3)] == [304, 304, 429]


@pytest.mark.parametrize("query", ["limit=0", "date=tomorrow", "x=1"])
def test_a_wrong_key_is_reported_before_a_wrong_parameter(client, query):
    make_every_list()

    assert get(client, f"{LIST}?{query}", authorization="Api-Key 0123456789ab.secret").status_code == 401
    assert get(client, f"{LIST}?{query}", **key_header()).status_code == 400


# What the query finds


@pytest.mark.parametrize("advertiser_id", ["A", "B", "inactive", "a", "A ", "A\0", "%", "unknown", ""])
@pytest.mark.parametrize("own", ["no key", None, "A", "inactive"])
def test_the_advertiser_is_the_one_that_the_key_sees(advertiser_id, own):
    for each in ["A", "B"]:
        make_advertiser(each)
    make_advertiser("inactive", active=False)
    key = None if own == "no key" else ApiKey.objects.issue("test", own and make_advertiser(own))
    expected = Advertiser.objects.visible_to(key).named(advertiser_id).first()
    found = load_inputs(Lookup(advertiser_id), key.prefix if key else None)

    assert (found.advertiser, found.key) == (expected, key)
    assert expected is None or vars(found.advertiser).keys() == vars(expected).keys()
    assert key is None or all(vars(found.key)[name] == vars(key)[name] for name in vars(found.key) if name != "_state")


@pytest.mark.parametrize("day", [None, YESTERDAY, days_ago(1), days_ago(2), days_ago(3), days_ago(9)])
@pytest.mark.parametrize("runs", [1, 2, 9])
def test_the_runs_are_the_newest_published_ones_up_to_the_day(day, runs):
    make_run(state="running")
    make_run(days_ago(1), state="superseded")
    for age in [3, 1, 4]:
        make_run(days_ago(age), final=age == 3)
    expected = Run.objects.published().up_to(day or YESTERDAY).newest_first()[:runs]
    found = load_inputs(Lookup(day=day, runs=runs)).runs

    assert found == list(expected)
    for run, full in zip(found, expected, strict=True):
        assert all(getattr(run, name) == getattr(full, name) for name in vars(run).keys() - {"_state"})
