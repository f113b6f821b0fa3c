"""The front page: what Vitrina is, how fresh its lists are, and links into the API."""

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View

from webapp.lists.selection import lasting_models
from webapp.lists.statistics import load_comparison
from webapp.operations.freshness import banner
from webapp.problems import database_trouble, document
from webapp.rankings.models import Advertiser, Run
from webapp.site.error_pages import database_page
from webapp.site.pages import page

EXAMPLES = 3
LATEST_RUNS = 8


@method_decorator(csrf_exempt, name="dispatch")  # so that a POST gets 405 instead of a CSRF error
class FrontView(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        try:
            return page("site/front.html", full_context() if settings.API_PUBLIC else minimal_context())
        except Error as error:
            failure = database_trouble(error)
            if failure is None:
                raise
            return database_page(failure)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        allow = super().http_method_not_allowed(request)["Allow"]
        detail = f"This page does not support {request.method}; use GET."
        response = document(request, HTTPStatus.METHOD_NOT_ALLOWED, detail)
        response["Allow"] = allow
        return response


def minimal_context() -> dict[str, Any]:
    """If the API requires a key, the page shows only what /health/fresh tells everybody."""
    return {"requires_key": True} | banner(Run.objects.published().newest())


def full_context() -> dict[str, Any]:
    run = Run.objects.published().newest()
    context = banner(run) | {
        "active": Advertiser.objects.active().count(),
        "latest_runs": Run.objects.latest_started()[:LATEST_RUNS],
    }
    if run is None:
        return context
    figures, models = load_comparison(run), lasting_models(run)
    return context | {
        "with_recommendations": figures.with_recommendations,
        "products": figures.products,
        "models": models,
        "examples": Advertiser.objects.active().listed_in(run, *models.values()).order_by("advertiser_id")[:EXAMPLES],
    }
