"""DRF authentication by `Authorization: Api-Key PREFIX.SECRET`."""

from collections.abc import Callable
from threading import Lock

from cachetools import LRUCache
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from webapp.client_address import limited_address
from webapp.keys import key_text
from webapp.keys.models import ApiKey
from webapp.keys.problems import ExpiredKey, InvalidKey, RevokedKey
from webapp.keys.throttles import check_limit, count_request
from webapp.problems import Problem

Find = Callable[[str], ApiKey | None]

SCHEME = "Api-Key"
PROVEN: LRUCache[str, bool] = LRUCache(maxsize=10_000)  # digests of keys that worked when this process last saw them
LOCK = Lock()


class KeyAuthentication(BaseAuthentication):
    """Sets `request.auth` to the ApiKey, or None without one. A key is not a person, so the user is always anonymous.

    A view may pass its own query for the key with a prefix, which loads more than the key.
    """

    def __init__(self, find_by_prefix: Find | None = None) -> None:
        self.find_by_prefix = find_by_prefix or ApiKey.objects.find_by_prefix

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey] | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        key = find_key_within_limit(text.strip(), limited_address(request.META), self.find_by_prefix)
        key.record_use(timezone.now())
        return AnonymousUser(), key


def find_key_within_limit(text: str, address: str, find_by_prefix: Find) -> ApiKey:
    """The live key with that text. An address that sent too many wrong ones gets no more queries but for proven keys."""
    client, limit, digest = f"wrong-keys-{address}", settings.REQUESTS_PER_ADDRESS, key_text.digest_of(text)
    if digest not in PROVEN:
        check_limit(client, limit)
    try:
        key = find_key(text, find_by_prefix)
    except Problem:
        with LOCK:
            PROVEN.pop(digest, None)
        count_request(client, limit)
        raise
    with LOCK:
        PROVEN[digest] = True
    return key


def find_key(text: str, find_by_prefix: Find) -> ApiKey:
    """The live key with that text, in one query. Only the owner of the secret learns that a key expired or was revoked."""
    try:
        prefix, secret = key_text.parse(text)
    except ValueError:
        raise InvalidKey("The key does not have the form PREFIX.SECRET.") from None
    key = find_by_prefix(prefix)
    if key is None or not key_text.matches(secret, key.digest):
        raise InvalidKey("There is no such key.")
    if key.state == ApiKey.State.REVOKED:
        raise RevokedKey(f"The key {key.prefix} was revoked. Ask for a new one.")
    if key.state == ApiKey.State.EXPIRED:
        raise ExpiredKey(f"The key {key.prefix} expired on {key.expires_at.date()}. Ask for a new one.")
    return key
