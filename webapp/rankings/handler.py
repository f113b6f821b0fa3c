"""The API's exception handler: nothing that a view raises becomes anything but a problem document."""

import logging
from http import HTTPStatus
from typing import Any, cast

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import HttpResponse
from rest_framework.exceptions import ValidationError
from rest_framework.views import exception_handler

from webapp.rankings.problems import InvalidParameter, Problem, database_trouble, document

logger = logging.getLogger(__name__)


def answer(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """The error as a response."""
    request = context["request"]._request
    problem = database_trouble(error) or error
    if isinstance(problem, ValidationError):
        problem = first_mistake(problem)
    if isinstance(problem, Problem):
        if problem.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            logger.error("%s: %s", problem.title, error)
        described = document(
            request, problem.status_code, str(problem.detail), problem.type, problem.title, **problem.members
        )
        return with_headers(described, problem.headers)
    if isinstance(problem, SuspiciousOperation | BadRequest):
        return document(request, HTTPStatus.BAD_REQUEST, str(problem))
    plain = exception_handler(problem, context)
    if plain is not None:
        return with_headers(document(request, plain.status_code, str(plain.data["detail"])), plain.headers)
    got_request_exception.send(sender=None, request=request)
    logger.error("Failed to answer %s", request.path, exc_info=error)
    return document(request, HTTPStatus.INTERNAL_SERVER_ERROR, "Something is wrong on our side; the log says what.")


def first_mistake(error: ValidationError) -> InvalidParameter:
    """The first of the mistakes that a form or serializer found in the parameters, however deep in a list."""
    parameter, reason = next(iter(cast(dict[str, Any], error.detail).items()))
    while isinstance(reason, dict | list):
        reason = next(iter(reason.values() if isinstance(reason, dict) else reason))
    return InvalidParameter(f"{parameter}: {reason}", parameter=parameter)


def with_headers(response: HttpResponse, headers: Any) -> HttpResponse:
    """Carries over what DRF says in headers, such as Retry-After, but not what kind of document its own would be."""
    for name, value in headers.items():
        if name.lower() != "content-type":
            response[name] = value
    return response
