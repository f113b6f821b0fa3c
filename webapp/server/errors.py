"""The errors that never reach Django, as the problem documents that Django's own are."""

import json
from http import HTTPStatus
from typing import Any

from gunicorn.http import errors

from webapp import limits


class BodyTooLarge(errors.ParseException):
    """As in webapp/api/problems.py, which cannot be imported here because it needs Django's settings."""

    type = "body-too-large"
    title = "Request body too large"

    def __str__(self) -> str:
        return f"The body must not exceed {limits.MAX_BYTES} bytes."


class RequestTimeout(errors.ParseException):
    def __str__(self) -> str:
        return f"The request was not complete after {limits.REQUEST_DEADLINE} seconds."


SERVER_ERRORS = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName, errors.ConfigurationProblem)
CLIENT_ERRORS = {
    BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    RequestTimeout: HTTPStatus.REQUEST_TIMEOUT,
    errors.LimitRequestLine: HTTPStatus.REQUEST_URI_TOO_LONG,
    errors.LimitRequestHeaders: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    errors.UnsupportedTransferCoding: HTTPStatus.NOT_IMPLEMENTED,
    errors.ExpectationFailed: HTTPStatus.EXPECTATION_FAILED,
    errors.ParseException: HTTPStatus.BAD_REQUEST,
    errors.NoMoreData: HTTPStatus.BAD_REQUEST,
}


def status_of(error: BaseException) -> HTTPStatus:
    if not isinstance(error, SERVER_ERRORS):
        for kind, status in CLIENT_ERRORS.items():
            if isinstance(error, kind):
                return status
    return HTTPStatus.INTERNAL_SERVER_ERROR


def problem_response(error: BaseException, request: Any) -> bytes:
    """The whole response; the request is None where gunicorn could not parse it, and then there is no known target."""
    status = status_of(error)
    ours = status == HTTPStatus.INTERNAL_SERVER_ERROR
    detail = "Something is wrong on our side; the log says what." if ours else str(error)[:200]
    document = {
        "type": getattr(error, "type", "about:blank"),
        "title": getattr(error, "title", status.phrase),
        "status": status,
        "detail": detail,
        "instance": request.uri if request else "/",
    }
    body = json.dumps(document, indent=2).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n"
        f"Cache-Control: no-store\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
