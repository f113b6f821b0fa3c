"""The base classes of the API's viewsets."""

import inspect
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils.cache import patch_vary_headers
from django_filters import Filter, FilterSet
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from webapp.api.http_caching import conditional_response
from webapp.api.parameters import Query
from webapp.api.renderers import StreamingRenderer
from webapp.keys.authentication import KeyAuthentication
from webapp.keys.models import ApiKey
from webapp.lists.inputs import Inputs, Lookup, load_inputs
from webapp.lists.response_cache import cached_response
from webapp.lists.selection import Selection
from webapp.problems import Problem

Selected = TypeVar("Selected", bound=Selection)


class ApiViewSet(GenericViewSet):
    """Validates the query parameters before the action runs, which finds them in `self.query`.

    The docstring of a subclass documents its endpoint: the first line is the summary.
    """

    query_class = Query
    query: Mapping[str, Any]
    filterset_class: type[FilterSet] | None = None
    problems: tuple[type[Problem], ...] = ()  # besides those of keys and the database; for the schema

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.query = self.parse_query(request)

    def parse_query(self, request: HttpRequest | Request) -> Mapping[str, Any]:
        query_string = request.META.get("QUERY_STRING", "").encode("iso-8859-1")  # WSGI decodes bytes like this
        return self.query_class.parse(query_string, frozenset(self.filters()))

    def filters(self) -> Mapping[str, Filter]:
        return self.filterset_class.base_filters if self.filterset_class else {}

    def parameters(self) -> dict[str, str]:
        """The help text of each query parameter."""
        filters = {name: each.extra["help_text"] for name, each in self.filters().items()}
        return filters | {name: str(field.help_text) for name, field in self.query_class().fields.items()}

    def get_view_description(self, html: bool = False) -> str:
        """The docstring; for the browsable API with a table of the parameters."""
        text = inspect.cleandoc(type(self).__doc__ or "")
        if not html:
            return text
        paragraphs = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
        return render_to_string(
            "api/description.html", {"paragraphs": paragraphs, "parameters": self.rows_of_parameters()}
        )

    def rows_of_parameters(self) -> list[tuple[str, str, Any, str]]:
        """Each query parameter's name, help text, default, and value in this request."""
        fields = self.query_class().fields
        defaults = {name: field.default for name, field in fields.items() if isinstance(field.default, int | str)}
        given = self.request.GET
        return [
            (name, meaning, defaults.get(name, ""), ", ".join(given.getlist(name)))
            for name, meaning in self.parameters().items()
        ]

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Keep caches from serving one key's response to another, and from keeping one without explicit permission."""
        response = super().finalize_response(request, response, *args, **kwargs)
        patch_vary_headers(response, ["Authorization"])
        response.headers.setdefault("Cache-Control", "no-cache" if request.auth is None else "private, no-cache")
        return response


class PublishedViewSet(ApiViewSet, Generic[Selected]):
    """Serves published lists. Subclasses say what to look up, `select` from it, and `load` the lists.

    The query for the key looks up everything that the ETag depends on, so a client that has the response gets a 304 after
    one query. Each process keeps the responses it rendered. Browsable pages are not cached, since they contain more than
    the response.
    """

    inputs: Inputs | None = None

    def lookup(self, query: Mapping[str, Any]) -> Lookup:
        """What the request with these parameters is about."""
        raise NotImplementedError

    def select(self, inputs: Inputs) -> Selected:
        """The published runs and the advertiser that the request selects."""
        raise NotImplementedError

    def load(self, selection: Selected) -> Any:
        """What the serializer, or the streaming renderer, renders."""
        raise NotImplementedError

    def get_authenticators(self) -> list[BaseAuthentication]:
        return [KeyAuthentication(self.find_key)]

    def find_key(self, prefix: str) -> ApiKey | None:
        """The key, found by the query that loads the inputs too."""
        try:
            lookup = self.lookup(self.parse_query(self.request))
        except APIException:  # to be raised after the key is checked
            return ApiKey.objects.find_by_prefix(prefix)
        self.inputs = load_inputs(lookup, prefix)
        return self.inputs.key

    def retrieve(self, request: Request, **kwargs: Any) -> HttpResponseBase:
        selection = self.select(self.inputs or load_inputs(self.lookup(self.query)))
        if request.accepted_renderer.format == "api":
            return Response(self.get_serializer(self.load(selection)).data)
        # The parsed parameters: a query string can be written in several ways, and its bytes say nothing about its meaning.
        meaning = [type(self).__name__, self.kwargs, self.query]
        return conditional_response(request, meaning, selection, lambda etag: self.respond(selection, etag))

    def respond(self, selection: Selected, etag: str) -> HttpResponseBase:
        renderer: Any = self.request.accepted_renderer
        if isinstance(renderer, StreamingRenderer):
            return renderer.stream(self.load(selection))
        body = cached_response(etag, lambda: self.render(selection))
        return HttpResponse(body, content_type=renderer.media_type)

    def render(self, selection: Selected) -> bytes:
        renderer: Any = self.request.accepted_renderer
        content = self.get_serializer(self.load(selection)).data
        return renderer.render(content, self.request.accepted_media_type, self.get_renderer_context())
