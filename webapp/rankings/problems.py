"""Errors as problem documents (RFC 9457), for every request outside the admin and whatever the Accept header says.

A view raises a Problem and handler.py writes it down. Where Django has error pages of its own, error_pages.py stands in
for them.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.db import InterfaceError, OperationalError, ProgrammingError
from django.http import HttpRequest, HttpResponse, JsonResponse
from psycopg2.errorcodes import QUERY_CANCELED, UNDEFINED_TABLE
from rest_framework.exceptions import APIException

TRY_AGAIN = "30"  # seconds


class Problem(APIException):
    """An error with a `type` that a program can switch on, and members of its own."""

    type = "about:blank"
    title = ""
    headers: Mapping[str, str] = {}

    def __init__(self, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.members = members

    def members_of_document(self) -> dict[str, Any]:
        """The problem as a member of a larger answer, where no request is its own instance."""
        status = int(self.status_code)
        return {"type": self.type, "title": self.title, "status": status, "detail": str(self.detail), **self.members}


class InvalidParameter(Problem):
    """Members: `parameter`, its name."""

    status_code = HTTPStatus.BAD_REQUEST
    type = "invalid-parameter"
    title = "A parameter is not valid"


class UnknownModel(Problem):
    """Members: `models`, the names there are."""

    status_code = HTTPStatus.NOT_FOUND
    type = "unknown-model"
    title = "There is no such model"


class UnknownAdvertiser(Problem):
    status_code = HTTPStatus.NOT_FOUND
    type = "unknown-advertiser"
    title = "There is no such advertiser"


class InactiveAdvertiser(Problem):
    status_code = HTTPStatus.NOT_FOUND
    type = "inactive-advertiser"
    title = "The advertiser is not active"


class DayNotPublished(Problem):
    """Members: `first_day` and `last_day` that are published, both null when none is."""

    status_code = HTTPStatus.NOT_FOUND
    type = "day-not-published"
    title = "The day is not published"


class NoRecommendations(Problem):
    status_code = HTTPStatus.NOT_FOUND
    type = "no-recommendations"
    title = "There is nothing to recommend"


class NoExplanation(Problem):
    status_code = HTTPStatus.NOT_FOUND
    type = "no-explanation"
    title = "There is nothing to explain it with"


class InvalidBody(Problem):
    status_code = HTTPStatus.BAD_REQUEST
    type = "invalid-body"
    title = "The body is not valid"


class BodyTooLarge(Problem):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    type = "body-too-large"
    title = "The body is too large"


class DatabaseUnavailable(Problem):
    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    type = "database-unavailable"
    title = "The database does not answer"


def database_trouble(error: BaseException | None) -> DatabaseUnavailable | None:
    """The problem behind a driver's error, unless the mistake is our own."""
    code = getattr(error.__cause__, "pgcode", None) if error else None
    if code == QUERY_CANCELED:
        return DatabaseUnavailable("The database took too long to answer; try again shortly.")
    if isinstance(error, OperationalError | InterfaceError):
        return DatabaseUnavailable("The database does not answer at the moment; try again shortly.")
    if isinstance(error, ProgrammingError) and code == UNDEFINED_TABLE:
        return DatabaseUnavailable("The database has no tables yet: `python manage.py migrate` makes them.")
    return None


def document(
    request: HttpRequest, status: int, detail: str, slug: str = "about:blank", title: str = "", **members: Any
) -> HttpResponse:
    """The problem as a response. The slug, a relative URI reference, is its type; about:blank has the status' title."""
    response = JsonResponse(
        {
            "type": slug,
            "title": title or HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
            "instance": request.get_full_path(),
            **members,
        },
        status=status,
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store"},
        json_dumps_params={"ensure_ascii": False, "indent": 2},
    )
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = TRY_AGAIN
    return response
