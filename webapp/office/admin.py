"""The advertiser's page, in the place of Django's form, and the accounts."""

from datetime import date
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from webapp.curation.forms import HideForm
from webapp.curation.models import HiddenProduct
from webapp.office.accounts import StaffAdmin
from webapp.office.day_lists import WEEK, day_lists
from webapp.office.exports import as_csv
from webapp.office.preview import previews
from webapp.rankings.admin import ReadOnlyAdmin, address_of, lists_of
from webapp.rankings.explanations import explanation, find_explanation
from webapp.rankings.lists import absent_days
from webapp.rankings.models import RANKINGS, WINDOWS, Advertiser, Run
from webapp.rankings.parameters import parse_day
from webapp.rankings.problems import Problem

PAST_HIDES = 10


@admin.register(Advertiser)
class AdvertiserAdmin(ReadOnlyAdmin):
    """The table of advertisers; each one's page shows their lists, and is where products are hidden."""

    list_display = ("advertiser_id", "active", "last_active_on", "lists")
    list_filter = ("active",)
    search_fields = ("advertiser_id",)
    search_help_text = "A part of the id"
    date_hierarchy = "last_active_on"
    ordering = ("advertiser_id",)
    fields = ("advertiser_id", "active", "last_active_on")

    @admin.display(description="lists")
    def lists(self, advertiser: Advertiser) -> SafeString:
        return lists_of(advertiser__advertiser_id__exact=advertiser.pk)

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
        """The advertiser's page, of ?day= or of the newest published day, over ?window= days or the one."""
        if request.method != "GET":
            raise PermissionDenied
        advertiser = self.find(request, object_id)
        published = Run.objects.published()
        days = published.days()
        day, window = wanted_day(request) or days.last, wanted_window(request)
        runs = list(published.up_to(day).newest_first()[:WEEK]) if day else []
        run = runs[0] if runs and runs[0].day == day else None
        hides = HiddenProduct.objects.for_advertiser(advertiser).select_related("hidden_by", "unhidden_by")
        hidden = {each.product_id: each for each in hides.in_force().newest_first()}
        context = {
            "title": advertiser.pk,
            "original": advertiser,
            "advertiser": advertiser,
            "tables": lists_of(advertiser__advertiser_id__exact=advertiser.pk),
            "day": day,
            "days": days,
            "run": run,
            "later": published.after(day).oldest_first().first() if day else None,
            "earlier": published.before(day).newest() if day else None,
            "previous": runs[1] if run and len(runs) > 1 else None,
            "lists": day_lists(advertiser, runs, hidden, window) if run else [],
            "window": window,
            "windows": (1, *WINDOWS),
            "absent_days": absent_days(run, window) if run else [],
            "hidden": hidden.values(),
            "past": hides.exclude(pk__in=[each.pk for each in hidden.values()]).newest_first()[:PAST_HIDES],
        }
        return self.page(request, "admin/rankings/advertiser/change_form.html", context)

    def explain_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Why ?product_id= has its place in the list of ?model=, or none."""
        advertiser = self.find(request, object_id)
        product = request.GET.get("product_id", "")
        model = request.GET.get("model", next(iter(RANKINGS)))
        context: dict[str, Any] = {
            "title": f"Why a product of {advertiser} has its place",
            "advertiser": advertiser,
            "original": advertiser,
            "models": RANKINGS,
            "model": model,
            "product": product,
            "day": wanted_day(request) or Run.objects.published().days().last,
        }
        if product:
            try:
                found = find_explanation(advertiser.pk, model, product, wanted_day(request), key=None)
                context["explanation"] = explanation(found)
            except Problem as problem:
                context["problem"] = problem.detail
        return self.page(request, "admin/rankings/advertiser/explain.html", context)

    def hide_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Previews the lists without a product, and hides it."""
        self.only_for(request, "curation.add_hiddenproduct")
        advertiser = self.find(request, object_id)
        form = HideForm(advertiser, request.POST or None, product_id=request.GET.get("product_id", ""))
        if request.method == "POST" and "preview" not in request.POST and form.is_valid():
            form.instance.hidden_by = request.user
            form.save()
            messages.success(request, f"Product {form.instance.product_id} is hidden until {form.instance.until}.")
            return HttpResponseRedirect(address_of("advertiser_change", advertiser.pk))
        product = form["product_id"].value()
        run = Run.objects.published().newest()
        context = {
            "title": f"Hide a product of {advertiser}",
            "advertiser": advertiser,
            "original": advertiser,
            "form": form,
            "product": product,
            "run": run,
            "previews": previews(advertiser, product, run) if product else [],
        }
        return self.page(request, "curation/hide.html", context)

    @method_decorator(require_POST)
    def unhide_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Undoes what keeps a product hidden."""
        self.only_for(request, "curation.change_hiddenproduct")
        advertiser = self.find(request, object_id)
        product = request.POST.get("product_id", "")
        hidden = HiddenProduct.objects.for_advertiser(advertiser).filter(product_id=product)
        if hidden.unhide(request.user):  # type: ignore[arg-type]
            messages.success(request, f"Product {product} is hidden no more.")
        else:
            messages.warning(request, f"Product {product} was not hidden.")
        return HttpResponseRedirect(address_of("advertiser_change", advertiser.pk))

    def csv_view(self, request: HttpRequest, object_id: str, model: str) -> HttpResponse:
        """One list as a CSV file, of ?day= or of the newest published day."""
        advertiser = self.find(request, object_id)
        day = wanted_day(request)
        runs = Run.objects.published()
        run = (runs.on(day) if day else runs).newest()
        if run is None or model not in RANKINGS:
            raise Http404
        return as_csv(RANKINGS[model], advertiser, run)

    def find(self, request: HttpRequest, object_id: str) -> Advertiser:
        """The advertiser of an address, for somebody who may see them."""
        self.only_for(request, "rankings.view_advertiser")
        advertiser = Advertiser.objects.named(unquote(object_id)).first()
        if advertiser is None:
            raise Http404
        return advertiser

    def only_for(self, request: HttpRequest, permission: str) -> None:
        if not request.user.has_perm(permission):
            raise PermissionDenied

    def page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> TemplateResponse:
        return TemplateResponse(
            request, template, {**self.admin_site.each_context(request), "opts": self.model._meta, **context}
        )


def wanted_window(request: HttpRequest) -> int:
    """?window=, 1 unless given; Http404 for one that there is not."""
    text = request.GET.get("window", "1")
    if text not in map(str, (1, *WINDOWS)):
        raise Http404(f"There are no lists over {text} days.")
    return int(text)


def wanted_day(request: HttpRequest) -> date | None:
    """?day=YYYY-MM-DD; Http404 for what is no day."""
    text = request.GET.get("day")
    try:
        return parse_day(text) if text else None
    except ValueError as mistake:
        raise Http404(str(mistake)) from None


admin.site.unregister(User)
admin.site.register(User, StaffAdmin)
