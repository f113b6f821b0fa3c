"""The filters of the row lists. By default they show the published rows of the newest day, and so each list once."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest

from webapp.rankings.models import Run
from webapp.rankings.values import parse_day

STATE = "run__state"
RUNS = ("run__id", "run__state__")
"""Parameters that choose runs themselves begin so: links from a run's page, and Django's own lookups."""
ROWS = (*RUNS, "date", "advertiser__")
"""Parameters that choose a run, a day or an advertiser begin so. Without them, a row list shows one day."""


class StateFilter(admin.SimpleListFilter):
    title = "state of the run"
    parameter_name = STATE

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        self.default = "all" if any(name.startswith(RUNS) for name in request.GET) else Run.State.PUBLISHED.value
        return [*Run.State.choices, ("all", "All")]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for value, label in self.lookup_choices:
            query = changelist.get_query_string({STATE: value})
            yield {"selected": value == (self.value() or self.default), "query_string": query, "display": label}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        state = self.value() or self.default
        return queryset if state == "all" else queryset.filter(run__state=state)


class DayFilter(admin.SimpleListFilter):
    """A form for one day, by default the newest one with rows of the chosen state."""

    title = "day"
    parameter_name = "date__exact"
    template = "backoffice/day_filter.html"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("day", "Day")]  # Django shows no filter without choices; the form takes any day

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        """The day of the form, and the other parameters of the page, which the form keeps."""
        others = {name: value for name, value in changelist.params.items() if not name.startswith("date")}
        yield {"name": self.parameter_name, "day": self.day, "others": others}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        requested = self.value()
        self.day: date | None = parse_day(requested) if requested else None
        if self.day is None and not any(name.startswith(ROWS) for name in request.GET):
            state = request.GET.get(STATE, Run.State.PUBLISHED)
            runs = Run.objects.all() if state == "all" else Run.objects.filter(state=state)
            newest = runs.newest()
            self.day = newest.day if newest else None
        return queryset if self.day is None else queryset.filter(date=self.day)
