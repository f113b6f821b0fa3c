"""What the API's views have in common: parameters that are checked first, and answers that a caller may keep."""

from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

from django.http import HttpResponse, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.rankings import caching
from webapp.rankings.lists import Source
from webapp.rankings.memory import kept_answer
from webapp.rankings.parameters import Query
from webapp.rankings.problems import Problem

Found = TypeVar("Found", bound=Source)


class QuestionView(GenericAPIView):
    """Checks the parameters before anything else happens, and keeps them in `self.query`."""

    query_class = Query
    query: Mapping[str, Any]
    problems: tuple[type[Problem], ...] = ()  # those that are this question's own, for the schema

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        query_string = request.META.get("QUERY_STRING", "").encode("iso-8859-1")  # WSGI's way to put bytes into a str
        self.query = self.query_class.read(query_string, frozenset(self.names_of_filters()))

    def names_of_filters(self) -> Iterable[str]:
        return ()

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """No cache gives one key's answer to another, or keeps one that says nothing about being kept."""
        response = super().finalize_response(request, response, *args, **kwargs)
        patch_vary_headers(response, ["Authorization"])
        response.headers.setdefault("Cache-Control", "no-cache" if request.auth is None else "private, no-cache")
        return response


class PublishedView(QuestionView, Generic[Found]):
    """A question about published lists. A caller who has the answer is told so before the ranking tables are read.

    A page for people is made anew each time: it has more in it than the answer.
    """

    keeps_answers = True  # in memory, so that an answer is made once

    def find(self) -> Found:
        """What the answer is made from."""
        raise NotImplementedError

    def read(self, found: Found) -> Any:
        """What the serializer writes down."""
        raise NotImplementedError

    def encoding(self) -> str:
        """The Content-Encoding of the answer; other bytes have another tag."""
        return "identity"

    def answer(self, found: Found) -> HttpResponseBase:
        return Response(self.get_serializer(self.read(found)).data)

    def body(self, found: Found) -> bytes:
        """The answer as it is sent."""
        renderer: Any = self.request.accepted_renderer
        content = self.get_serializer(self.read(found)).data
        return renderer.render(content, self.request.accepted_media_type, self.get_renderer_context())

    def remembered_answer(self, found: Found, etag: str) -> HttpResponseBase:
        body = kept_answer(etag, lambda: self.body(found))
        return HttpResponse(body, content_type=self.request.accepted_renderer.media_type)

    def get(self, request: Request, **kwargs: Any) -> HttpResponseBase:
        found = self.find()
        if request.accepted_renderer.format == "api":
            return self.answer(found)
        validators = caching.validators(request, found, self.encoding())
        if validators.hold_for(request):
            response: HttpResponseBase = HttpResponseNotModified()
        elif self.keeps_answers:
            response = self.remembered_answer(found, validators.etag)
        else:
            response = self.answer(found)
        caching.mark(response, request, found, validators)
        return response
