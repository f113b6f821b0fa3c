"""The API. Each view is a question: its parameters, its answer's shape, and where the answer is found."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django_filters import FilterSet
from rest_framework.exceptions import ValidationError
from rest_framework.generics import ListAPIView
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from webapp.keys.permissions import ReachesAll
from webapp.keys.requests import key_of
from webapp.rankings import explanations, lists, statistics
from webapp.rankings.filters import AdvertiserFilter, RunFilter
from webapp.rankings.models import RANKINGS, Advertiser, Ranking, Run
from webapp.rankings.parameters import ExplainQuery, HistoryQuery, PageQuery, RecommendationsQuery, StatsQuery
from webapp.rankings.problems import (
    DayNotPublished,
    InactiveAdvertiser,
    InvalidParameter,
    NoExplanation,
    NoRecommendations,
    UnknownAdvertiser,
    UnknownModel,
)
from webapp.rankings.questions import PublishedView, QuestionView
from webapp.rankings.serializers import (
    AdvertiserSerializer,
    ExplanationSerializer,
    HistorySerializer,
    ModelSerializer,
    RecommendationsSerializer,
    RunSerializer,
    StatsSerializer,
)


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
            | {name: reverse(name, request=request) for name in ("schema", "docs")}
            | {
                "recommendations": f"{root}/recommendations/{{advertiser_id}}/{{model}}",
                "recommendations-batch": f"{root}/recommendations/batch",
                "history": f"{root}/history/{{advertiser_id}}",
                "explain": f"{root}/explain/{{advertiser_id}}/{{model}}/{{product_id}}",
                "snapshots": f"{root}/snapshots/{{date}}",
            }
        )


class RecommendationsView(PublishedView[lists.ListSource]):
    """The products to show for an advertiser, best first.

    date: a published day, YYYY-MM-DD; without it, the newest. The status is stale once that is older than yesterday.
    limit: how many products at most, 1 to 20.
    exclude: a product to leave out; several times for several, up to 100. Those behind it keep their ranks.
    fallback: the model whose list to take when the asked one has nothing; instead_of then says which was asked.
    window: over how many days the list is, the day itself the last of them: 1, 7 or 28; 1 unless given.

    A day is final once late events change it no more.
    """

    query_class = RecommendationsQuery
    serializer_class = RecommendationsSerializer
    problems = (
        InvalidParameter,
        UnknownModel,
        UnknownAdvertiser,
        InactiveAdvertiser,
        DayNotPublished,
        NoRecommendations,
    )

    def find(self) -> lists.ListSource:
        query, key = self.query, key_of(self.request)
        return lists.find_list(**self.kwargs, day=query.get("date"), key=key, window=query["window"])

    def read(self, found: lists.ListSource) -> lists.Recommendations:
        query = self.query
        return lists.recommendations(found, query["limit"], query["exclude"], query.get("fallback"))


class HistoryView(PublishedView[lists.HistorySource]):
    """An advertiser's lists over the last days, newest first; also of advertisers who are no longer active.

    days: how many, 1 to 90; 7 unless given.
    to: the last of them, YYYY-MM-DD; without it, the newest published day.
    model: only that model's lists.
    window: over how many days each list is, its day the last of them: 1, 7 or 28; 1 unless given.
    """

    query_class = HistoryQuery
    serializer_class = HistorySerializer
    problems = (InvalidParameter, UnknownModel, UnknownAdvertiser, DayNotPublished, NoRecommendations)

    def find(self) -> lists.HistorySource:
        query, key = self.query, key_of(self.request)
        return lists.find_history(
            **self.kwargs,
            last=query.get("to"),
            length=query["days"],
            model=query.get("model"),
            key=key,
            window=query["window"],
        )

    def read(self, found: lists.HistorySource) -> lists.History:
        return lists.history(found)


class ExplanationView(PublishedView[explanations.ExplanationSource]):
    """Why a product has its place in an advertiser's list, or none.

    date: a published day, YYYY-MM-DD; without it, the newest.

    Ranks go beyond the list. The reason is listed, beyond-the-list, hidden, not-viewed (TopProduct), never-shown or
    below-minimum (TopCTR), not-rising or no-past (Trending), no-events, only-rejected-rows or inactive. It is about the
    list of the day itself.
    """

    query_class = ExplainQuery
    serializer_class = ExplanationSerializer
    problems = (InvalidParameter, UnknownModel, UnknownAdvertiser, DayNotPublished, NoExplanation)

    def find(self) -> explanations.ExplanationSource:
        return explanations.find_explanation(**self.kwargs, day=self.query.get("date"), key=key_of(self.request))

    def read(self, found: explanations.ExplanationSource) -> explanations.Explanation:
        return explanations.explanation(found)


class StatsView(PublishedView[statistics.StatisticsSource]):
    """A day's lists in figures.

    date: a published day, YYYY-MM-DD; without it, the newest.
    limit: how many rows most_changed and by_advertiser have at most, 1 to 1000; 100 unless given.

    The scorecard says how the lists of the day before did on this one: their products' click-through rate, and that of
    the same advertisers' other products. Changed are the products that were not in the list of the published day before;
    of Trending, where they always are, nothing is said. The overlap is the Jaccard index of an advertiser's lists of
    TopProduct and TopCTR: the products in both, divided by the products in either; the number of products is also of
    these two. A product id that two advertisers use counts as two products. The number of active advertisers is today's.
    """

    permission_classes = (ReachesAll,)
    query_class = StatsQuery
    serializer_class = StatsSerializer
    problems = (InvalidParameter, DayNotPublished)

    def find(self) -> statistics.StatisticsSource:
        return statistics.find_statistics(self.query.get("date"))

    def read(self, found: statistics.StatisticsSource) -> statistics.Statistics:
        return statistics.statistics(found, self.query["limit"])


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
    problems = (InvalidParameter,)
    pagination_class = Pages
    filterset_class: type[FilterSet] | None = None

    def names_of_filters(self) -> Iterable[str]:
        return self.filterset_class.base_filters if self.filterset_class else ()


class AdvertisersView(PagedView):
    """Every advertiser that was ever active and that the key reads, with links to their lists.

    active: true or false.
    search: a part of the id, in capitals or not.
    page: the page's number, from 1 on.
    page_size: how many a page has, 1 to 1000; 100 unless given.
    """

    serializer_class = AdvertiserSerializer
    filterset_class = AdvertiserFilter

    def get_queryset(self) -> QuerySet[Advertiser]:
        return Advertiser.objects.visible_to(key_of(self.request)).order_by("advertiser_id")


class ModelsView(PagedView):
    """The ways in which products are ranked, with the columns that each is scored by.

    page: the page's number, from 1 on.
    page_size: how many a page has, 1 to 1000; 100 unless given.
    """

    serializer_class = ModelSerializer

    def get_queryset(self) -> list[type[Ranking]]:  # type: ignore[override]
        return list(RANKINGS.values())


class RunsView(PagedView):
    """Every attempt of the nightly batch, newest first.

    state: running, published, superseded, refused or failed.
    day: the day that was ranked, YYYY-MM-DD.
    day_from: the first of several days.
    day_to: the last of several days.
    page: the page's number, from 1 on.
    page_size: how many a page has, 1 to 1000; 100 unless given.
    """

    permission_classes = (ReachesAll,)
    queryset = Run.objects.latest_started()
    serializer_class = RunSerializer
    filterset_class = RunFilter
