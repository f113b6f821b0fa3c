"""Who may log in, from where, and who may give rights to whom."""

from typing import Any

from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import Model
from django.http import HttpRequest
from rest_framework.throttling import BaseThrottle


def client_address(request: HttpRequest) -> str:
    """The address that a login comes from, found as the API finds it: PROXIES says whose word is taken for it."""
    return BaseThrottle().get_ident(request)  # type: ignore[arg-type]


class StaffAdmin(UserAdmin):
    """Accounts. Whoever is no superuser can neither make one nor become or change one; roles are what they give."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if request.user.is_superuser else ("is_superuser", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.outranks(request, obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return self.outranks(request, obj) and super().has_delete_permission(request, obj)

    def outranks(self, request: HttpRequest, account: Model | None) -> bool:
        return bool(request.user.is_superuser) or not (isinstance(account, User) and account.is_superuser)
