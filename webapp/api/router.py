"""The router: every route with and without its last slash."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import BaseRouter

ACTIONS = {"list": "get", "retrieve": "get", "create": "post"}


def both_forms(route: str, view: Callable[..., Any], name: str) -> list[URLPattern]:
    """The route with its last slash and without. Links have the slash, because an id may end in one itself."""
    return [path(f"{route}/", view, name=name), path(route, view)]


class Router(BaseRouter):
    """Registers viewsets under whole routes, such as `history/<path:advertiser_id>`.

    DRF's routers append one lookup to a prefix and name routes `-list` and `-detail`. Ours have up to three lookups, of
    which ids may contain slashes, and one action each. An earlier route wins where two match.
    """

    def get_urls(self) -> list[URLPattern | URLResolver]:
        urls: list[URLPattern | URLResolver] = []
        for route, viewset, name in self.registry:
            actions: dict[str, Any] = {method: action for action, method in ACTIONS.items() if hasattr(viewset, action)}
            urls += both_forms(route, viewset.as_view(actions), name)
        return urls
