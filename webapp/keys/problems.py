"""Problems with a request's key or with the number of requests."""

from http import HTTPStatus
from types import MappingProxyType

from webapp.problems import Problem


class Unauthenticated(Problem):
    """A 401 names the authentication scheme, as RFC 9110 requires."""

    status_code = HTTPStatus.UNAUTHORIZED
    headers = MappingProxyType({"WWW-Authenticate": 'Api-Key realm="Vitrina"'})


class AuthenticationRequired(Unauthenticated):
    type = "authentication-required"
    title = "Key required"


class InvalidKey(Unauthenticated):
    type = "invalid-key"
    title = "Invalid key"


class ExpiredKey(Unauthenticated):
    type = "expired-key"
    title = "Key expired"


class RevokedKey(Unauthenticated):
    type = "revoked-key"
    title = "Key revoked"


class NotForThisKey(Problem):
    status_code = HTTPStatus.FORBIDDEN
    type = "not-for-this-key"
    title = "Key not sufficient"


class TooManyRequests(Problem):
    status_code = HTTPStatus.TOO_MANY_REQUESTS
    type = "too-many-requests"
    title = "Too many requests"

    def __init__(self, detail: str, seconds: int) -> None:
        super().__init__(detail)
        self.headers = {"Retry-After": str(seconds)}
