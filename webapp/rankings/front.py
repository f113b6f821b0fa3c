"""The front page: what this is, how fresh it is, and where to go from here."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View

from webapp.rankings import freshness
from webapp.rankings.error_pages import database_page
from webapp.rankings.models import LASTING, Advertiser, Run
from webapp.rankings.pages import page
from webapp.rankings.problems import database_trouble, document
from webapp.rankings.statistics import compared

EXAMPLES = 3
LAST_RUNS = 8


@method_decorator(csrf_exempt, name="dispatch")  # so that a POST is told 405, in a problem document
class FrontView(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            return page("rankings/front.html", state_of_things() if settings.API_PUBLIC else little())
        except Error as error:
            trouble = database_trouble(error)
            if trouble is None:
                raise
            return database_page(trouble)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        refusal = document(request, HTTPStatus.METHOD_NOT_ALLOWED, f"{request.method} is not for this page; GET is.")
        refusal["Allow"] = super().http_method_not_allowed(request)["Allow"]
        return refusal


def little() -> dict[str, Any]:
    """What the page shows where a key is needed: no more than health/ready tells everybody."""
    run = Run.objects.published().newest()
    if run is None:
        return {"closed": True, "state": "empty"}
    state = "fresh" if freshness.is_fresh(run.day) else "stale"
    return {"closed": True, "state": state, "run": run, "age": freshness.in_words(run.day)}


def state_of_things() -> dict[str, Any]:
    """What the page shows: always what ran last, and the newest published day if there is one."""
    run = Run.objects.published().newest()
    context = {
        "run": run,
        "models": LASTING,
        "deadline": settings.PUBLISH_DEADLINE,
        "yesterday": freshness.yesterday(),
        "active": Advertiser.objects.active().count(),
        "last_runs": Run.objects.latest_started()[:LAST_RUNS],
    }
    if run is None:
        return context | {"state": "empty"}
    figures = compared(run)
    return context | {
        "state": "fresh" if freshness.is_fresh(run.day) else "stale",
        "overdue": run.day < freshness.newest_day_due(settings.PUBLISH_DEADLINE),
        "age": freshness.in_words(run.day),
        "with_recommendations": figures.with_recommendations,
        "products": figures.products,
        "examples": Advertiser.objects.active().listed_in(run, *LASTING.values()).order_by("advertiser_id")[:EXAMPLES],
    }
