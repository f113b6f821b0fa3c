"""Published lists: recommendations, history, explanations and statistics."""

from collections.abc import Mapping
from typing import Any

from django.utils.text import get_text_list
from rest_framework.exceptions import APIException

from webapp.api import parameters, serializers
from webapp.api.base import PublishedViewSet
from webapp.keys.permissions import ReachesAll
from webapp.limits import RANKING_WEIGHT, STATISTICS_WEIGHT
from webapp.lists import explanations, history, recommendations, statistics
from webapp.lists.inputs import Inputs, Lookup
from webapp.lists.problems import (
    DayNotPublished,
    InactiveAdvertiser,
    NoExplanation,
    NoRecommendations,
    UnknownAdvertiser,
    UnknownModel,
)
from webapp.problems import InvalidParameter
from webapp.rankings.models import LASTING, RANKINGS


class RecommendationsViewSet(PublishedViewSet[recommendations.ListSelection]):
    __doc__ = f"""The products to show for an advertiser, best first.

    The status is "stale" if the day is older than yesterday. A final day no longer changes, even if late events arrive.
    A request that explores counts as {RANKING_WEIGHT} in the rate limits.
    """

    query_class = parameters.RecommendationsQuery
    serializer_class = serializers.RecommendationsSerializer
    problems = (
        InvalidParameter,
        UnknownModel,
        UnknownAdvertiser,
        InactiveAdvertiser,
        DayNotPublished,
        NoRecommendations,
    )

    def lookup(self, query: Mapping[str, Any]) -> Lookup:
        return Lookup(self.kwargs["advertiser_id"], query.get("date"))

    @property
    def weight(self) -> int:
        """What the request counts as in the rate limits."""
        try:
            explores = self.parse_query(self.request)["explore"]
        except APIException:  # to be raised after the request is counted
            return 1
        return RANKING_WEIGHT if explores else 1

    def select(self, inputs: Inputs) -> recommendations.ListSelection:
        return recommendations.select_list(inputs, self.kwargs["model"], self.query["window"], self.query["explore"])

    def load(self, selection: recommendations.ListSelection) -> recommendations.Recommendations:
        query = self.query
        return recommendations.load_recommendations(
            selection, query["limit"], query["exclude"], query.get("fallback"), query["explore"]
        )


class HistoryViewSet(PublishedViewSet[history.HistorySelection]):
    """An advertiser's lists over the last days, newest first. Inactive advertisers have a history too."""

    query_class = parameters.HistoryQuery
    serializer_class = serializers.HistorySerializer
    problems = (InvalidParameter, UnknownModel, UnknownAdvertiser, DayNotPublished, NoRecommendations)

    def lookup(self, query: Mapping[str, Any]) -> Lookup:
        return Lookup(self.kwargs["advertiser_id"], query.get("to"), runs=query["days"])

    def select(self, inputs: Inputs) -> history.HistorySelection:
        return history.select_history(inputs, self.query["days"], self.query.get("model"), self.query["window"])

    def load(self, selection: history.HistorySelection) -> history.History:
        return history.load_history(selection)


OWN_REASONS = "; ".join(
    f"{name}: {get_text_list([*ranking.absence_reasons], 'or')}" for name, ranking in RANKINGS.items()
)


class ExplanationViewSet(PublishedViewSet[explanations.ExplanationSelection]):
    __doc__ = f"""Why a product has its place in an advertiser's list, or is not in it.

    The explanation is about the list of a single day. Ranks continue beyond the end of the list. The reason is
    {get_text_list([*explanations.REASONS], "or")}, or one of the model's own ({OWN_REASONS}). A request counts as
    {RANKING_WEIGHT} in the rate limits.
    """

    weight = RANKING_WEIGHT
    query_class = parameters.ExplainQuery
    serializer_class = serializers.ExplanationSerializer
    problems = (InvalidParameter, UnknownModel, UnknownAdvertiser, DayNotPublished, NoExplanation)

    def lookup(self, query: Mapping[str, Any]) -> Lookup:
        return Lookup(self.kwargs["advertiser_id"], query.get("date"))

    def select(self, inputs: Inputs) -> explanations.ExplanationSelection:
        return explanations.select_explanation(inputs, self.kwargs["model"], self.kwargs["product_id"])

    def load(self, selection: explanations.ExplanationSelection) -> explanations.Explanation:
        return explanations.load_explanation(selection)


class StatsViewSet(PublishedViewSet[statistics.StatisticsSelection]):
    __doc__ = f"""A day's lists in figures.

    scorecard compares, for the previous day's lists, the click-through rate of their products on this day with that of
    the same advertisers' other products. most_changed counts the products that were not in the previous published day's
    list, for {get_text_list(list(LASTING), "and")}. model_overlap compares {" with ".join(statistics.COMPARED)}: an
    advertiser's overlap is the Jaccard index of the two lists, the number of products in both divided by the number in
    either. products counts the products of these two models; a product id that two advertisers use counts twice. The
    number of active advertisers is today's. A request counts as {STATISTICS_WEIGHT} in the rate limits.
    """

    weight = STATISTICS_WEIGHT
    permission_classes = (ReachesAll,)
    query_class = parameters.StatsQuery
    serializer_class = serializers.StatsSerializer
    problems = (InvalidParameter, DayNotPublished)

    def lookup(self, query: Mapping[str, Any]) -> Lookup:
        return Lookup(day=query.get("date"), runs=2, versions=statistics.VERSIONS)

    def select(self, inputs: Inputs) -> statistics.StatisticsSelection:
        return statistics.select_statistics(inputs)

    def load(self, selection: statistics.StatisticsSelection) -> statistics.Statistics:
        return statistics.load_statistics(selection, self.query["limit"])
