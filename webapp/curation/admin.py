"""The table of what was hidden, by whom and why; products are hidden on their advertiser's page."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from webapp.curation.models import HiddenProduct
from webapp.rankings.admin import ReadOnlyAdmin, link


class InForceFilter(admin.SimpleListFilter):
    title = "in force"
    parameter_name = "in_force"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Hidden now"), ("no", "Over or undone")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        in_force = HiddenProduct.objects.in_force().values("pk")
        if self.value() == "yes":
            return queryset.filter(pk__in=in_force)
        return queryset.exclude(pk__in=in_force) if self.value() == "no" else queryset


@admin.register(HiddenProduct)
class HiddenProductAdmin(ReadOnlyAdmin):
    list_display = ("product_id", "advertiser_link", "reason", "until", "hidden_by", "hidden_at", "unhidden_at")
    list_filter = (InForceFilter,)
    list_select_related = ("hidden_by",)
    search_fields = ("advertiser__advertiser_id__exact", "product_id__exact")
    search_help_text = "A whole advertiser id or a whole product id"
    ordering = ("-hidden_at", "-id")
    fields = (
        "product_id", "advertiser_link", "reason", "until", "hidden_by", "hidden_at", "unhidden_by", "unhidden_at",
    )  # fmt: skip
    readonly_fields = ("advertiser_link",)

    @admin.display(description="advertiser", ordering="advertiser_id")
    def advertiser_link(self, hidden: HiddenProduct) -> SafeString:
        return link("advertiser_change", hidden.advertiser_id, hidden.advertiser_id)
