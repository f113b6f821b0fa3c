"""An ETag covers what a request means: its path, parameters, representation and key, however they are spelled."""

import pytest
from django.urls import resolve

from tests.web.conftest import hide
from tests.web.keys import make_key
from tests.web.validators import (
    EARLIER,
    ENDPOINTS,
    EXPLANATION,
    HISTORY,
    LIST,
    SNAPSHOT,
    VIEWS,
    activate,
    etag,
    make_every_list,
)

pytestmark = pytest.mark.django_db

OTHER_VALUES = {
    "date": str(EARLIER),
    "limit": "1",
    "exclude": "p1",
    "fallback": "TopCTR",
    "window": "7",
    "days": "2",
    "to": str(EARLIER),
    "model": "TopCTR",
    "explore": "1",
}
ONLY_AT = {"explore": "/recommendations/A/ExpectedCTR"}  # the address for a parameter that not every model takes
OTHER_PATHS = [
    (LIST, "/recommendations/B/TopProduct"),
    (LIST, "/recommendations/A/TopCTR"),
    (HISTORY, "/history/B"),
    (EXPLANATION, "/explain/B/TopProduct/p1"),
    (EXPLANATION, "/explain/A/TopCTR/p1"),
    (EXPLANATION, "/explain/A/TopProduct/p2"),
    (SNAPSHOT, f"/snapshots/{EARLIER}"),
]
PARAMETERS = [(address, name) for address, view in VIEWS.items() for name in view.query_class().fields]


@pytest.fixture(autouse=True)
def lists():
    make_every_list()


@pytest.mark.parametrize(("address", "name"), PARAMETERS)
def test_another_value_of_a_parameter_has_another_tag(client, address, name):
    address = ONLY_AT.get(name, address)

    assert etag(client, f"{address}?{name}={OTHER_VALUES[name]}") != etag(client, address)


@pytest.mark.parametrize(("address", "other"), OTHER_PATHS)
def test_another_path_has_another_tag(client, address, other):
    assert etag(client, other) != etag(client, address)


def test_every_part_of_a_path_is_changed_in_these_tests():
    changed = set()
    for address, other in OTHER_PATHS:
        before, after = resolve(address).kwargs, resolve(other).kwargs
        changed |= {(address, name) for name in before if before[name] != after[name]}

    assert changed == {(address, name) for address in ENDPOINTS for name in resolve(address).kwargs}


@pytest.mark.parametrize("address", sorted({*ENDPOINTS} - {SNAPSHOT}))
def test_another_media_type_has_another_tag(client, address):
    assert etag(client, address, accept="application/json; indent=2") != etag(client, address)


def test_each_form_of_a_snapshot_has_its_own_tag(client):
    formats = [etag(client, f"{SNAPSHOT}?format={name}") for name in ("ndjson", "csv")]
    plain = etag(client, SNAPSHOT, accept_encoding="identity")

    assert len({*formats, plain}) == 3


def test_keys_of_different_reach_have_different_tags_for_a_snapshot(client):
    tags = {etag(client, SNAPSHOT, authorization=f"Api-Key {make_key(reach)}") for reach in ("A", "B", None)}

    assert len(tags) == 3


def test_the_tag_of_an_advertisers_own_snapshot_says_nothing_about_others(client):
    key = {"authorization": f"Api-Key {make_key('A')}"}
    before = etag(client, SNAPSHOT, **key)
    hide("B", "p1")
    activate("A", "C")

    assert etag(client, SNAPSHOT, **key) == before


def sent(client, query_string):
    """The tag and the content of a list, for the very bytes of a query string, as WSGI passes them on."""
    response = client.get(LIST, QUERY_STRING=query_string.decode("iso-8859-1"))
    return response.get("ETag"), response.content if response.status_code == 200 else response.status_code


@pytest.mark.parametrize(
    "spellings",
    [
        [b"", b"&", b"limit=20"],
        [b"exclude=%C3%A9", b"exclude=%c3%a9", "exclude=é".encode(), b"exclude=\xe9", b"%65xclude=%C3%A9&limit=20"],
        [b"exclude=p+1", b"exclude=p%201", b"exclude=%70%20%31"],
    ],
)
def test_spellings_of_the_same_query_share_a_tag(client, spellings):
    tags, contents = zip(*(sent(client, spelling) for spelling in spellings), strict=True)

    assert len(set(tags)) == len(set(contents)) == 1


def test_queries_with_different_meanings_never_share_a_tag(client):
    """Quoted for a URL, as `get_full_path` does, the bytes of `é` in UTF-8 look like those of `Ã©`."""
    excluded = [b"p1", b"p%2B1", b"p+1", b"p%252B1", b"\xc3\xa9", b"%25C3%25A9", b"%C3%83%C2%A9", b"p1&exclude=p2"]
    tags = {sent(client, b"exclude=" + each)[0] for each in excluded}

    assert len(tags) == len(excluded)
    assert sent(client, b"exclude=%E9") == (None, 400)  # not UTF-8, so not a valid id
