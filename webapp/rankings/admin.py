"""The tables for people to look into. Only the batch writes them, so nobody may add, change or delete here.

One thing can be done: go back to an earlier run of a day. The advertisers' table is in webapp/office, where each has a
page of their own.
"""

from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db.models import Model
from django.forms import Media
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from webapp.rankings.models import RANKINGS, WINDOWED, Ranking, Rollback, Run
from webapp.rankings.rollback_action import RollsBack


class ReadOnlyAdmin(admin.ModelAdmin):
    """Lists, filters and single rows; no way to change anything, for anyone."""

    actions: tuple[str, ...] | None = None
    show_full_result_count = False  # counting a large table costs more than it tells

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    @property
    def media(self) -> Media:
        """What lists and single rows need. Django's has another 600 kB, for forms, and there is none."""
        scripts = ("vendor/jquery/jquery.min.js", "jquery.init.js", "actions.js")
        return Media(js=[f"admin/js/{script}" for script in scripts])


def address_of(view: str, *args: object, **query: object) -> str:
    """The address of one of the admin's pages, filtered by the query."""
    address = reverse(f"admin:rankings_{view}", args=[quote(str(arg)) for arg in args])
    return f"{address}?{urlencode(query)}" if query else address


def link(view: str, text: object, *args: object, **query: object) -> SafeString:
    """A link to one of the admin's pages, filtered by the query."""
    return format_html('<a href="{}">{}</a>', address_of(view, *args, **query), text)


def lists_of(**query: object) -> SafeString:
    """Links to each ranking's rows that the query picks."""
    links = (
        link(f"{ranking._meta.model_name}_changelist", ranking._meta.verbose_name_plural, **query)
        for ranking in RANKINGS.values()
    )
    return format_html_join(mark_safe(" · "), "{}", ((item,) for item in links))


def table(value: Any) -> SafeString | str:
    """JSON for people: an object as a table, nested ones inside it, and numbers with their thousands apart."""
    if isinstance(value, dict):
        rows = format_html_join(
            "", '<tr><th scope="row">{}</th><td>{}</td></tr>', ((name, table(item)) for name, item in value.items())
        )
        return format_html("<table>{}</table>", rows) if value else "–"
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return table_of_rows(value)
    if isinstance(value, list):
        return format_html_join(", ", "{}", ((table(item),) for item in value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return "–" if value is None else str(value)


def table_of_rows(rows: list[dict[str, Any]]) -> SafeString:
    """Objects as the rows of one table, as an input's files are; the first one's names head the columns."""
    head = format_html_join("", '<th scope="col">{}</th>', ((name,) for name in rows[0]))
    body = format_html_join(
        "",
        "<tr>{}</tr>",
        ((format_html_join("", "<td>{}</td>", ((table(row.get(name)),) for name in rows[0])),) for row in rows),
    )
    return format_html("<table><tr>{}</tr>{}</table>", head, body)


@admin.register(Run)
class RunAdmin(RollsBack, ReadOnlyAdmin):
    actions = ("go_back",)
    list_display = ("id", "day", "state", "final", "started_at", "took", "message")
    list_filter = ("state", "final")
    search_fields = ("message", "code_version")
    search_help_text = "A part of the message or of the code's version"
    date_hierarchy = "day"
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ["day", "state", "final", "message", "lists"]}),
        ("When", {"fields": ["started_at", "finished_at", "took", "published_at", "pruned_at"]}),
        ("How much", {"fields": ["readable_counts"]}),
        ("What it read", {"fields": ["readable_inputs"]}),
        ("How", {"fields": ["code_version", "spark_version", "readable_parameters"]}),
    )
    readonly_fields = ("took", "lists", "readable_counts", "readable_inputs", "readable_parameters")

    @admin.display(description="took")
    def took(self, run: Run) -> str:
        return str(run.finished_at - run.started_at).partition(".")[0] if run.finished_at else "–"

    @admin.display(description="lists")
    def lists(self, run: Run) -> SafeString:
        return lists_of(run__id__exact=run.pk)

    @admin.display(description="counts")
    def readable_counts(self, run: Run) -> SafeString | str:
        return table(run.counts)

    @admin.display(description="inputs")
    def readable_inputs(self, run: Run) -> SafeString | str:
        return table(run.inputs)

    @admin.display(description="parameters")
    def readable_parameters(self, run: Run) -> SafeString | str:
        return table(run.parameters)


@admin.register(Rollback)
class RollbackAdmin(ReadOnlyAdmin):
    """Who took which day back; what the runs' own pages cannot tell."""

    list_display = ("id", "day", "from_run", "to_run", "author", "reason", "at")
    search_fields = ("author", "reason")
    search_help_text = "A part of the author's name or of the reason"
    date_hierarchy = "day"
    ordering = ("-id",)
    fields = ("day", "from_run", "to_run", "author", "reason", "at")
    readonly_fields = ("from_run", "to_run")

    @admin.display(description="from run", ordering="withdrawn")
    def from_run(self, rollback: Rollback) -> SafeString:
        return link("run_change", rollback.withdrawn_id, rollback.withdrawn_id)

    @admin.display(description="to run", ordering="restored")
    def to_run(self, rollback: Rollback) -> SafeString:
        return link("run_change", rollback.restored_id, rollback.restored_id)


def score(column: str, order_by: str | None = None) -> Callable[[Ranking], str]:
    """A column of a ranking's list: counts with their thousands apart, rates to four digits."""

    @admin.display(description=column.replace("_", " "), ordering=order_by)
    def shown(row: Ranking) -> str:
        value = getattr(row, column)
        return f"{value:.4f}" if isinstance(value, float) else f"{value:,}"

    shown.__name__ = column
    return shown


class RankingAdmin(ReadOnlyAdmin):
    """What the rankings' pages have in common; their score columns come from the model."""

    list_filter: ClassVar[tuple[str, ...]] = ("run__state",)
    list_select_related = ("run",)
    search_fields = ("advertiser__advertiser_id__exact", "product_id__exact")
    search_help_text = "A whole advertiser id or a whole product id"
    date_hierarchy = "date"
    ordering: ClassVar[tuple[str, ...]] = ("-date", "advertiser_id", "rank")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return ["advertiser_link", "run_link", *self.model.derived]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        scores = [*(score(name, order_by=name) for name in self.model.scores), *map(score, self.model.derived)]
        return ["product_id", "rank", *scores, "advertiser_link", "date", "run_link"]

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        return ["advertiser_link", "date", "rank", "product_id", *self.model.scores, *self.model.derived, "run_link"]

    @admin.display(description="advertiser", ordering="advertiser_id")
    def advertiser_link(self, row: Ranking) -> SafeString:
        return link("advertiser_change", row.advertiser_id, row.advertiser_id)

    @admin.display(description="run", ordering="run_id")
    def run_link(self, row: Ranking) -> SafeString:
        return link("run_change", f"{row.run_id},\N{NO-BREAK SPACE}{row.run.state}", row.run_id)


class WindowRankingAdmin(RankingAdmin):
    list_filter = ("days", "run__state")
    ordering = ("-date", "advertiser_id", "days", "rank")

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        return [*super().get_list_display(request), "days"]

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        return ["days", *super().get_fields(request, obj)]


admin.site.register(list(RANKINGS.values()), RankingAdmin)
admin.site.register(list(WINDOWED.values()), WindowRankingAdmin)
