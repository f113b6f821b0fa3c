"""Many lists in one answer: a batch of advertisers, and a day of everybody's."""

from http import HTTPStatus
from typing import Any, cast

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.keys.requests import key_of
from webapp.rankings import snapshots
from webapp.rankings.batch import batch
from webapp.rankings.bodies import SmallObjectParser
from webapp.rankings.parameters import BatchQuery, SnapshotQuery, parse_day
from webapp.rankings.problems import (
    BodyTooLarge,
    DayNotPublished,
    InvalidBody,
    InvalidParameter,
    NoRecommendations,
)
from webapp.rankings.questions import PublishedView, QuestionView
from webapp.rankings.serializers import BatchSerializer


class BatchView(QuestionView):
    """The lists of up to 100 advertisers in one answer; each result has a status of its own.

    A result with the status 200 has, as its answer, what /recommendations says; any other has its problem.
    """

    parser_classes = (SmallObjectParser,)
    body_class = BatchQuery
    serializer_class = BatchSerializer
    problems = (InvalidBody, BodyTooLarge, InvalidParameter, DayNotPublished)

    def post(self, request: Request) -> Response:
        wanted = self.body_class.read(cast(dict[str, Any], request.data))
        found = batch(
            wanted["advertiser_ids"],
            wanted.get("models"),
            wanted.get("date"),
            wanted["limit"],
            wanted["exclude"],
            wanted.get("fallback"),
            key_of(request),
            wanted["window"],
        )
        return Response(self.get_serializer(found).data)


class NdjsonRenderer(BaseRenderer):
    """Names the format for negotiation; the view itself writes."""

    media_type = "application/x-ndjson"
    format = "ndjson"


class CsvRenderer(BaseRenderer):
    media_type = "text/csv"
    format = "csv"


class SnapshotView(PublishedView[snapshots.SnapshotSource]):
    """A published day's lists of all active advertisers, as a stream: gzipped, unless the caller takes no gzip.

    model: only that model's lists.
    window: over how many days the lists are, the day itself the last of them: 1, 7 or 28; 1 unless given.
    format: ndjson, a JSON object a line and list; or csv, a line a product. Or ask by the Accept header.
    """

    renderer_classes = (NdjsonRenderer, CsvRenderer)
    query_class = SnapshotQuery
    keeps_answers = False  # a whole day is too much
    problems = (InvalidParameter, DayNotPublished, NoRecommendations)

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Only the headers: none of the formats could describe the view, as DRF does elsewhere."""
        return HttpResponse(status=HTTPStatus.NO_CONTENT)

    def encoding(self) -> str:
        return "gzip" if takes_gzip(self.request) else "identity"

    def find(self) -> snapshots.SnapshotSource:
        try:
            day = parse_day(self.kwargs["date"])
        except ValueError as mistake:
            raise InvalidParameter(f"date: {mistake}", parameter="date") from None
        return snapshots.find_snapshot(day, self.query.get("model"), self.query["window"])

    def answer(self, found: snapshots.SnapshotSource) -> HttpResponseBase:
        lists = snapshots.snapshot(found, key_of(self.request))
        renderer: Any = self.request.accepted_renderer
        lines = snapshots.FORMATS[renderer.format](lists, found)
        compressed = self.encoding() == "gzip"
        response = StreamingHttpResponse(
            snapshots.in_pieces(lines, compressed), content_type=f"{renderer.media_type}; charset=utf-8"
        )
        if compressed:
            response["Content-Encoding"] = "gzip"
        return response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        if response.status_code in (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED):
            patch_vary_headers(response, ["Accept", "Accept-Encoding"])
        return response


def takes_gzip(request: Request) -> bool:
    """Whether gzip may be sent: as RFC 9110 has it, who says nothing takes anything."""
    accepted = request.headers.get("Accept-Encoding", "*").replace(" ", "").lower()
    weights = dict(part.partition(";q=")[::2] for part in accepted.split(","))
    weight = weights.get("gzip", weights.get("*", "0"))
    return weight.strip("0.") != "" or weight == ""
