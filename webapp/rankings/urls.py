"""The API's addresses, each with and without its last slash."""

from collections.abc import Callable
from itertools import chain
from typing import Any

from django.urls import URLPattern, path, register_converter
from django.urls.converters import StringConverter

from webapp.rankings import health, many, views
from webapp.rankings.models import RANKINGS

app_name = "api"
explain = views.ExplanationView.as_view()


class ModelConverter(StringConverter):
    """The name of a model that there is."""

    regex = "|".join(RANKINGS)


register_converter(ModelConverter, "model")


def either_way(route: str, view: Callable[..., Any], name: str) -> list[URLPattern]:
    """Links have the last slash, since only so an id may itself end in one."""
    return [path(f"{route}/", view, name=name), path(route, view)]


# An advertiser's id may have slashes in it, which servers decode from %2F before Django sees them.
urlpatterns = list(
    chain(
        either_way(
            "recommendations/<path:advertiser_id>/<str:model>", views.RecommendationsView.as_view(), "recommendations"
        ),
        either_way("history/<path:advertiser_id>", views.HistoryView.as_view(), "history"),
        *(
            either_way(f"explain/<path:advertiser_id>/<{kind}:model>/<path:product_id>", explain, "explain")
            for kind in ("model", "str")  # a model that there is first, since both ids may have slashes in them
        ),
        either_way("recommendations/batch", many.BatchView.as_view(), "recommendations-batch"),
        either_way("snapshots/<str:date>", many.SnapshotView.as_view(), "snapshots"),
        either_way("stats", views.StatsView.as_view(), "stats"),
        either_way("advertisers", views.AdvertisersView.as_view(), "advertisers"),
        either_way("models", views.ModelsView.as_view(), "models"),
        either_way("runs", views.RunsView.as_view(), "runs"),
        either_way("health/live", health.LiveView.as_view(), "health-live"),
        either_way("health/ready", health.ReadyView.as_view(), "health-ready"),
    )
)
