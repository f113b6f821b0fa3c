from typing import Any, cast

from rest_framework.request import Request

from webapp.keys.models import ApiKey


def key_of(request: Request | Any) -> ApiKey | None:
    """The key that KeyAuthentication found in the request, if any."""
    return cast("ApiKey | None", request.auth)
