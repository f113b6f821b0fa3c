"""Who may read what: every route without a key, with a wrong key, and with keys of every scope and state."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from tests.web.conftest import NOW, make_advertiser, problem_of
from tests.web.keys import EVERYWHERE, OPEN, ROUTES, Route, call, make_key, make_lists_of
from webapp.keys.models import ApiKey

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("closed")]
everywhere = pytest.mark.parametrize("route", EVERYWHERE, ids=str)


def routes_for(scope):
    return pytest.mark.parametrize("route", [route for route in EVERYWHERE if route.scope == scope], ids=str)


@pytest.fixture
def closed(settings):
    settings.API_PUBLIC = False


def refusal(response):
    problem = problem_of(response)
    return problem["status"], problem["type"]


def patterns_of(resolver, prefix=""):
    for each in resolver.url_patterns:
        path = prefix + str(each.pattern)
        if hasattr(each, "url_patterns"):
            yield from patterns_of(each, path)
        else:
            yield f"/{path}"


def test_these_tests_cover_every_route():
    addresses = {*OPEN, *(route.path for route in EVERYWHERE)}
    named = {
        "<path:advertiser_id>/<str:model>/<path:product_id>": "A/TopProduct/product-of-A",
        "<path:advertiser_id>/<model:model>/<path:product_id>": "A/TopProduct/product-of-A",
        "<path:advertiser_id>/<str:model>": "A/TopProduct",
        "<path:advertiser_id>": "A",
        "<str:date>": "2026-03-09",
    }

    def example(pattern):
        for name, value in named.items():
            pattern = pattern.replace(name, value)
        return pattern

    found = {example(path) for path in patterns_of(get_resolver()) if not path.startswith(("/admin/", "/^"))}

    assert found <= addresses


# No key, or not a valid one


@everywhere
def test_a_request_without_a_key_is_refused(client, route):
    make_lists_of("A")
    response = call(client, route)

    assert refusal(response) == (401, "authentication-required")
    assert response["WWW-Authenticate"] == 'Api-Key realm="Vitrina"'


@everywhere
def test_a_wrong_key_is_invalid(client, route):
    make_lists_of("A")
    prefix, _ = make_key().split(".")

    assert refusal(call(client, route, f"{prefix}.{'x' * 43}")) == (401, "invalid-key")


@everywhere
def test_an_expired_key_is_reported_as_expired(client, route, clock):
    make_lists_of("A")
    key = make_key(lifetime=timedelta(hours=1))
    clock(NOW + timedelta(hours=1))

    assert refusal(call(client, route, key)) == (401, "expired-key")


@everywhere
def test_a_revoked_key_is_reported_as_revoked(client, route):
    make_lists_of("A")
    key = make_key()
    ApiKey.objects.revoke()

    assert refusal(call(client, route, key)) == (401, "revoked-key")


@pytest.mark.parametrize(
    "text",
    ["", "x", ".", "0123456789ab", "0123456789ab.", "0123456789AB.secret", "\x01.secret", "é.secret", "a" * 5000],
)
def test_a_malformed_key_is_invalid_and_takes_no_query(client, text, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = call(client, ROUTES[0], text)

    assert refusal(response) == (401, "invalid-key")


def test_only_the_owner_of_the_whole_key_learns_its_state(client):
    prefix, _ = make_key().split(".")
    ApiKey.objects.revoke()

    assert refusal(call(client, ROUTES[0], f"{prefix}.guess")) == (401, "invalid-key")


def test_another_scheme_is_not_a_key(client):
    assert refusal(call(client, ROUTES[0], make_key(), scheme="Bearer")) == (401, "authentication-required")


def test_the_scheme_is_case_insensitive(client):
    make_lists_of("A")

    assert call(client, ROUTES[0], make_key(), scheme="api-key").status_code == 200


# The right key


@everywhere
def test_a_key_of_all_advertisers_reads_everything(client, route):
    make_lists_of("A")

    assert call(client, route, make_key()).status_code == 200


@routes_for("one")
def test_an_advertisers_key_reads_their_own(client, route):
    make_lists_of("A", "B")

    assert call(client, route, make_key("A")).status_code == 200


@routes_for("any")
def test_an_advertisers_key_reads_routes_that_are_open_to_any_key(client, route):
    make_lists_of("A", "B")

    assert call(client, route, make_key("A")).status_code == 200


@routes_for("all")
def test_an_advertisers_key_cannot_read_data_of_all_advertisers(client, route):
    make_lists_of("A", "B")

    assert refusal(call(client, route, make_key("A"))) == (403, "not-for-this-key")


# Another advertiser's key


@routes_for("one")
def test_another_advertiser_gets_the_same_bytes_as_an_unknown_advertiser(client, route):
    make_lists_of("A", "B")
    key = make_key("B")
    theirs = call(client, route, key)
    nobodys = call(client, Route(route.path.replace("/A", "/Z"), "one"), key)

    assert refusal(theirs) == (404, "unknown-advertiser")
    assert theirs.content.replace(b"\xe2\x80\x9cA\xe2\x80\x9d", b"\xe2\x80\x9cZ\xe2\x80\x9d").replace(
        b"/A", b"/Z"
    ) == nobodys.content.replace(b"/A", b"/Z")
    assert {*theirs.headers} == {*nobodys.headers}


def test_another_inactive_advertiser_is_unknown_too(client):
    make_advertiser("A", active=False)

    assert refusal(call(client, ROUTES[0], make_key("B"))) == (404, "unknown-advertiser")


def test_an_etag_of_another_advertisers_list_reveals_nothing(client):
    make_lists_of("A", "B")
    etag = call(client, ROUTES[0], make_key("A"))["ETag"]
    headers = {"authorization": f"Api-Key {make_key('B')}", "if-none-match": etag}

    assert client.get(ROUTES[0].path, headers=headers).status_code == 404


@pytest.mark.parametrize("path", ["/advertisers", "/snapshots/2026-03-09", "/snapshots/2026-03-09?format=csv"])
def test_listings_contain_only_what_the_key_may_read(client, path):
    make_lists_of("A", "B")
    response = client.get(path, headers={"authorization": f"Api-Key {make_key('B')}", "accept-encoding": "identity"})
    text = response.getvalue().decode()

    assert "B" in text
    assert "product-of-A" not in text
    assert '"A"' not in text


def test_a_batch_treats_another_advertiser_as_unknown(client):
    make_lists_of("A", "B")
    route = Route("/recommendations/batch", "any", "POST", '{"advertiser_ids": ["A", "B"], "models": ["TopCTR"]}')
    results = call(client, route, make_key("B")).json()["results"]

    assert [result["status"] for result in results] == [404, 200]
    assert results[0]["problem"]["type"] == "unknown-advertiser"


# Public reading


@pytest.mark.parametrize("route", [route for route in EVERYWHERE if "metrics" not in route.path], ids=str)
def test_a_public_api_needs_no_key(client, route, settings):
    settings.API_PUBLIC = True
    make_lists_of("A")

    assert call(client, route).status_code == 200


def test_metrics_are_not_public_even_if_the_api_is(client, settings):
    settings.API_PUBLIC = True

    assert refusal(client.get("/metrics")) == (401, "authentication-required")


def test_a_public_api_refuses_a_wrong_key(client, settings):
    settings.API_PUBLIC = True

    assert refusal(call(client, ROUTES[0], "0123456789ab.wrong")) == (401, "invalid-key")


def test_a_public_api_keeps_a_key_to_its_scope(client, settings):
    settings.API_PUBLIC = True
    make_lists_of("A", "B")

    assert refusal(call(client, ROUTES[0], make_key("B"))) == (404, "unknown-advertiser")


# Open routes


@pytest.mark.parametrize("address", OPEN)
def test_an_open_route_needs_no_key(client, address):
    make_lists_of("A")

    assert client.get(address).status_code == 200


@pytest.mark.parametrize("address", OPEN)
def test_an_open_route_names_no_advertiser_product_or_run(client, address):
    run = make_lists_of("Secretive")
    run.message, run.state = "a secret message", "superseded"
    run.save()
    make_lists_of("Discreet")
    text = client.get(address).text

    assert not any(name in text for name in ("Secretive", "Discreet", "product-of", "secret message"))


# Cost and storage of keys


def test_a_key_takes_one_query_and_recording_its_use_one_a_minute(client, clock):
    make_lists_of("A")
    key = make_key("A")

    def queries():
        with CaptureQueriesContext(connection) as captured:
            call(client, ROUTES[0], key)
        return len(captured)

    first, second = queries(), queries()
    clock(NOW + timedelta(minutes=1))

    assert (first, second, queries()) == (3, 1, 2)  # the list itself is read once


def test_the_last_use_is_recorded(client):
    make_lists_of("A")
    call(client, ROUTES[0], make_key("A"))

    assert ApiKey.objects.get().last_used_at == NOW


def test_the_database_contains_no_part_of_a_secret():
    _, secret = make_key().split(".")
    with connection.cursor() as cursor:
        cursor.execute("SELECT k::text FROM api_key k")
        [(row,)] = cursor.fetchall()

    assert len(secret) == 43
    assert not any(secret[start : start + 8] in row for start in range(36))


def test_no_log_contains_a_key(client, caplog):
    caplog.set_level("DEBUG")
    make_lists_of("A")
    key = make_key("A")
    for text in (key, key + "x", "0123456789ab.wrong-secret"):
        call(client, ROUTES[0], text)

    assert key.split(".")[1] not in caplog.text
    assert "wrong-secret" not in caplog.text
