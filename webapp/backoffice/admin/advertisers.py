"""The advertisers, and the pages of one: lists by day, explanations, CSV export, and hiding products."""

from datetime import date
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from webapp.backoffice.admin.base import ReadOnlyAdmin, WholeTextSearch
from webapp.backoffice.day_lists import day_list
from webapp.backoffice.exports import csv_response
from webapp.backoffice.forms import HideForm, lines_of
from webapp.backoffice.links import admin_url, list_links
from webapp.backoffice.preview import preview
from webapp.curation.models import HiddenProduct
from webapp.lists.explanations import load_explanation, select_explanation
from webapp.lists.inputs import Lookup, load_inputs
from webapp.lists.selection import absent_days, first_shown, models_with_window
from webapp.problems import Problem
from webapp.rankings.models import FIRST, RANKINGS, WINDOWS, Advertiser, Run
from webapp.rankings.values import parse_day

CHARTED_DAYS = 7
PAST_HIDES = 10


@admin.register(Advertiser)
class AdvertiserAdmin(WholeTextSearch, ReadOnlyAdmin):
    """The table of advertisers. Each one's page shows their lists and lets operators hide products."""

    list_display = ("advertiser_id", "active", "last_active_on", "lists")
    list_filter = ("active",)
    search_fields = ("advertiser_id__icontains",)
    search_help_text = "Part of the id"
    date_hierarchy = "last_active_on"
    ordering = ("advertiser_id",)
    fields = ("advertiser_id", "active", "last_active_on")

    class Media:
        # The last script lets a new key's page choose an advertiser here; it needs the others first.
        js = tuple(
            f"admin/js/{name}"
            for name in ("vendor/jquery/jquery.min.js", "jquery.init.js", "admin/RelatedObjectLookups.js")
        )

    @admin.display
    def lists(self, advertiser: Advertiser) -> SafeString:
        return list_links(advertiser__advertiser_id__exact=advertiser.pk)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<path:object_id>/hide/", view(self.hide_view), name="rankings_advertiser_hide"),
            path("<path:object_id>/unhide/", view(self.unhide_view), name="rankings_advertiser_unhide"),
            path("<path:object_id>/explain/", view(self.explain_view), name="rankings_advertiser_explain"),
            path("<path:object_id>/<str:model>.csv", view(self.csv_view), name="rankings_advertiser_csv"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the lists of ?day=, by default the newest published day, over ?window= days, by default one.

        Movement is since ?compare=, by default the published day before.
        """
        if request.method != "GET":
            raise PermissionDenied
        advertiser = self.get_advertiser(request, object_id)
        published = Run.objects.published()
        days = published.days()
        day, window = requested_day(request) or days.last, requested_window(request)
        runs = list(published.up_to(day).newest_first()[:CHARTED_DAYS]) if day else []
        run = runs[0] if runs and runs[0].day == day else None
        compare_day, compared = requested_day(request, "compare"), None
        if run:
            compared = published.on(compare_day).first() if compare_day else next(iter(runs[1:]), None)
        hides = HiddenProduct.objects.for_advertiser(advertiser).select_related("hidden_by", "unhidden_by")
        hidden = {each.product_id: each for each in hides.in_force().newest_first()}
        context = {
            "title": advertiser.pk,
            "list_links": self.lists(advertiser),
            "day": day,
            "days": days,
            "run": run,
            "later": published.after(day).oldest_first().first() if day else None,
            "earlier": published.before(day).newest() if day else None,
            "compared": compared,
            "compare_day": compare_day,
            "lists": [
                day_list(model, advertiser, runs, compared, hidden, window)
                for model in first_shown(models_with_window(window))
                if run and not RANKINGS[model].absence_of_lists(run.parameters)
            ],
            "window": window,
            "windows": (1, *WINDOWS),
            "absent_days": absent_days(run, window) if run else [],
            "hidden": hidden.values(),
            "past_hides": hides.exclude(pk__in=[each.pk for each in hidden.values()]).newest_first()[:PAST_HIDES],
        }
        return self.render(request, "admin/rankings/advertiser/change_form.html", advertiser, context)

    def explain_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Explain the rank of ?product_id= in the list of ?model=, or why the list lacks it."""
        advertiser = self.get_advertiser(request, object_id)
        product = request.GET.get("product_id", "")
        model = request.GET.get("model", FIRST)
        day = requested_day(request)
        context: dict[str, Any] = {
            "title": f"Why is a product of {advertiser} ranked as it is?",
            "models": first_shown(RANKINGS),
            "model": model,
            "product": product,
            "day": day or Run.objects.published().days().last,
        }
        if product:
            try:
                inputs = load_inputs(Lookup(advertiser.pk, day))
                context["explanation"] = load_explanation(select_explanation(inputs, model, product))
            except Problem as problem:
                context["problem"] = problem.detail
        return self.render(request, "admin/rankings/advertiser/explain.html", advertiser, context)

    def hide_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Preview the lists without some products, and hide them."""
        self.require_permission(request, "curation.add_hiddenproduct")
        advertiser = self.get_advertiser(request, object_id)
        form = HideForm(advertiser, request.POST or None, initial={"products": request.GET.get("product_id", "")})
        if request.method == "POST" and "preview" not in request.POST and form.is_valid():
            hidden = form.hide(request.user)
            until = form.cleaned_data["until"]
            what = f"Product {hidden[0]} is" if len(hidden) == 1 else f"{len(hidden)} products are"
            messages.success(request, f"{what} hidden until {until}.")
            return HttpResponseRedirect(admin_url("advertiser_change", advertiser.pk))
        products = lines_of(form["products"].value())
        run = Run.objects.published().newest()
        previews = [preview(ranking, advertiser, products, run) for ranking in RANKINGS.values() if products and run]
        listed = {row.product_id for each in previews for row in each.rows}
        context = {
            "title": f"Hide products of {advertiser}",
            "form": form,
            "products": products,
            "run": run,
            "previews": previews,
            "not_listed": [product for product in products if product not in listed],
        }
        return self.render(request, "backoffice/hide.html", advertiser, context)

    @method_decorator(require_POST)
    def unhide_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        self.require_permission(request, "curation.change_hiddenproduct")
        advertiser = self.get_advertiser(request, object_id)
        product = request.POST.get("product_id", "")
        hidden = HiddenProduct.objects.for_advertiser(advertiser).filter(product_id=product)
        if hidden.unhide(request.user):  # type: ignore[arg-type]
            messages.success(request, f"Product {product} is no longer hidden.")
        else:
            messages.warning(request, f"Product {product} was not hidden.")
        return HttpResponseRedirect(admin_url("advertiser_change", advertiser.pk))

    def csv_view(self, request: HttpRequest, object_id: str, model: str) -> HttpResponse:
        """Download one list of ?day=, by default the newest published day."""
        advertiser = self.get_advertiser(request, object_id)
        run = Run.objects.find_published(requested_day(request))
        if run is None or model not in RANKINGS:
            raise Http404
        return csv_response(RANKINGS[model], advertiser, run)

    def get_advertiser(self, request: HttpRequest, object_id: str) -> Advertiser:
        """The advertiser in the URL, if the user may see advertisers."""
        self.require_permission(request, "rankings.view_advertiser")
        advertiser = Advertiser.objects.named(unquote(object_id)).first()
        if advertiser is None:
            raise Http404
        return advertiser

    def require_permission(self, request: HttpRequest, permission: str) -> None:
        if not request.user.has_perm(permission):
            raise PermissionDenied

    def render(
        self, request: HttpRequest, template: str, advertiser: Advertiser, context: dict[str, Any]
    ) -> TemplateResponse:
        site = self.admin_site.each_context(request)
        of_advertiser = {"opts": self.opts, "advertiser": advertiser, "original": advertiser}
        return TemplateResponse(request, template, site | of_advertiser | context)


def requested_window(request: HttpRequest) -> int:
    """?window=, by default 1; Http404 if there is no such window."""
    text = request.GET.get("window", "1")
    if text not in map(str, (1, *WINDOWS)):
        raise Http404(f"There are no lists over {text} days.")
    return int(text)


def requested_day(request: HttpRequest, name: str = "day") -> date | None:
    """?day=YYYY-MM-DD, None without it; Http404 if it is not a day."""
    text = request.GET.get(name)
    try:
        return parse_day(text) if text else None
    except ValueError as error:
        raise Http404(str(error)) from None
