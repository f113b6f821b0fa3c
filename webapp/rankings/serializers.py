"""What the API's answers look like, field by field."""

from typing import Any

from rest_framework import serializers
from rest_framework.reverse import reverse

from webapp.rankings.freshness import is_fresh
from webapp.rankings.lists import HistoryDay, Recommendations
from webapp.rankings.models import RANKINGS, Advertiser, Ranking, Run
from webapp.rankings.statistics import Statistics


class ItemSerializer(serializers.BaseSerializer):
    """A product of a list: its rank, its id and the columns it was scored by."""

    def to_representation(self, instance: Ranking) -> dict[str, Any]:
        return {column: getattr(instance, column) for column in ("rank", "product_id", *instance.scores)}


class RecommendationsSerializer(serializers.Serializer):
    advertiser_id = serializers.CharField(source="advertiser.advertiser_id")
    model = serializers.CharField()
    date = serializers.DateField(source="run.day")
    status = serializers.SerializerMethodField()
    run = serializers.IntegerField(source="run.id")
    published_at = serializers.DateTimeField(source="run.published_at")
    final = serializers.BooleanField(source="run.final")
    items = ItemSerializer(many=True)

    def get_status(self, recommendations: Recommendations) -> str:
        return "fresh" if is_fresh(recommendations.run.day) else "stale"


class HistoryDaySerializer(serializers.Serializer):
    date = serializers.DateField()
    published = serializers.BooleanField()
    final = serializers.BooleanField()
    models = serializers.SerializerMethodField()

    def get_models(self, day: HistoryDay) -> dict[str, Any]:
        return {name: ItemSerializer(items, many=True).data for name, items in day.models.items()}


class HistorySerializer(serializers.Serializer):
    advertiser_id = serializers.CharField(source="advertiser.advertiser_id")
    to = serializers.DateField(source="last")
    days = HistoryDaySerializer(many=True)

    def get_fields(self) -> dict[str, Any]:
        """Adds `from`, which is a word of Python's own and cannot be declared."""
        fields = super().get_fields()
        return {"advertiser_id": fields.pop("advertiser_id"), "from": serializers.DateField(source="first"), **fields}


class StatsSerializer(serializers.BaseSerializer):
    def to_representation(self, instance: Statistics) -> dict[str, Any]:
        return {
            "date": instance.run.day,
            "published_at": instance.run.published_at,
            "advertisers": {"active": instance.active, "with_recommendations": instance.with_recommendations},
            "products": instance.products,
            "most_changed": instance.most_changed,
            "model_overlap": {"mean": instance.mean_overlap, "by_advertiser": instance.least_overlapping},
        }


class AdvertiserSerializer(serializers.ModelSerializer):
    """An advertiser, and where their lists are; only the active have recommendations."""

    links = serializers.SerializerMethodField()

    class Meta:
        model = Advertiser
        fields = ("advertiser_id", "active", "last_active_on", "links")

    def get_links(self, advertiser: Advertiser) -> dict[str, str]:
        models = {name: ("v1:recommendations", [advertiser.pk, name]) for name in RANKINGS if advertiser.active}
        addresses = models | {"history": ("v1:history", [advertiser.pk])}
        request = self.context["request"]
        return {name: reverse(view, args=args, request=request) for name, (view, args) in addresses.items()}


class ModelSerializer(serializers.BaseSerializer):
    def to_representation(self, instance: type[Ranking]) -> dict[str, Any]:
        return {"name": instance.__name__, "description": instance.summary, "scores": list(instance.scores)}


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
