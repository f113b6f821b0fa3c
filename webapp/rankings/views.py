"""The API. Each view is a question: its parameters, its answer's shape, and where the answer is found."""

from collections.abc import Iterable
from typing import Any

from django_filters import FilterSet
from rest_framework.exceptions import ValidationError
from rest_framework.generics import GenericAPIView, ListAPIView, RetrieveAPIView
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from webapp.rankings import lists, statistics
from webapp.rankings.filters import AdvertiserFilter, RunFilter
from webapp.rankings.models import RANKINGS, Advertiser, Ranking, Run
from webapp.rankings.parameters import HistoryQuery, PageQuery, Query, RecommendationsQuery, StatsQuery
from webapp.rankings.serializers import (
    AdvertiserSerializer,
    HistorySerializer,
    ModelSerializer,
    RecommendationsSerializer,
    RunSerializer,
    StatsSerializer,
)


class QuestionView(GenericAPIView):
    """Checks the parameters before anything else happens, and keeps them in `self.query`."""

    query_class = Query
    query: dict[str, Any]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.query = self.query_class.read(request, also=self.names_of_filters())

    def names_of_filters(self) -> Iterable[str]:
        return ()


class RootView(QuestionView):
    """Which of an advertiser's products to show, ranked anew every night.

    Every address also answers without /api/v1, and with or without its last slash. Errors are problem documents
    (RFC 9457) whose "type" says what is wrong.
    """

    name = "API"

    def get(self, request: Request) -> Response:
        plain = ("models", "advertisers", "runs", "stats", "health-live", "health-ready")
        root = request.path.rstrip("/")
        return Response(
            {name: reverse(f"v1:{name}", request=request) for name in plain}
            | {
                "recommendations": f"{root}/recommendations/{{advertiser_id}}/{{model}}",
                "history": f"{root}/history/{{advertiser_id}}",
            }
        )


class RecommendationsView(QuestionView, RetrieveAPIView):
    """The products to show for an advertiser, best first.

    date: a published day, YYYY-MM-DD; without it, the newest. The status is stale once that is older than yesterday.
    limit: how many products at most, 1 to 20.

    A day is final once late events change it no more.
    """

    query_class = RecommendationsQuery
    serializer_class = RecommendationsSerializer

    def get_object(self) -> lists.Recommendations:
        return lists.recommendations(**self.kwargs, day=self.query.get("date"), limit=self.query["limit"])


class HistoryView(QuestionView, RetrieveAPIView):
    """An advertiser's lists over the last days, newest first; also of advertisers who are no longer active.

    days: how many, 1 to 90; 7 unless given.
    to: the last of them, YYYY-MM-DD; without it, the newest published day.
    model: only that model's lists.
    """

    query_class = HistoryQuery
    serializer_class = HistorySerializer

    def get_object(self) -> lists.History:
        query = self.query
        return lists.history(**self.kwargs, last=query.get("to"), length=query["days"], model=query.get("model"))


class StatsView(QuestionView, RetrieveAPIView):
    """A day's lists in figures.

    date: a published day, YYYY-MM-DD; without it, the newest.
    limit: how many rows most_changed and by_advertiser have at most, 1 to 1000; 100 unless given.

    Changed are the products that were not in the list of the published day before. The overlap is the Jaccard index of
    an advertiser's two lists: the products in both, divided by the products in either. A product id that two
    advertisers use counts as two products. The number of active advertisers is today's.
    """

    query_class = StatsQuery
    serializer_class = StatsSerializer

    def get_object(self) -> statistics.Statistics:
        return statistics.statistics(lists.find_run(self.query.get("date")), self.query["limit"])


class Pages(PageNumberPagination):
    """Numbered pages. The view has checked the numbers; only a page too far is left to refuse."""

    page_size = 100
    page_size_query_param = "page_size"
    max_page_size = 1000

    def get_page_number(self, request: Request, paginator: Any) -> int:
        number = int(super().get_page_number(request, paginator))
        if number > paginator.num_pages:
            raise ValidationError({"page": [f"“{number}” is past the last page, which is {paginator.num_pages}."]})
        return number


class PagedView(QuestionView, ListAPIView):
    query_class = PageQuery
    pagination_class = Pages
    filterset_class: type[FilterSet] | None = None

    def names_of_filters(self) -> Iterable[str]:
        return self.filterset_class.base_filters if self.filterset_class else ()


class AdvertisersView(PagedView):
    """Every advertiser that was ever active, with links to their lists.

    active: true or false.
    search: a part of the id, in capitals or not.
    page, and page_size from 1 to 1000; 100 unless given.
    """

    queryset = Advertiser.objects.order_by("advertiser_id")
    serializer_class = AdvertiserSerializer
    filterset_class = AdvertiserFilter


class ModelsView(PagedView):
    """The ways in which products are ranked, with the columns that each is scored by."""

    serializer_class = ModelSerializer

    def get_queryset(self) -> list[type[Ranking]]:  # type: ignore[override]
        return list(RANKINGS.values())


class RunsView(PagedView):
    """Every attempt of the nightly batch, newest first.

    state: running, published, superseded, refused or failed.
    day, or day_from and day_to, both included: the day that was ranked, YYYY-MM-DD.
    page, and page_size from 1 to 1000; 100 unless given.
    """

    queryset = Run.objects.latest_started()
    serializer_class = RunSerializer
    filterset_class = RunFilter
