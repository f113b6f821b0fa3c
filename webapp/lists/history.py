"""An advertiser's lists over a range of days."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from webapp.lists.inputs import Inputs
from webapp.lists.problems import NoRecommendations
from webapp.lists.selection import (
    Selection,
    absent_days,
    advertiser_of,
    check_model,
    day_not_published,
    models_with_window,
    renumber,
    run_of,
    visible_rows,
)
from webapp.rankings.models import Advertiser, Ranking, Run


@dataclass(frozen=True)
class HistorySelection(Selection):
    advertiser: Advertiser
    models: list[str]
    first: date
    last: date
    window: int = 1


@dataclass(frozen=True)
class HistoryDay:
    """One day's lists by model; all are empty if the day is not published. A final day no longer changes."""

    absent_days: list[date]
    date: date
    published: bool
    final: bool
    models: dict[str, list[Ranking]]


@dataclass(frozen=True)
class History:
    """An advertiser's lists on each of the selected days, newest day first."""

    selection: HistorySelection
    days: list[HistoryDay]


def select_history(inputs: Inputs, days: int, model: str | None, window: int) -> HistorySelection:
    """The `days` up to the requested one (by default the newest published one), of one model or of all."""
    if model is not None:
        check_model(model, window)
    models = models_with_window(window) if model is None else [model]
    advertiser = advertiser_of(inputs)
    last = inputs.lookup.day or run_of(inputs).day
    first = date.fromordinal(max(1, last.toordinal() - days + 1))
    runs = [run for run in inputs.runs if run.day >= first]
    if not runs:
        raise day_not_published(f"No day from {first} to {last} is published")
    return HistorySelection(runs, advertiser, inputs.versions, models, first, last, window)


def load_history(selection: HistorySelection) -> History:
    lists: dict[tuple[date, str], list[Ranking]] = defaultdict(list)
    for model in selection.models:
        rows = visible_rows(model, selection.window).filter(run__in=selection.runs)
        for row in rows.for_advertiser(selection.advertiser).best_first():
            lists[row.date, model].append(row)
    if not lists:
        period = f"from {selection.first} to {selection.last}"
        raise NoRecommendations(f"“{selection.advertiser}” has no ranked products {period}.")

    found: Iterable[Run] = selection.runs
    if selection.window > 1:
        found = Run.objects.filter(pk__in=[run.pk for run in found])  # with the run's own inputs, for `absent_days`
    runs = {run.day: run for run in found}

    def history_day(day: date) -> HistoryDay:
        run = runs.get(day)
        return HistoryDay(
            date=day,
            published=run is not None,
            final=run is not None and run.final,
            models={model: renumber(lists.get((day, model), [])) for model in selection.models},
            absent_days=absent_days(run, selection.window) if run else [],
        )

    length = (selection.last - selection.first).days + 1
    days = [history_day(selection.last - timedelta(days=age)) for age in range(length)]
    return History(selection, days)
