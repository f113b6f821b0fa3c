"""The API in a browser: each endpoint's parameters, its response, and links that work."""

from collections.abc import Iterator
from typing import Any

from rest_framework.renderers import BrowsableAPIRenderer, JSONRenderer
from rest_framework.reverse import reverse
from rest_framework.utils.urls import replace_query_param

from webapp.api.parameters import FORMAT
from webapp.keys.requests import key_of
from webapp.lists.example import find_example
from webapp.lists.selection import first_shown
from webapp.rankings.models import FIRST, LASTING, WINDOWED

Link = tuple[str, str]


class BrowsableRenderer(BrowsableAPIRenderer):
    """A page in the site's style, without scripts or forms: the API is read-only but for the batch."""

    template = "api/browsable.html"

    def get_context(self, data: Any, accepted_media_type: Any, renderer_context: Any) -> Any:
        view, request, response = (renderer_context[name] for name in ("view", "request", "response"))
        here, renderer = request.build_absolute_uri(), JSONRenderer()
        return {
            "request": request,
            "response": response,
            "response_headers": {**response.headers, "Content-Type": "application/json"},
            "content": self.get_content(renderer, data, accepted_media_type, renderer_context),
            "name": self.get_name(view),
            "description": self.get_description(view, response.status_code),
            "breadcrumblist": self.get_breadcrumbs(request),
            "json_url": replace_query_param(here, FORMAT, "json"),
            "paginator": getattr(view, "paginator", None),
            "previous_url": data.get("previous"),
            "next_url": data.get("next"),
            "links": [*links(request, view, data)],
        }


def links(request: Any, view: Any, data: Any) -> Iterator[Link]:
    """Links from an endpoint to related ones; from the root, to those of an advertiser that has lists."""
    if "advertiser_id" in view.kwargs:
        items = data.get("items") or [{"product_id": view.kwargs.get("product_id")}]
        model = view.kwargs.get("model", FIRST)
        yield from links_of_advertiser(view.kwargs["advertiser_id"], model, items[0]["product_id"], request)
    elif request.resolver_match.view_name == "root" and (example := find_example(key_of(request))):
        yield from links_of_advertiser(example.advertiser_id, example.model, example.product_id, request)
        snapshot = reverse("v1:snapshots", args=[example.date], request=request)
        yield f"Every list of {example.date}, as CSV", replace_query_param(snapshot, FORMAT, "csv")


def links_of_advertiser(advertiser: str, model: str, product: str | None, request: Any) -> Iterator[Link]:
    """Links to an advertiser's lists, and to the explanation of a product's rank by the model."""
    for name in first_shown(LASTING):
        yield f"{name} of {advertiser}", reverse("v1:recommendations", args=[advertiser, name], request=request)
    windowed = next(iter(WINDOWED))
    week = reverse("v1:recommendations", args=[advertiser, windowed], request=request)
    yield f"{windowed} over 7 days", replace_query_param(week, "window", 7)
    yield "The last 7 days", reverse("v1:history", args=[advertiser], request=request)
    if product:
        why = reverse("v1:explain", args=[advertiser, model, product], request=request)
        yield f"Why {product} has its rank in {model}", why
