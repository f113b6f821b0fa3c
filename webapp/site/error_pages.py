"""Error handlers: problem documents (RFC 9457) outside the admin, Django's HTML pages inside it."""

import logging
import sys
from collections.abc import Callable
from http import HTTPStatus

from django.core.exceptions import DisallowedHost, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt

from webapp.limits import MAX_PATH
from webapp.problems import TRY_AGAIN, DatabaseUnavailable, database_trouble, document
from webapp.site.pages import page

logger = logging.getLogger(__name__)


def in_admin(request: HttpRequest) -> bool:
    return request.path_info.startswith("/admin/")


@csrf_exempt
def nothing_here(request: HttpRequest) -> HttpResponse:
    """The last route: any path that no other route matches."""
    return document(request, HTTPStatus.NOT_FOUND, f"There is nothing at {request.path}; /api/v1/ lists the endpoints.")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if in_admin(request):
        return defaults.bad_request(request, exception)
    return document(request, HTTPStatus.BAD_REQUEST, "The request is malformed.")


def permission_denied(request: HttpRequest, exception: PermissionDenied) -> HttpResponse:
    if in_admin(request):
        return defaults.permission_denied(request, exception)
    return document(request, HTTPStatus.FORBIDDEN, "You do not have permission for this.")


def not_found(request: HttpRequest, exception: Http404) -> HttpResponse:
    return defaults.page_not_found(request, exception) if in_admin(request) else nothing_here(request)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django calls this while it handles the exception, so a database failure can be recognised."""
    failure = database_trouble(sys.exc_info()[1])
    if in_admin(request):
        return database_page(failure) if failure else defaults.server_error(request)
    if failure:
        return document(request, **failure.as_member())
    return document(request, HTTPStatus.INTERNAL_SERVER_ERROR, "Internal error; the server's log has the details.")


def database_page(failure: DatabaseUnavailable) -> HttpResponse:
    """The database problem as HTML, for the front page and the admin."""
    return page("site/unavailable.html", {"failure": failure}, failure.status_code, {"Retry-After": TRY_AGAIN})


def reject_unknown_hosts(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Middleware: respond with 400 to a Host header that is not in ALLOWED_HOSTS, and log it."""

    def middleware(request: HttpRequest) -> HttpResponse:
        try:
            request.get_host()
        except DisallowedHost:
            host = request.META.get("HTTP_HOST", request.META.get("SERVER_NAME", ""))
            logger.warning("Rejected a request for host %r, which is not in ALLOWED_HOSTS", host)
            return document(request, HTTPStatus.BAD_REQUEST, "The requested host is not served here.")
        return get_response(request)

    return middleware


def reject_unknown_charsets(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Middleware: respond with 415 to a body that is not in UTF-8; other charsets can encode lone surrogates.

    Django decodes forms, and the query too, by the charset in the Content-Type. A header that site/requests.py cannot parse
    gets 400.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.content_type is None:
            return document(request, HTTPStatus.BAD_REQUEST, "The Content-Type is malformed.")
        if (request.encoding or "utf-8").lower().replace("_", "-") not in ("utf-8", "utf8"):
            return document(request, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The charset of a request must be UTF-8.")
        return get_response(request)

    return middleware


def reject_long_paths(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Middleware: respond with 414 to a path that no route has, before it is matched to the routes.

    Routes with two ids are regular expressions that take seconds for a path of 70 KB, during which no other thread works.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if len(request.path_info) > MAX_PATH:
            return document(request, HTTPStatus.REQUEST_URI_TOO_LONG, f"A path has at most {MAX_PATH} characters.")
        return get_response(request)

    return middleware
