"""`Authorization: Api-Key PREFIX.SECRET`: one query finds the key, and its use is noted once a minute."""

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from webapp.keys import key_text
from webapp.keys.models import ApiKey
from webapp.keys.problems import ExpiredKey, InvalidKey, RevokedKey
from webapp.keys.throttles import AddressThrottle
from webapp.rankings.problems import Problem

SCHEME = "Api-Key"


class KeyAuthentication(BaseAuthentication):
    """Puts the ApiKey into `request.auth`, None without one. A key is no person, so the user is always anonymous."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey] | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        try:
            key = find_key(text.strip())
        except Problem:
            AddressThrottle().count(request)  # so that nobody tries keys, or our patience, without end
            raise
        key.note_use(timezone.now())
        return AnonymousUser(), key


def find_key(text: str) -> ApiKey:
    """The live key of that text, or the Problem with it; what state a key is in is told to its owner only."""
    try:
        prefix, secret = key_text.read(text)
    except ValueError:
        raise InvalidKey("The key is not of the form PREFIX.SECRET.") from None
    key = ApiKey.objects.of_prefix(prefix)
    if key is None or not key_text.matches(secret, key.digest):
        raise InvalidKey("There is no such key.")
    if key.state == ApiKey.State.REVOKED:
        raise RevokedKey(f"The key {key.prefix} was revoked; ask for a new one.")
    if key.state == ApiKey.State.EXPIRED:
        raise ExpiredKey(f"The key {key.prefix} expired on {key.expires_at.date()}; ask for a new one.")
    return key
