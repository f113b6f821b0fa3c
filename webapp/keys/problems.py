"""What is wrong with a request's key, or with how many requests there were."""

from http import HTTPStatus
from types import MappingProxyType

from webapp.rankings.problems import Problem


class Unauthenticated(Problem):
    """What the 401s have in common: they name the scheme, as RFC 9110 asks."""

    status_code = HTTPStatus.UNAUTHORIZED
    headers = MappingProxyType({"WWW-Authenticate": 'Api-Key realm="Vitrina"'})


class AuthenticationRequired(Unauthenticated):
    type = "authentication-required"
    title = "A key is needed"


class InvalidKey(Unauthenticated):
    type = "invalid-key"
    title = "The key is not valid"


class ExpiredKey(Unauthenticated):
    """Told only to who has the whole key."""

    type = "expired-key"
    title = "The key has expired"


class RevokedKey(Unauthenticated):
    """Told only to who has the whole key."""

    type = "revoked-key"
    title = "The key was revoked"


class NotForThisKey(Problem):
    status_code = HTTPStatus.FORBIDDEN
    type = "not-for-this-key"
    title = "The key does not reach this"


class TooManyRequests(Problem):
    status_code = HTTPStatus.TOO_MANY_REQUESTS
    type = "too-many-requests"
    title = "There were too many requests"

    def __init__(self, detail: str, seconds: int) -> None:
        super().__init__(detail)
        self.headers = {"Retry-After": str(seconds)}
