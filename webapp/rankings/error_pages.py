"""What stands in for Django's own error pages: problem documents, except in the admin, where people expect HTML."""

import logging
import sys
from collections.abc import Callable
from http import HTTPStatus

from django.core.exceptions import DisallowedHost, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt

from webapp.rankings.pages import page
from webapp.rankings.problems import TRY_AGAIN, DatabaseUnavailable, database_trouble, document

logger = logging.getLogger(__name__)


def in_admin(request: HttpRequest) -> bool:
    """The admin's pages keep Django's HTML."""
    return request.path_info.startswith("/admin/")


@csrf_exempt
def nothing_here(request: HttpRequest) -> HttpResponse:
    """The last route: any path that no other one takes."""
    return document(request, HTTPStatus.NOT_FOUND, f"Nothing is at {request.path}; /api/v1/ lists what there is.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if in_admin(request):
        return defaults.bad_request(request, exception)
    return document(request, HTTPStatus.BAD_REQUEST, "The request could not be understood.")


def permission_denied(request: HttpRequest, exception: PermissionDenied) -> HttpResponse:
    if in_admin(request):
        return defaults.permission_denied(request, exception)
    return document(request, HTTPStatus.FORBIDDEN, "This is not allowed.")


def not_found(request: HttpRequest, exception: Http404) -> HttpResponse:
    return defaults.page_not_found(request, exception) if in_admin(request) else nothing_here(request)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django calls this while the error is being handled, so that a database that went away can be told apart."""
    trouble = database_trouble(sys.exc_info()[1])
    if in_admin(request):
        return database_page(trouble) if trouble else defaults.server_error(request)
    if trouble:
        return document(request, trouble.status_code, str(trouble.detail), trouble.type, trouble.title)
    return document(request, HTTPStatus.INTERNAL_SERVER_ERROR, "Something is wrong on our side; the log says what.")


def database_page(trouble: DatabaseUnavailable) -> HttpResponse:
    """The same problem for a person, on the front page and in the admin."""
    return page("rankings/unavailable.html", {"trouble": trouble}, trouble.status_code, {"Retry-After": TRY_AGAIN})


def answer_named_hosts_only(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Middleware: refuses a Host header that ALLOWED_HOSTS does not name, in one line of the log and of the answer."""

    def middleware(request: HttpRequest) -> HttpResponse:
        try:
            request.get_host()
        except DisallowedHost:
            host = request.META.get("HTTP_HOST", request.META.get("SERVER_NAME", ""))
            logger.warning("Refused a request for the host %r, which ALLOWED_HOSTS does not name", host)
            return document(request, HTTPStatus.BAD_REQUEST, "This server does not answer for the host that was asked.")
        return get_response(request)

    return middleware
