"""Errors as problem documents (RFC 9457), for every request outside the admin and whatever the Accept header says.

A view raises a Problem and `answer`, the API's exception handler, writes it down. Where Django has error pages of its
own, error_pages.py stands in for them.
"""

import logging
from http import HTTPStatus
from typing import Any, cast

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.http import HttpRequest, HttpResponse, JsonResponse
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.views import exception_handler

logger = logging.getLogger(__name__)

TRY_AGAIN = "30"  # seconds


class Problem(APIException):
    """An error with a `type` that a program can switch on, and members of its own."""

    type = "about:blank"
    title = ""

    def __init__(self, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.members = members


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


class DatabaseUnavailable(Problem):
    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    type = "database-unavailable"
    title = "The database does not answer"


def database_trouble(error: BaseException | None) -> DatabaseUnavailable | None:
    """The problem behind a driver's error, unless the mistake is our own."""
    if isinstance(error, OperationalError | InterfaceError):
        return DatabaseUnavailable("The database does not answer at the moment; try again shortly.")
    if isinstance(error, ProgrammingError) and getattr(error.__cause__, "pgcode", None) == "42P01":
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
        json_dumps_params={"ensure_ascii": False, "indent": 2},
    )
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response["Retry-After"] = TRY_AGAIN
    return response


def answer(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """The API's exception handler: nothing that a view raises becomes anything but a problem."""
    request = context["request"]._request
    problem = database_trouble(error) or error
    if isinstance(problem, ValidationError):
        problem = first_mistake(problem)
    if isinstance(problem, Problem):
        if problem.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            logger.error("%s: %s", problem.title, error)
        return document(
            request, problem.status_code, str(problem.detail), problem.type, problem.title, **problem.members
        )
    if isinstance(problem, SuspiciousOperation | BadRequest):
        return document(request, HTTPStatus.BAD_REQUEST, str(problem))
    plain = exception_handler(problem, context)
    if plain is not None:
        return with_headers(document(request, plain.status_code, str(plain.data["detail"])), plain.headers)
    got_request_exception.send(sender=None, request=request)
    logger.error("Failed to answer %s", request.path, exc_info=error)
    return document(request, HTTPStatus.INTERNAL_SERVER_ERROR, "Something is wrong on our side; the log says what.")


def first_mistake(error: ValidationError) -> InvalidParameter:
    """The first of the mistakes that a form or serializer found in the parameters."""
    parameter, reasons = next(iter(cast(dict[str, list[str]], error.detail).items()))
    return InvalidParameter(f"{parameter}: {reasons[0]}", parameter=parameter)


def with_headers(response: HttpResponse, headers: Any) -> HttpResponse:
    """Carries over what DRF says in headers, such as Retry-After, but not what kind of document its own would be."""
    for name, value in headers.items():
        if name.lower() != "content-type":
            response[name] = value
    return response
