"""Permissions of the API. Which advertisers a key reads is decided by the querysets' `visible_to`."""

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from webapp.keys.problems import AuthenticationRequired, NotForThisKey
from webapp.keys.requests import key_of


class HasKey(BasePermission):
    """Requires a key, unless API_PUBLIC is set."""

    def has_permission(self, request: Request, view: object) -> bool:
        if request.auth is None and not self.is_public():
            raise AuthenticationRequired("Send a key: `Authorization: Api-Key PREFIX.SECRET`.")
        return True

    def is_public(self) -> bool:
        return settings.API_PUBLIC


class ReachesAll(HasKey):
    """Requires a key to all advertisers, for data that covers all of them."""

    def has_permission(self, request: Request, view: object) -> bool:
        super().has_permission(request, view)
        key = key_of(request)
        if key is not None and key.advertiser_id is not None:
            raise NotForThisKey("This covers every advertiser, and the key is for one advertiser.")
        return True


class Operates(ReachesAll):
    """Requires such a key even if API_PUBLIC is set, for data about the service itself."""

    def is_public(self) -> bool:
        return False
