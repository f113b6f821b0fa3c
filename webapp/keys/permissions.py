"""Who may ask. Closed unless API_PUBLIC opens reading to everybody; a key's own reach holds either way."""

from django.conf import settings
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from webapp.keys.problems import AuthenticationRequired, NotForThisKey
from webapp.keys.requests import key_of


class HasKey(BasePermission):
    """Any key; none is needed where the API is public. Whose data it reaches, the querysets' `visible_to` says."""

    def has_permission(self, request: Request, view: object) -> bool:
        if request.auth is None and not self.open_without(request):
            raise AuthenticationRequired("Send a key: `Authorization: Api-Key PREFIX.SECRET`.")
        return True

    def open_without(self, request: Request) -> bool:
        return settings.API_PUBLIC


class ReachesAll(HasKey):
    """A key of all advertisers: for what tells about all of them at once."""

    def has_permission(self, request: Request, view: object) -> bool:
        super().has_permission(request, view)
        key = key_of(request)
        if key is not None and key.advertiser_id is not None:
            raise NotForThisKey("This tells about every advertiser, and the key is one advertiser's.")
        return True


class Operates(ReachesAll):
    """The same, and API_PUBLIC does not open it: how the service does is its operators' to know."""

    def open_without(self, request: Request) -> bool:
        return False
