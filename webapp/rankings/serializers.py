"""What the API's answers look like, field by field."""

from http import HTTPStatus
from typing import Any, Literal

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.reverse import reverse

from webapp.rankings.batch import Outcome
from webapp.rankings.freshness import is_fresh
from webapp.rankings.lists import History, HistoryDay, Recommendations
from webapp.rankings.models import RANKINGS, Advertiser, Ranking, Run
from webapp.rankings.problems import Problem

ITEM = {"$ref": "#/components/schemas/Item"}
OVER_DAYS = "Over how many days the list is, the last of them its date; absent where it is one"
ABSENT_DAYS = "The days of the window that the list knows nothing of, since they were not published; absent with it"


class ItemSerializer(serializers.BaseSerializer):
    """A product of a list: its rank, its id, the columns it was scored by and what follows from them."""

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
        required=False, help_text="The model that was asked for, where the list is the fallback's; else absent"
    )
    window = serializers.IntegerField(required=False, help_text=OVER_DAYS)
    absent_days = serializers.ListField(child=serializers.DateField(), required=False, help_text=ABSENT_DAYS)

    def get_status(self, recommendations: Recommendations) -> Literal["fresh", "stale"]:
        return "fresh" if is_fresh(recommendations.run.day) else "stale"

    def to_representation(self, instance: Recommendations) -> dict[str, Any]:
        answer = super().to_representation(instance)
        if answer["instead_of"] is None:
            del answer["instead_of"]
        if instance.window == 1:
            del answer["window"], answer["absent_days"]
        return answer


class OutcomeSerializer(serializers.BaseSerializer):
    def to_representation(self, instance: Outcome) -> dict[str, Any]:
        asked = {"advertiser_id": instance.advertiser_id, "model": instance.model}
        found = instance.found
        if isinstance(found, Problem):
            return asked | {"status": found.status_code, "problem": found.members_of_document()}
        return asked | {"status": HTTPStatus.OK, "answer": RecommendationsSerializer(found).data}


class BatchSerializer(serializers.Serializer):
    date = serializers.DateField(source="run.day")
    run = serializers.IntegerField(source="run.id")
    results = OutcomeSerializer(many=True, source="outcomes")


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
    advertiser_id = serializers.CharField(source="advertiser.advertiser_id")
    to = serializers.DateField(source="last")
    window = serializers.IntegerField(required=False, help_text=OVER_DAYS)
    days = HistoryDaySerializer(many=True)

    def get_fields(self) -> dict[str, Any]:
        """Adds `from`, which is a word of Python's own and cannot be declared."""
        fields = super().get_fields()
        return {"advertiser_id": fields.pop("advertiser_id"), "from": serializers.DateField(source="first"), **fields}

    def to_representation(self, instance: History) -> dict[str, Any]:
        answer = super().to_representation(instance)
        if instance.window == 1:
            del answer["window"]
            for day in answer["days"]:
                del day["absent_days"]
        return answer


class ProductCountsSerializer(serializers.Serializer):
    views = serializers.IntegerField()
    impressions = serializers.IntegerField()
    clicks = serializers.IntegerField()
    past_views = serializers.IntegerField(help_text="Visits in the week before")


class CutSerializer(serializers.Serializer):
    rank = serializers.IntegerField()
    product_id = serializers.CharField()
    score = serializers.FloatField()


class ExplanationSerializer(serializers.Serializer):
    advertiser_id = serializers.CharField(source="source.advertiser.pk")
    model = serializers.CharField(source="source.model")
    product_id = serializers.CharField(source="source.product_id")
    date = serializers.DateField(source="source.run.day")
    run = serializers.IntegerField(source="source.run.id")
    published_at = serializers.DateTimeField(source="source.run.published_at")
    listed = serializers.BooleanField(help_text="Whether readers get the product")
    reason = serializers.CharField()
    explanation = serializers.CharField(source="words", help_text="The reason in words")
    rank = serializers.IntegerField(allow_null=True, help_text="Among all that the run ranked")
    ranked = serializers.IntegerField(allow_null=True, help_text="How many those are")
    counts = ProductCountsSerializer(allow_null=True)
    score = serializers.FloatField(allow_null=True)
    working = serializers.CharField(allow_null=True, help_text="How the score comes about")
    cut = CutSerializer(allow_null=True, help_text="The list's last place; null where the list is not full")
    distance = serializers.FloatField(allow_null=True, help_text="The score less the cut's")
    rejected = serializers.DictField(
        child=serializers.IntegerField(), allow_null=True, help_text="Rejected lines of the product, by reason"
    )


class AdvertiserFiguresSerializer(serializers.Serializer):
    active = serializers.IntegerField()
    with_recommendations = serializers.IntegerField()


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
    products = serializers.IntegerField()
    scorecard = ScorecardSerializer(many=True)
    most_changed = ChangedSerializer(many=True)
    model_overlap = OverlapSerializer(source="*")


class AdvertiserSerializer(serializers.ModelSerializer):
    """An advertiser, and where their lists are; only the active have recommendations."""

    links = serializers.SerializerMethodField()

    class Meta:
        model = Advertiser
        fields = ("advertiser_id", "active", "last_active_on", "links")

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "string", "format": "uri"}})
    def get_links(self, advertiser: Advertiser) -> dict[str, str]:
        models = {name: ("v1:recommendations", [advertiser.pk, name]) for name in RANKINGS if advertiser.active}
        addresses = models | {"history": ("v1:history", [advertiser.pk])}
        request = self.context["request"]
        return {name: reverse(view, args=args, request=request) for name, (view, args) in addresses.items()}


class ModelSerializer(serializers.Serializer):
    name = serializers.CharField(source="__name__")
    description = serializers.CharField(source="summary")
    scores = serializers.ListField(child=serializers.CharField())


class RunSerializer(serializers.ModelSerializer):
    class Meta:
        model = Run
        fields = (
            "id",
            "day",
            "state",
            "started_at",
            "finished_at",
            "published_at",
            "code_version",
            "spark_version",
            "parameters",
            "counts",
            "message",
            "final",
        )
