"""Errors as problem documents (RFC 9457), for every request outside the admin and whatever its Accept header.

Code raises a Problem, and api/exception_handler.py renders it. site/error_pages.py does the same in place of Django's
error pages. Problems of one part of the app are defined there: lists/problems.py, keys/problems.py, api/problems.py.
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
    """An error with a `type` for programs to switch on, and extra members."""

    type = "about:blank"
    headers: Mapping[str, str] = {}

    def __init__(self, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.members = members

    @property
    def title(self) -> str:
        """The type in words. Subclasses may say more."""
        return self.type.replace("-", " ").capitalize()

    def as_member(self) -> dict[str, Any]:
        """The problem as part of a larger response, without the `instance` of a request."""
        status = int(self.status_code)
        return {"type": self.type, "title": self.title, "status": status, "detail": str(self.detail), **self.members}


class InvalidParameter(Problem):
    """Members: `parameter`, its name."""

    status_code = HTTPStatus.BAD_REQUEST
    type = "invalid-parameter"


class DatabaseUnavailable(Problem):
    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    type = "database-unavailable"


def database_trouble(error: BaseException | None) -> DatabaseUnavailable | None:
    """The problem behind a database driver's error; None if the error is a bug of ours."""
    code = getattr(error.__cause__, "pgcode", None) if error else None
    if code == QUERY_CANCELED:
        return DatabaseUnavailable("The database took too long to respond; try again shortly.")
    if isinstance(error, OperationalError | InterfaceError):
        return DatabaseUnavailable("The database is not responding; try again shortly.")
    if isinstance(error, ProgrammingError) and code == UNDEFINED_TABLE:
        return DatabaseUnavailable("The database has no tables yet; run `python manage.py migrate`.")
    return None


def document(request: HttpRequest, status: int, detail: str, **members: Any) -> HttpResponse:
    """The problem document as a response; its type is about:blank unless the members include another one."""
    general = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    response = JsonResponse(
        general | {"instance": request.get_full_path()} | members,
        status=status,
        content_type="application/problem+json",
        headers={"Cache-Control": "no-store"},
        json_dumps_params={"ensure_ascii": False, "indent": 2},
    )
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = TRY_AGAIN
    return response
