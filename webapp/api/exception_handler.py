"""The API's exception handler: every exception becomes a problem document."""

import logging
from http import HTTPStatus
from typing import Any, cast

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.signals import got_request_exception
from django.http import HttpResponse
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.views import exception_handler

from webapp.problems import InvalidParameter, Problem, database_trouble, document

logger = logging.getLogger(__name__)


def handle_exception(error: Exception, context: dict[str, Any]) -> HttpResponse:
    error = count_refused(error, context)
    request = context["request"]._request
    problem = database_trouble(error) or error
    if isinstance(problem, ValidationError):
        problem = invalid_parameter(problem)
    if isinstance(problem, Problem):
        if problem.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
            logger.error("%s: %s", problem.title, error)
        return with_headers(document(request, **problem.as_member()), problem.headers)
    if isinstance(problem, SuspiciousOperation | BadRequest):
        return document(request, HTTPStatus.BAD_REQUEST, str(problem))
    default = exception_handler(problem, context)
    if default is not None:
        return with_headers(document(request, default.status_code, str(default.data["detail"])), default.headers)
    got_request_exception.send(sender=None, request=request)
    logger.error("Unhandled exception at %s", request.path, exc_info=error)
    return document(request, HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error; see the server's log.")


def count_refused(error: Exception, context: dict[str, Any]) -> Exception:
    """Count a request that was refused before DRF checks throttles: by negotiation, authentication or permissions.

    Return the error that the client gets, which is another one if that was one request too many.
    """
    request = context["request"]
    if isinstance(error, APIException | SuspiciousOperation) and not hasattr(request, "counted"):
        try:
            context["view"].check_throttles(request)
        except Exception as instead:
            return instead
    return error


def invalid_parameter(error: ValidationError) -> InvalidParameter:
    """The first error that a form or serializer found, however deeply nested."""
    parameter, reason = next(iter(cast(dict[str, Any], error.detail).items()))
    while isinstance(reason, dict | list):
        reason = next(iter(reason.values() if isinstance(reason, dict) else reason))
    return InvalidParameter(f"{parameter}: {reason}", parameter=parameter)


def with_headers(response: HttpResponse, headers: Any) -> HttpResponse:
    """Copy DRF's headers, such as Retry-After, but not the content type of the response it would have sent."""
    for name, value in headers.items():
        if name.lower() != "content-type":
            response[name] = value
    return response
