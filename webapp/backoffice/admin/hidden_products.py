"""The table of hidden products. Products are hidden and unhidden on the advertiser's page."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from webapp.backoffice.admin.base import ReadOnlyAdmin, WholeTextSearch
from webapp.backoffice.links import admin_link
from webapp.curation.models import HiddenProduct


class HiddenNowFilter(admin.SimpleListFilter):
    title = "hidden now"
    parameter_name = "in_force"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Hidden now"), ("no", "Expired or unhidden")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        in_force = HiddenProduct.objects.in_force().values("pk")
        if self.value() == "yes":
            return queryset.filter(pk__in=in_force)
        return queryset.exclude(pk__in=in_force) if self.value() == "no" else queryset


@admin.register(HiddenProduct)
class HiddenProductAdmin(WholeTextSearch, ReadOnlyAdmin):
    list_display = ("product_id", "advertiser_link", "reason", "until", "hidden_by", "hidden_at", "unhidden_at")
    list_filter = (HiddenNowFilter,)
    list_select_related = ("hidden_by",)
    search_fields = ("advertiser_id", "product_id")
    search_help_text = "A full advertiser id or product id"
    ordering = ("-hidden_at", "-id")
    fields = (
        "product_id", "advertiser_link", "reason", "until", "hidden_by", "hidden_at", "unhidden_by", "unhidden_at",
    )  # fmt: skip
    readonly_fields = ("advertiser_link",)

    @admin.display(description="advertiser", ordering="advertiser_id")
    def advertiser_link(self, hidden: HiddenProduct) -> SafeString:
        return admin_link("advertiser_change", hidden.advertiser_id, hidden.advertiser_id)
