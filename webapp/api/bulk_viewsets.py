"""Many lists in one response: a batch of advertisers, or everything of a day."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

from django.http import HttpResponse
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from webapp.api.base import ApiViewSet, PublishedViewSet
from webapp.api.parameters import BatchBody, SnapshotQuery
from webapp.api.parsers import SmallObjectParser
from webapp.api.problems import BodyTooLarge, InvalidBody
from webapp.api.renderers import CsvRenderer, NdjsonRenderer
from webapp.api.serializers import BatchSerializer
from webapp.keys.requests import key_of
from webapp.limits import MAX_IDS, SNAPSHOT_WEIGHT
from webapp.lists.batch import load_batch
from webapp.lists.inputs import Inputs, Lookup
from webapp.lists.problems import DayNotPublished, NoRecommendations
from webapp.lists.snapshots import VERSIONS, Snapshot, SnapshotSelection, load_snapshot, select_snapshot
from webapp.problems import InvalidParameter
from webapp.rankings.values import parse_day


class BatchViewSet(ApiViewSet):
    __doc__ = f"""The lists of up to {MAX_IDS} advertisers in one response.

    Each result has its own status: with 200 it contains the response of /recommendations, otherwise a problem.
    """

    parser_classes = (SmallObjectParser,)
    body_class = BatchBody
    serializer_class = BatchSerializer
    problems = (InvalidBody, BodyTooLarge, InvalidParameter, DayNotPublished)

    def create(self, request: Request) -> Response:
        body = self.body_class.parse(cast(dict[str, Any], request.data))
        return Response(self.get_serializer(load_batch(key_of(request), **body)).data)


class SnapshotViewSet(PublishedViewSet[SnapshotSelection]):
    __doc__ = f"""A published day's lists of all active advertisers, as a stream.

    It is gzipped unless the client does not accept that. A request counts as {SNAPSHOT_WEIGHT} in the rate limits.
    """

    weight = SNAPSHOT_WEIGHT
    renderer_classes = (NdjsonRenderer, CsvRenderer)
    query_class = SnapshotQuery
    problems = (InvalidParameter, DayNotPublished, NoRecommendations)

    def parameters(self) -> dict[str, str]:
        formats = ", or ".join(f"{renderer.format}, {renderer.summary}" for renderer in self.renderer_classes)
        return super().parameters() | {"format": f"{formats}. The Accept header works too."}

    @property
    def default_response_headers(self) -> dict[str, str]:
        return super().default_response_headers | {"Vary": "Accept, Accept-Encoding"}

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:
        renderer: Any
        renderer, media_type = super().perform_content_negotiation(request, force)
        renderer.encoding = "gzip" if accepts_gzip(request) else "identity"
        return renderer, media_type

    def lookup(self, query: Mapping[str, Any]) -> Lookup:
        try:
            day = parse_day(self.kwargs["date"])
        except ValueError as error:
            raise InvalidParameter(f"date: {error}", parameter="date") from None
        return Lookup(day=day, versions=VERSIONS)

    def select(self, inputs: Inputs) -> SnapshotSelection:
        return select_snapshot(inputs, self.query.get("model"), self.query["window"])

    def load(self, selection: SnapshotSelection) -> Snapshot:
        return load_snapshot(selection)

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Only headers: DRF would describe the endpoint, which none of the renderers can."""
        return HttpResponse(status=HTTPStatus.NO_CONTENT)


def accepts_gzip(request: Request) -> bool:
    """Whether the client accepts gzip. Without an Accept-Encoding header it accepts anything (RFC 9110)."""
    accepted = request.headers.get("Accept-Encoding", "*").replace(" ", "").lower()
    weights = dict(part.partition(";q=")[::2] for part in accepted.split(","))
    weight = weights.get("gzip", weights.get("*", "0"))
    return weight == "" or weight.strip("0.") != ""
