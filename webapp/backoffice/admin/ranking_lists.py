"""The rows of the lists: one page for each model in the registry, and one for each model with windows."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model
from django.http import HttpRequest
from django.utils.safestring import SafeString

from webapp.backoffice.admin.base import ReadOnlyAdmin, WholeTextSearch
from webapp.backoffice.admin.list_filters import DayFilter, StateFilter
from webapp.backoffice.day_lists import count_text
from webapp.backoffice.links import admin_link
from webapp.rankings.models import RANKINGS, WINDOWED, Ranking, Run


def score_column(name: str, order_by: str | None = None) -> Callable[[Ranking], str]:
    """A list column: rates and scores with four decimals, and counts as `count_text` writes them."""

    @admin.display(description=name.replace("_", " "), ordering=order_by)
    def column(row: Ranking) -> str:
        value = getattr(row, name)
        is_rate = isinstance(value, float) and name in (*row.shares, row.ordering_score)
        return f"{value:,.4f}" if is_rate else count_text(value)

    column.__name__ = name  # the admin uses it as the column's CSS class
    return column


class GroupedChangeList(ChangeList):
    """Marks the first row of each list on the page. The rows below it show day and advertiser to screen readers only."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        previous = None
        for row in self.result_list:
            its_list = row.run_id, row.advertiser_id, getattr(row, "days", 1)
            row.starts_list = its_list != previous
            previous = its_list


class RankingAdmin(WholeTextSearch, ReadOnlyAdmin):
    """A model's rows, grouped by list; its score columns come from the model class."""

    list_filter: ClassVar[tuple[Any, ...]] = (DayFilter, StateFilter)
    list_display_links = ("product_id",)
    list_select_related = ("run",)
    show_facets = admin.ShowFacets.NEVER  # they would count a year of rows
    search_fields = ("advertiser_id", "product_id")
    search_help_text = "A full advertiser id or product id"
    ordering: ClassVar[tuple[str, ...]] = ("-date", "advertiser_id", "rank")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return ["advertiser_link", "run_link", *self.model.derived]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        stored = [score_column(name, order_by=name) for name in self.model.scores]
        derived = [score_column(name) for name in self.model.derived]
        return ["day", "advertiser_link", "rank", "product_id", *stored, *derived, "run_link"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return GroupedChangeList

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        return ["advertiser_link", "date", "rank", "product_id", *self.model.scores, *self.model.derived, "run_link"]

    @admin.display(ordering="date")
    def day(self, row: Ranking) -> str:
        return f"{row.date}"

    @admin.display(description="advertiser", ordering="advertiser_id")
    def advertiser_link(self, row: Ranking) -> str:
        """A link in the first row of each list. By it, the style sheet sees where a list begins."""
        if not getattr(row, "starts_list", True):
            return row.advertiser_id
        return admin_link("advertiser_change", row.advertiser_id, row.advertiser_id)

    @admin.display(description="run", ordering="run_id")
    def run_link(self, row: Ranking) -> SafeString:
        state = "" if row.run.state == Run.State.PUBLISHED else f",\N{NO-BREAK SPACE}{row.run.state}"
        return admin_link("run_change", f"{row.run_id}{state}", row.run_id)


class WindowRankingAdmin(RankingAdmin):
    list_filter = (DayFilter, "days", StateFilter)
    ordering = ("-date", "advertiser_id", "days", "rank")

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        day, *others = super().get_list_display(request)
        return [day, "days", *others]

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        return ["days", *super().get_fields(request, obj)]


admin.site.register(list(RANKINGS.values()), RankingAdmin)
admin.site.register(list(WINDOWED.values()), WindowRankingAdmin)
