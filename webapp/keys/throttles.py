"""Rate limits: requests a minute per key, and per client address for requests without a key.

Counting takes one atomic addition in the cache. DRF's own throttles store the time of every request, which grows with
the rate. Minutes are the clock's, so up to twice the limit can pass around the turn of a minute.
"""

import logging
import time

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from webapp.client_address import limited_address
from webapp.keys.problems import TooManyRequests
from webapp.keys.requests import key_of

logger = logging.getLogger(__name__)

MINUTE = 60


class RequestThrottle(BaseThrottle):
    """Counts a request once; a view with a `weight` counts as that many requests.

    DRF checks throttles last. The exception handler has those requests counted that were refused before.
    """

    def allow_request(self, request: Request, view: object) -> bool:
        request.counted = True  # type: ignore[attr-defined]
        key, weight = key_of(request), getattr(view, "weight", 1)
        if key is None:
            address = limited_address(request.META)
            count_request(f"address-{address}", settings.REQUESTS_PER_ADDRESS, weight)
        else:
            count_request(f"key-{key.pk}", settings.REQUESTS_PER_KEY, weight)
        return True


def count_request(client: str, limit: int, weight: int = 1) -> None:
    """Count a request of the client in the current minute; TooManyRequests if the limit was used up before."""
    if increment(counter(client), weight) - weight >= limit:
        raise too_many(limit)


def check_limit(client: str, limit: int) -> None:
    """TooManyRequests if the client has used up the limit. Counts nothing."""
    try:
        used = cache.get(counter(client), 0)
    except RedisError:  # `increment` logs it
        return
    if used >= limit:
        raise too_many(limit)


def counter(client: str) -> str:
    return f"requests-{client}-{int(time.time()) // MINUTE}"


def too_many(limit: int) -> TooManyRequests:
    seconds = MINUTE - int(time.time()) % MINUTE
    return TooManyRequests(f"The limit is {limit} requests a minute. Try again in {seconds} seconds.", seconds)


def increment(key: str, weight: int = 1) -> int:
    """Add to the counter in the cache. If the cache is down, requests are not limited."""
    try:
        cache.add(key, 0, timeout=2 * MINUTE)
        return cache.incr(key, weight)
    except ValueError:  # the cache was full and evicted the counter in between
        return weight
    except RedisError as error:
        logger.error("Rate limits are off because the cache is down: %s", error)
        return 0
