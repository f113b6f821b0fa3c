"""How many requests a minute: per key, per address, and where several processes count together."""

import logging
import socket
import threading

import pytest
from django.core.cache import cache

from tests.web.conftest import make_publication, problem_of
from tests.web.keys import ROUTES, call, make_key, make_lists_of
from webapp import environment
from webapp.keys import throttles

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


def test_a_key_has_its_number_of_requests_a_minute(client, settings, second):
    settings.REQUESTS_PER_KEY = 2
    key = make_key()
    first = statuses(client, 3, key)
    second(60 * 1001)

    assert (first, statuses(client, 1, key)) == ([200, 200, 429], [200])


def test_one_key_does_not_use_up_another(client, settings):
    settings.REQUESTS_PER_KEY = 1
    one, other = make_key(), make_key()

    assert statuses(client, 2, one) + statuses(client, 1, other) == [200, 429, 200]


def test_too_many_requests_are_told_when_to_go_on(client, settings):
    settings.REQUESTS_PER_ADDRESS = 1
    statuses(client, 1)
    response = client.get("/models")

    assert problem_of(response)["type"] == "too-many-requests"
    assert response["Retry-After"] == "40"


def test_an_address_has_its_number_of_requests_without_a_key(client, settings):
    settings.REQUESTS_PER_ADDRESS = 2
    key = make_key()

    assert statuses(client, 3) + statuses(client, 1, key) == [200, 200, 429, 200]


def test_wrong_keys_use_up_their_address(client, settings):
    settings.REQUESTS_PER_ADDRESS = 2

    assert statuses(client, 3, "0123456789ab.wrong") == [401, 401, 429]


def test_what_a_client_says_of_its_address_counts_for_nothing(client, settings):
    settings.REQUESTS_PER_ADDRESS = 1

    assert statuses(client, 1, x_forwarded_for="1.1.1.1") + statuses(client, 1, x_forwarded_for="2.2.2.2") == [200, 429]


def test_behind_a_proxy_of_ours_the_address_is_the_one_it_saw(client, settings):
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "NUM_PROXIES": 1}
    settings.REQUESTS_PER_ADDRESS = 1
    one, other = ("made up, 1.1.1.1", "made up, 2.2.2.2")

    assert statuses(client, 2, x_forwarded_for=one) + statuses(client, 1, x_forwarded_for=other) == [200, 429, 200]


@pytest.mark.parametrize("address", ["/health/live", "/health/ready"])
def test_a_probe_is_never_turned_away(client, settings, address):
    make_publication()
    settings.REQUESTS_PER_ADDRESS = 1

    assert [client.get(address).status_code for _ in range(3)] == [200, 200, 200]


def test_a_batch_is_one_request(client, settings):
    settings.REQUESTS_PER_KEY = 1
    make_lists_of("A")

    assert call(client, ROUTES[3], make_key()).status_code == 200


def test_counting_loses_none_of_many_at_once():
    workers = [threading.Thread(target=lambda: [throttles.one_more("k") for _ in range(200)]) for _ in range(5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert cache.get("k") == 1000


def test_a_cache_that_is_down_stops_nobody(client, settings, caplog):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.CACHES = {"default": environment.cache(f"redis://127.0.0.1:{unused.getsockname()[1]}/0")}
    with caplog.at_level(logging.ERROR):
        answered = statuses(client, 1)

    assert answered == [200]
    assert "Requests are not counted" in caplog.text


def test_another_kind_of_cache_is_refused():
    with pytest.raises(ValueError, match="another kind"):
        environment.cache("memcached://127.0.0.1")
