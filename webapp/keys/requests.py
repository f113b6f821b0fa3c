"""The key of a request."""

from typing import Any, cast

from rest_framework.request import Request

from webapp.keys.models import ApiKey


def key_of(request: Request | Any) -> ApiKey | None:
    """What KeyAuthentication found; None without a key."""
    return cast("ApiKey | None", request.auth)
