"""Paged listings: advertisers, models and runs."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request

from webapp.api.base import ApiViewSet
from webapp.api.filters import AdvertiserFilter, RunFilter
from webapp.api.parameters import MAX_PAGE_SIZE, PageQuery
from webapp.api.serializers import AdvertiserSerializer, ModelSerializer, RunSerializer
from webapp.keys.permissions import ReachesAll
from webapp.keys.requests import key_of
from webapp.problems import InvalidParameter
from webapp.rankings.models import RANKINGS, Advertiser, Ranking, Run


class Pagination(PageNumberPagination):
    """Numbered pages. PageQuery has validated the numbers; only a page past the last remains to be refused."""

    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = MAX_PAGE_SIZE

    def get_page_number(self, request: Request, paginator: Any) -> int:
        number = int(super().get_page_number(request, paginator))
        if number > paginator.num_pages:
            raise ValidationError({"page": [f"“{number}” is past the last page, {paginator.num_pages}."]})
        return number


class ListingViewSet(ListModelMixin, ApiViewSet):
    query_class = PageQuery
    problems = (InvalidParameter,)
    pagination_class = Pagination


class AdvertiserViewSet(ListingViewSet):
    """Every advertiser that was ever active and that the key may read, with links to its lists."""

    serializer_class = AdvertiserSerializer
    filterset_class = AdvertiserFilter

    def get_queryset(self) -> QuerySet[Advertiser]:
        return Advertiser.objects.visible_to(key_of(self.request)).order_by("advertiser_id")


class ModelViewSet(ListingViewSet):
    """The models that rank products, with the columns they are scored by."""

    serializer_class = ModelSerializer

    def get_queryset(self) -> list[type[Ranking]]:  # type: ignore[override]
        return list(RANKINGS.values())


class RunViewSet(ListingViewSet):
    """Every run of the nightly job, newest first."""

    permission_classes = (ReachesAll,)
    queryset = Run.objects.latest_started().defer(
        "inputs"
    )  # large, and while a run works in steps, its hand-over state
    serializer_class = RunSerializer
    filterset_class = RunFilter
