"""How many requests a minute a key may make, and an address that brings none.

Counted in the cache by one atomic addition a request: DRF's own throttles keep a list of every request's time, which
grows with the rate. A minute is the clock's; around its turn twice the number can pass, which capacity must allow for.
"""

import logging
import time

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from webapp.keys.problems import TooManyRequests
from webapp.keys.requests import key_of

logger = logging.getLogger(__name__)

MINUTE = 60


class KeyThrottle(BaseThrottle):
    def allow_request(self, request: Request, view: object) -> bool:
        key = key_of(request)
        if key is not None:
            count(f"key-{key.pk}", settings.REQUESTS_PER_KEY)
        return True


class AddressThrottle(BaseThrottle):
    """Behind a proxy, the address is the client's only if PROXIES says how many there are."""

    def allow_request(self, request: Request, view: object) -> bool:
        if request.auth is None:
            self.count(request)
        return True

    def count(self, request: Request) -> None:
        count(f"address-{self.get_ident(request)}", settings.REQUESTS_PER_ADDRESS)


def count(who: str, limit: int) -> None:
    """Count a request; TooManyRequests above the limit, with the seconds until the next minute."""
    now = int(time.time())
    if one_more(f"requests-{who}-{now // MINUTE}") > limit:
        seconds = MINUTE - now % MINUTE
        raise TooManyRequests(f"{limit} requests a minute are allowed; go on in {seconds} seconds.", seconds)


def one_more(key: str) -> int:
    """The number under the key after adding one. A cache that is down stops nobody."""
    try:
        cache.add(key, 0, timeout=2 * MINUTE)
        return cache.incr(key)
    except ValueError:  # the cache was full and dropped the number in between
        return 1
    except RedisError as trouble:
        logger.error("Requests are not counted: %s", trouble)
        return 0
