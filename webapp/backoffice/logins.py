"""Logging in: what django-axes knows a client by, and the page for too many attempts."""

from typing import Any

from axes.models import AccessAttempt
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from webapp.client_address import limited_address
from webapp.keys.problems import TooManyRequests
from webapp.keys.throttles import count_request
from webapp.limits import LOGINS_PER_ADDRESS

LONGEST_NAME = AccessAttempt._meta.get_field("username").max_length


def address_of(request: HttpRequest) -> str:
    return limited_address(request.META)


def user_name_of(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """The user name as django-axes stores it: names that are too long count as attempts, too."""
    name = (credentials or request.POST).get("username") or ""
    return str(name)[:LONGEST_NAME]


def refusal(request: HttpRequest) -> HttpResponse | None:
    """Count an attempt of the client's address, before any password is hashed; the page to send if it is one too many."""
    try:
        count_request(f"logins-{address_of(request)}", LOGINS_PER_ADDRESS)
    except TooManyRequests as problem:
        context = {"problem": problem}
        response = render(request, "backoffice/locked_out.html", context, status=problem.status_code)
        response["Retry-After"] = problem.headers["Retry-After"]
        return response
    return None
