"""The API's responses, field by field."""

from http import HTTPStatus
from typing import Any, Literal

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from webapp.lists.batch import BatchResult
from webapp.lists.history import History, HistoryDay
from webapp.lists.recommendations import Recommendations
from webapp.operations.freshness import is_fresh
from webapp.problems import Problem
from webapp.rankings.models import RANKINGS, Advertiser, Ranking, Run
from webapp.rankings.models.counts import ProductCounts

ITEM = {"$ref": "#/components/schemas/Item"}
WINDOW = "The number of days in the list, the last of which is its date; absent for a single day"
ABSENT_DAYS = "The days of the window without data, since they were not published; absent for a single day"


class ItemSerializer(serializers.BaseSerializer):
    """A product in a list: rank, id, the score columns and values derived from them."""

    def to_representation(self, instance: Ranking) -> dict[str, Any]:
        return instance.as_item()


class RecommendationsSerializer(serializers.Serializer):
    advertiser_id = serializers.CharField(source="advertiser.advertiser_id")
    model = serializers.CharField()
    date = serializers.DateField(source="run.day")
    status = serializers.SerializerMethodField()
    run = serializers.IntegerField(source="run.id")
    published_at = serializers.DateTimeField(source="run.published_at")
    final = serializers.BooleanField(source="run.final")
    items = ItemSerializer(many=True)
    instead_of = serializers.CharField(
        required=False, help_text="The requested model, if the list is the fallback's; otherwise absent"
    )
    window = serializers.IntegerField(required=False, help_text=WINDOW)
    absent_days = serializers.ListField(child=serializers.DateField(), required=False, help_text=ABSENT_DAYS)

    def get_status(self, recommendations: Recommendations) -> Literal["fresh", "stale"]:
        return "fresh" if is_fresh(recommendations.run.day) else "stale"

    def to_representation(self, instance: Recommendations) -> dict[str, Any]:
        response = super().to_representation(instance)
        if response["instead_of"] is None:
            del response["instead_of"]
        if instance.window == 1:
            del response["window"], response["absent_days"]
        return response


class BatchResultSerializer(serializers.BaseSerializer):
    class Meta:
        ref_name = "Outcome"

    def to_representation(self, instance: BatchResult) -> dict[str, Any]:
        requested = {"advertiser_id": instance.advertiser_id, "model": instance.model}
        outcome = instance.outcome
        if isinstance(outcome, Problem):
            return requested | {"status": outcome.status_code, "problem": outcome.as_member()}
        return requested | {"status": HTTPStatus.OK, "answer": RecommendationsSerializer(outcome).data}


class BatchSerializer(serializers.Serializer):
    date = serializers.DateField(source="run.day")
    run = serializers.IntegerField(source="run.id")
    results = BatchResultSerializer(many=True)


class HistoryDaySerializer(serializers.Serializer):
    date = serializers.DateField()
    published = serializers.BooleanField()
    final = serializers.BooleanField()
    models = serializers.SerializerMethodField()
    absent_days = serializers.ListField(child=serializers.DateField(), required=False, help_text=ABSENT_DAYS)

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "array", "items": ITEM}})
    def get_models(self, day: HistoryDay) -> dict[str, Any]:
        return {name: ItemSerializer(items, many=True).data for name, items in day.models.items()}


class HistorySerializer(serializers.Serializer):
    advertiser_id = serializers.CharField(source="selection.advertiser.pk")
    to = serializers.DateField(source="selection.last")
    window = serializers.IntegerField(source="selection.window", required=False, help_text=WINDOW)
    days = HistoryDaySerializer(many=True)

    def get_fields(self) -> dict[str, Any]:
        """Add `from`, which cannot be declared because it is a Python keyword."""
        fields = super().get_fields()
        first = serializers.DateField(source="selection.first")
        return {"advertiser_id": fields.pop("advertiser_id"), "from": first, **fields}

    def to_representation(self, instance: History) -> dict[str, Any]:
        response = super().to_representation(instance)
        if instance.selection.window == 1:
            del response["window"]
            for day in response["days"]:
                del day["absent_days"]
        return response


class ProductCountsSerializer(serializers.Serializer):
    views = serializers.IntegerField()
    impressions = serializers.IntegerField()
    clicks = serializers.IntegerField()
    past_views = serializers.IntegerField(help_text="Visits in the week before")
    decayed_clicks = serializers.SerializerMethodField(
        help_text="Clicks of 28 days, halved for every half-life; null if the run is older than ExpectedCTR"
    )
    decayed_impressions = serializers.SerializerMethodField(help_text="Impressions of 28 days, likewise")

    def get_decayed_clicks(self, counts: ProductCounts) -> float | None:
        return counts.decayed and counts.decayed[0]

    def get_decayed_impressions(self, counts: ProductCounts) -> float | None:
        return counts.decayed and counts.decayed[1]


class PriorSerializer(serializers.Serializer):
    mean = serializers.FloatField()
    weight = serializers.FloatField(help_text="In impressions")


class DayShareSerializer(serializers.Serializer):
    clicks = serializers.FloatField(allow_null=True)
    impressions = serializers.FloatField(allow_null=True)


class CutSerializer(serializers.Serializer):
    rank = serializers.IntegerField()
    product_id = serializers.CharField()
    score = serializers.FloatField()


class ExplanationSerializer(serializers.Serializer):
    advertiser_id = serializers.CharField(source="selection.advertiser.pk")
    model = serializers.CharField(source="selection.model")
    product_id = serializers.CharField(source="selection.product_id")
    date = serializers.DateField(source="selection.run.day")
    run = serializers.IntegerField(source="selection.run.id")
    published_at = serializers.DateTimeField(source="selection.run.published_at")
    listed = serializers.BooleanField(help_text="Whether the product is in the list that clients get")
    reason = serializers.CharField()
    explanation = serializers.CharField(source="words", help_text="The reason in words")
    rank = serializers.IntegerField(allow_null=True, help_text="The rank among all products that the run ranked")
    ranked = serializers.IntegerField(allow_null=True, help_text="The number of products that the run ranked")
    counts = ProductCountsSerializer(allow_null=True)
    prior = PriorSerializer(
        allow_null=True, help_text="ExpectedCTR: the prior of the advertiser's click rates; null for other models"
    )
    day_share = DayShareSerializer(
        allow_null=True,
        help_text="ExpectedCTR: the shares of the decayed counts that come from the day itself; null for other models",
    )
    score = serializers.FloatField(allow_null=True)
    working = serializers.CharField(allow_null=True, help_text="How the score is calculated")
    cut = CutSerializer(allow_null=True, help_text="The list's last place; null if the list is not full")
    distance = serializers.FloatField(allow_null=True, help_text="The score minus the cut's")
    rejected = serializers.DictField(
        child=serializers.IntegerField(),
        allow_null=True,
        help_text="The number of the product's rejected rows, by reason",
    )


class AdvertiserFiguresSerializer(serializers.Serializer):
    active = serializers.IntegerField()
    with_recommendations = serializers.IntegerField(source="comparison.with_recommendations")


class ChangedSerializer(serializers.Serializer):
    advertiser_id = serializers.CharField()
    model = serializers.CharField()
    changed = serializers.IntegerField()


class AdvertiserOverlapSerializer(serializers.Serializer):
    advertiser_id = serializers.CharField()
    shared = serializers.IntegerField()
    overlap = serializers.FloatField()


class OverlapSerializer(serializers.Serializer):
    mean = serializers.FloatField(source="mean_overlap", allow_null=True)
    by_advertiser = AdvertiserOverlapSerializer(source="least_overlapping", many=True)


class ScorecardSerializer(serializers.Serializer):
    model = serializers.CharField()
    impressions = serializers.IntegerField()
    clicks = serializers.IntegerField()
    ctr = serializers.FloatField(allow_null=True)
    other_impressions = serializers.IntegerField()
    other_clicks = serializers.IntegerField()
    other_ctr = serializers.FloatField(allow_null=True)
    share_of_impressions = serializers.FloatField(allow_null=True)
    share_of_clicks = serializers.FloatField(allow_null=True)


class StatsSerializer(serializers.Serializer):
    date = serializers.DateField(source="run.day")
    published_at = serializers.DateTimeField(source="run.published_at")
    advertisers = AdvertiserFiguresSerializer(source="*")
    products = serializers.IntegerField(source="comparison.products")
    scorecard = ScorecardSerializer(many=True)
    most_changed = ChangedSerializer(many=True)
    model_overlap = OverlapSerializer(source="comparison")


class AdvertiserSerializer(serializers.ModelSerializer):
    """An advertiser with links to its lists; only active ones have recommendations."""

    links = serializers.SerializerMethodField()

    class Meta:
        model = Advertiser
        fields = ("advertiser_id", "active", "last_active_on", "links")

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "string", "format": "uri"}})
    def get_links(self, advertiser: Advertiser) -> dict[str, str]:
        models = {name: ("v1:recommendations", [advertiser.pk, name]) for name in RANKINGS if advertiser.active}
        routes = models | {"history": ("v1:history", [advertiser.pk])}
        request = self.context["request"]
        return {name: reverse(route, args=args, request=request) for name, (route, args) in routes.items()}


class ModelSerializer(serializers.Serializer):
    name = serializers.CharField(source="__name__")
    description = serializers.CharField(source="summary")
    scores = serializers.ListField(child=serializers.CharField())


class RunSerializer(serializers.ModelSerializer):
    counts = serializers.SerializerMethodField(help_text="Numbers of rows read, rejected, ranked and so on, by name")

    class Meta:
        model = Run
        fields = (
            "id", "day", "state", "started_at", "finished_at", "published_at", "code_version", "spark_version",
            "parameters", "counts", "message", "final",
        )  # fmt: skip

    @extend_schema_field({"type": "object", "additionalProperties": {}})
    def get_counts(self, run: Run) -> dict[str, Any]:
        """The counts, except that of hidden products, which the API says nothing about."""
        return {name: count for name, count in run.counts.items() if name != "hidden_products"}
