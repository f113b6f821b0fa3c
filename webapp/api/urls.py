"""The API's routes. webapp/urls.py mounts them under /api/v1/ and at the root."""

from django.urls import register_converter
from django.urls.converters import StringConverter

from webapp.api.bulk_viewsets import BatchViewSet, SnapshotViewSet
from webapp.api.listing_viewsets import AdvertiserViewSet, ModelViewSet, RunViewSet
from webapp.api.router import Router, both_forms
from webapp.api.viewsets import ExplanationViewSet, HistoryViewSet, RecommendationsViewSet, StatsViewSet
from webapp.operations.health import FreshView, LiveView, ReadyView
from webapp.rankings.models import RANKINGS

app_name = "api"


class KnownModelConverter(StringConverter):
    regex = "|".join(RANKINGS)


register_converter(KnownModelConverter, "model")

# Advertiser and product ids may contain slashes, which servers decode from %2F before Django sees them. In an explanation
# a known model separates the two; only without one does the second route answer, with unknown-model.
router = Router()
router.register("recommendations/<path:advertiser_id>/<str:model>", RecommendationsViewSet, "recommendations")
router.register("history/<path:advertiser_id>", HistoryViewSet, "history")
router.register("explain/<path:advertiser_id>/<model:model>/<path:product_id>", ExplanationViewSet, "explain")
router.register("explain/<path:advertiser_id>/<str:model>/<path:product_id>", ExplanationViewSet, "explain-unknown")
router.register("recommendations/batch", BatchViewSet, "recommendations-batch")
router.register("snapshots/<str:date>", SnapshotViewSet, "snapshots")
router.register("stats", StatsViewSet, "stats")
router.register("advertisers", AdvertiserViewSet, "advertisers")
router.register("models", ModelViewSet, "models")
router.register("runs", RunViewSet, "runs")

urlpatterns = [
    *router.urls,
    *both_forms("health/live", LiveView.as_view(), "health-live"),
    *both_forms("health/ready", ReadyView.as_view(), "health-ready"),
    *both_forms("health/fresh", FreshView.as_view(), "health-fresh"),
]
