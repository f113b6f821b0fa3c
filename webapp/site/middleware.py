"""The middleware that only the admin needs: sessions, logins and messages."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest

from webapp.site.error_pages import in_admin


class AdminOnly:
    """Skips requests outside the admin, which have no session, login or messages."""

    get_response: Callable[[HttpRequest], Any]

    def __call__(self, request: HttpRequest) -> Any:
        return super().__call__(request) if in_admin(request) else self.get_response(request)  # type: ignore[misc]


class AdminSessions(AdminOnly, SessionMiddleware):
    pass


class AdminLogins(AdminOnly, AuthenticationMiddleware):
    pass


class AdminMessages(AdminOnly, MessageMiddleware):
    pass
