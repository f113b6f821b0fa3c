"""Rate limits per key and per address."""

import logging
import socket
import threading

import pytest
from django.core.cache import cache

from tests.web.conftest import YESTERDAY, make_publication, problem_of
from tests.web.keys import ROUTES, call, make_key, make_lists_of
from webapp import environment
from webapp.api.parameters import Query
from webapp.client_address import client_address
from webapp.keys import throttles
from webapp.keys.models import ApiKey
from webapp.limits import RANKING_WEIGHT, SCHEMA_WEIGHT, SNAPSHOT_WEIGHT, STATISTICS_WEIGHT

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def second(monkeypatch):
    """Stops the throttles' clock, 20 seconds into a minute unless a test calls it with another second."""

    def stop_at(moment):
        monkeypatch.setattr(throttles.time, "time", lambda: moment)

    stop_at(60 * 1000 + 20)
    return stop_at


def statuses(client, times, key=None, **headers):
    return [
        client.get("/models", headers={**headers, **({"authorization": f"Api-Key {key}"} if key else {})}).status_code
        for _ in range(times)
    ]


def test_a_key_is_limited_to_its_requests_a_minute(client, settings, second):
    settings.REQUESTS_PER_KEY = 2
    key = make_key()
    first = statuses(client, 3, key)
    second(60 * 1001)

    assert (first, statuses(client, 1, key)) == ([200, 200, 429], [200])


def test_each_key_has_its_own_limit(client, settings):
    settings.REQUESTS_PER_KEY = 1
    one, other = make_key(), make_key()

    assert statuses(client, 2, one) + statuses(client, 1, other) == [200, 429, 200]


def test_a_limited_client_learns_when_to_try_again(client, settings):
    settings.REQUESTS_PER_ADDRESS = 1
    statuses(client, 1)
    response = client.get("/models")

    assert problem_of(response)["type"] == "too-many-requests"
    assert response["Retry-After"] == "40"


def test_requests_without_a_key_are_limited_by_address(client, settings):
    settings.REQUESTS_PER_ADDRESS = 2
    key = make_key()

    assert statuses(client, 3) + statuses(client, 1, key) == [200, 200, 429, 200]


def test_requests_with_a_wrong_key_are_limited_by_address(client, settings):
    settings.REQUESTS_PER_ADDRESS = 2

    assert statuses(client, 3, "0123456789ab.wrong") == [401, 401, 429]


def test_a_forged_forwarding_header_does_not_avoid_the_limit(client, settings):
    settings.REQUESTS_PER_ADDRESS = 1

    assert statuses(client, 1, x_forwarded_for="1.1.1.1") + statuses(client, 1, x_forwarded_for="2.2.2.2") == [200, 429]


def test_behind_a_proxy_the_address_is_the_one_the_proxy_saw(client, settings):
    settings.PROXIES = 1
    settings.REQUESTS_PER_ADDRESS = 1
    one, other = ("made up, 1.1.1.1", "made up, 2.2.2.2")

    assert statuses(client, 2, x_forwarded_for=one) + statuses(client, 1, x_forwarded_for=other) == [200, 429, 200]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("1.1.1.1", None, "1.1.1.1"),
        ("1.1.1.1", "made up, 2.2.2.2", "2.2.2.2"),
        ("1.1.1.1", "2.2.2.2:5678", "2.2.2.2"),
        ("1.1.1.1", " 2.2.2.2 ", "2.2.2.2"),
        ("1.1.1.1", '"[2001:db8::1]:443"', "2001:db8::1"),
        ("1.1.1.1", "[2001:db8::1]", "2001:db8::1"),
        ("1.1.1.1", "2001:DB8:0::1", "2001:db8::1"),
        ("1.1.1.1", "fe80::1%eth0", "fe80::1"),
        ("1.1.1.1", "::ffff:2.2.2.2", "2.2.2.2"),
        ("::ffff:1.1.1.1", "[::ffff:2.2.2.2]:80", "2.2.2.2"),
        ("::ffff:1.1.1.1", "unknown", "1.1.1.1"),
        ("1.1.1.1", "", "1.1.1.1"),
        ("1.1.1.1", ",", "1.1.1.1"),
        ("1.1.1.1", "2.2.2.2, _hidden", "1.1.1.1"),
        ("1.1.1.1", "2.2.2.2, '; DROP\x00", "1.1.1.1"),
        ("1.1.1.1", "2.2.2.2, 010.0.0.1", "1.1.1.1"),
        ("1.1.1.1", "[1", "1.1.1.1"),
        ("", "unknown", "0.0.0.0"),
        ("", "2.2.2.2", "2.2.2.2"),
    ],
)
def test_the_address_behind_a_proxy(settings, peer, forwarded, address):
    settings.PROXIES = 1
    meta = {"REMOTE_ADDR": peer, **({} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded})}

    assert str(client_address(meta)) == address


@pytest.mark.parametrize("forwarded", ["unknown", "1.1.1.1:{}", "::ffff:1.1.1.1", "[2001:db8::{}]:80", "garbage {}"])
def test_no_spelling_of_an_address_avoids_the_limit(client, settings, forwarded):
    settings.PROXIES = settings.REQUESTS_PER_ADDRESS = 1
    answered = [client.get("/models", headers={"x-forwarded-for": forwarded.format(n)}).status_code for n in (1, 2)]

    assert answered == [200, 429]


def test_an_ipv6_network_of_64_bits_is_one_client(client, settings):
    settings.REQUESTS_PER_ADDRESS = 1
    peers = ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1")

    assert [client.get("/models", REMOTE_ADDR=peer).status_code for peer in peers] == [200, 429, 200]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/models", 401),
        ("/metrics", 401),
        ("/api/v1/", 401),
        ("/models?format=xml", 400),
        ("/models?" + "a&" * 1001, 400),
        ("/recommendations/A/TopCTR?" + "a&" * 1001, 400),
    ],
    ids=lambda value: str(value)[:40],
)
def test_refused_requests_without_a_key_are_counted(client, settings, path, status):
    settings.API_PUBLIC = False
    settings.REQUESTS_PER_ADDRESS = 2

    assert [client.get(path).status_code for _ in range(3)] == [status, status, 429]


def test_requests_that_a_key_may_not_make_are_counted(client, settings):
    settings.REQUESTS_PER_KEY = 2
    key = make_key("A")

    assert [client.get("/runs", headers={"authorization": f"Api-Key {key}"}).status_code for _ in range(3)] == [
        403,
        403,
        429,
    ]


def test_a_wrong_key_beyond_the_limit_takes_no_query(client, settings, django_assert_num_queries):
    settings.REQUESTS_PER_ADDRESS = 2
    good = make_key()
    assert statuses(client, 1, good) + statuses(client, 2, "0123456789ab.wrong") == [200, 401, 401]

    with django_assert_num_queries(0):
        assert statuses(client, 2, "0123456789ab.wrong") == [429, 429]
    assert statuses(client, 1, good) == [200]


def test_a_key_that_stopped_working_is_limited_like_a_wrong_one(client, settings, django_assert_num_queries):
    settings.REQUESTS_PER_ADDRESS = 1
    key = make_key()
    assert statuses(client, 1, key) == [200]
    ApiKey.objects.revoke()
    assert statuses(client, 1, key) == [401]

    with django_assert_num_queries(0):
        assert statuses(client, 1, key) == [429]


@pytest.mark.parametrize(
    ("path", "weight"),
    [
        ("/explain/A/TopProduct/product-of-A", RANKING_WEIGHT),
        ("/recommendations/A/ExpectedCTR?explore=1", RANKING_WEIGHT),
        ("/stats", STATISTICS_WEIGHT),
        (f"/snapshots/{YESTERDAY}", SNAPSHOT_WEIGHT),
        ("/api/v1/schema/", SCHEMA_WEIGHT),
    ],
)
def test_a_costly_request_counts_as_many(client, settings, path, weight):
    make_lists_of("A")
    settings.REQUESTS_PER_ADDRESS = weight + 1

    assert [client.get(path).status_code for _ in range(3)] == [200, 200, 429]


def test_without_exploration_a_list_counts_as_one_request(client, settings):
    make_lists_of("A")
    settings.REQUESTS_PER_ADDRESS = 3
    queries = ("explore=0", "explore=x", "", "")

    assert [client.get(f"/recommendations/A/ExpectedCTR?{query}").status_code for query in queries] == [
        200,
        400,
        200,
        429,
    ]


def test_the_parameters_of_long_query_strings_are_not_kept(client):
    make_lists_of("A")
    kept = Query.parse_once.cache_info
    before = kept().currsize
    excluded = "&".join(f"exclude={n:064}" for n in range(100))

    assert client.get(f"/recommendations/A/TopCTR?{excluded}").status_code == 200
    assert kept().currsize == before
    assert client.get("/recommendations/A/TopCTR?exclude=never-asked-before").status_code == 200
    assert kept().currsize == before + 1


@pytest.mark.parametrize("address", ["/health/live", "/health/ready", "/health/fresh"])
def test_health_checks_are_not_limited(client, settings, address):
    make_publication()
    settings.REQUESTS_PER_ADDRESS = 1

    assert [client.get(address).status_code for _ in range(3)] == [200, 200, 200]


def test_a_batch_counts_as_one_request(client, settings):
    settings.REQUESTS_PER_KEY = 1
    make_lists_of("A")

    assert call(client, ROUTES[3], make_key()).status_code == 200


def test_concurrent_requests_are_all_counted():
    workers = [threading.Thread(target=lambda: [throttles.increment("k") for _ in range(200)]) for _ in range(5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert cache.get("k") == 1000


def test_requests_are_not_limited_while_the_cache_is_down(client, settings, caplog):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.CACHES = {"default": environment.cache(f"redis://127.0.0.1:{unused.getsockname()[1]}/0")}
    with caplog.at_level(logging.ERROR):
        answered = statuses(client, 1)

    assert answered == [200]
    assert "Rate limits are off" in caplog.text


def test_a_cache_url_must_be_for_redis():
    with pytest.raises(ValueError, match="not a Redis URL"):
        environment.cache("memcached://127.0.0.1")
