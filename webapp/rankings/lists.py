"""The lists as readers ask for them: by advertiser, ranking and day. Where there is none, a Problem says why.

An answer is made in two steps. The first finds what it is made from, without a look at the ranking tables: that is
enough to tell a caller that nothing has changed. The second reads the lists.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from webapp.curation.models import HiddenProduct
from webapp.keys.models import ApiKey
from webapp.rankings.models import RANKINGS, WINDOWED, Advertiser, Ranking, Run
from webapp.rankings.problems import (
    DayNotPublished,
    InactiveAdvertiser,
    NoRecommendations,
    UnknownAdvertiser,
    UnknownModel,
)
from webapp.rankings.querysets import RankingQuerySet


@dataclass(frozen=True)
class Source:
    """What an answer is made from: published runs, newest day first, and whose lists, None for all advertisers'."""

    runs: list[Run]
    advertiser: Advertiser | None


@dataclass(frozen=True)
class ListSource(Source):
    advertiser: Advertiser
    model: str
    window: int = 1


@dataclass(frozen=True)
class HistorySource(Source):
    advertiser: Advertiser
    models: list[str]
    first: date
    last: date
    window: int = 1


@dataclass(frozen=True)
class Recommendations:
    """One list, best product first; never an empty one. `instead_of` is the model that was asked for and had none."""

    advertiser: Advertiser
    model: str
    run: Run
    items: list[Ranking]
    instead_of: str | None = None
    window: int = 1

    @property
    def absent_days(self) -> list[date]:
        return absent_days(self.run, self.window)


@dataclass(frozen=True)
class HistoryDay:
    """One day's lists by model; all empty when the day is not published. What is final, late events change no more."""

    absent_days: list[date]
    date: date
    published: bool
    final: bool
    models: dict[str, list[Ranking]]


@dataclass(frozen=True)
class History:
    """An advertiser's lists from the first day to the last, newest day first."""

    advertiser: Advertiser
    first: date
    last: date
    days: list[HistoryDay]
    window: int = 1


class Change(NamedTuple):
    """A version that differs from any before it, and the moment it began; None if never."""

    version: str
    at: datetime | None


def find_ranking(name: str) -> type[Ranking]:
    if name not in RANKINGS:
        raise UnknownModel(f"“{name}” is not a model; there are {', '.join(RANKINGS)}.", models=list(RANKINGS))
    return RANKINGS[name]


def models_over(window: int) -> list[str]:
    """The models that there are lists of over so many days."""
    return list(RANKINGS if window == 1 else WINDOWED)


def check_window(model: str, window: int) -> None:
    if model not in models_over(window):
        raise NoRecommendations(f"{model} ranks single days; there are no lists of it over {window}.")


def rows_of(model: str, window: int = 1) -> RankingQuerySet:
    """The rows of a model's lists over so many days."""
    return RANKINGS[model].objects.all() if window == 1 else WINDOWED[model].objects.filter(days=window)


def absent_days(run: Run, window: int) -> list[date]:
    """The days of the window, oldest first, that the run found no counts of, since they were not published by then."""
    days = (run.day - timedelta(days=age) for age in range(window - 1, 0, -1))
    found = run.inputs.get("lake", {}) if window > 1 else {}
    return [day for day in days if str(day) not in found]


def find_advertiser(advertiser_id: str, key: ApiKey | None) -> Advertiser:
    """The advertiser, if the key reads their lists; if not, there is no telling them from one that never was."""
    advertiser = Advertiser.objects.find(advertiser_id, key)
    if advertiser is None:
        raise unknown(advertiser_id)
    return advertiser


def unknown(advertiser_id: str) -> UnknownAdvertiser:
    return UnknownAdvertiser(f"No advertiser “{advertiser_id}” was ever active; /api/v1/advertisers lists them.")


def find_run(day: date | None) -> Run:
    """The run that readers see for the day, or for the newest day there is."""
    run = Run.objects.find_published(day)
    if run is None:
        raise not_published("No day is published yet" if day is None else f"{day} is not published")
    return run


def not_published(what: str) -> DayNotPublished:
    """The problem, with the first and the last day that could be asked for instead."""
    days = Run.objects.published().days()
    instead = f"; the published days lie from {days.first} to {days.last}" if days.first else ""
    return DayNotPublished(f"{what}{instead}.", first_day=days.first, last_day=days.last)


def shown(rows: RankingQuerySet) -> RankingQuerySet:
    """The rows that readers get to see: those of products that nobody has hidden. All reading goes through here."""
    return HiddenProduct.objects.in_force().taken_out_of(rows)


def change_of_shown(advertiser: Advertiser | None) -> Change:
    """What `shown` leaves out of the advertiser's lists, or of anybody's, as a version: every ETag has it in it."""
    return Change(*HiddenProduct.objects.last_change(advertiser))


def numbered(items: Iterable[Ranking]) -> list[Ranking]:
    """One list's items with ranks from 1 on; hidden products leave no gap for a reader to stumble over."""
    items = list(items)
    for rank, item in enumerate(items, start=1):
        item.rank = rank
    return items


def find_list(advertiser_id: str, model: str, day: date | None, key: ApiKey | None, window: int = 1) -> ListSource:
    find_ranking(model)
    check_window(model, window)
    advertiser = find_advertiser(advertiser_id, key)
    check_active(advertiser)
    return ListSource([find_run(day)], advertiser, model, window)


def check_active(advertiser: Advertiser) -> None:
    if not advertiser.active:
        raise InactiveAdvertiser(f"“{advertiser.pk}” is not active now; their history remains.")


def recommendations(
    source: ListSource, limit: int, exclude: Collection[str] = (), fallback: str | None = None
) -> Recommendations:
    """The advertiser's best products of the day, at most `limit`, without those to exclude.

    When none is left, the fallback model's; each keeps the rank it has in its list.
    """
    [run] = source.runs
    for model in dict.fromkeys([source.model, fallback or source.model]):
        check_window(model, source.window)
        rows = rows_of(model, source.window).of(run).for_advertiser(source.advertiser)
        items = best(numbered(shown(rows).best_first()), limit, exclude)
        if items:
            instead_of = None if model == source.model else source.model
            return Recommendations(source.advertiser, model, run, items, instead_of, source.window)
    raise nothing_to_recommend(source.advertiser, source.model, run, exclude)


def best(items: Iterable[Ranking], limit: int, exclude: Collection[str]) -> list[Ranking]:
    """The first `limit` of a list's items that are not to be excluded, with the ranks they have in the list."""
    return [item for item in items if item.product_id not in exclude][:limit]


def nothing_to_recommend(advertiser: Advertiser, model: str, run: Run, exclude: Collection[str]) -> NoRecommendations:
    unless = " and that are not excluded" if exclude else ""
    return NoRecommendations(f"“{advertiser.pk}” had no events on {run.day} that {model} could rank{unless}.")


def find_history(
    advertiser_id: str, last: date | None, length: int, model: str | None, key: ApiKey | None, window: int = 1
) -> HistorySource:
    """The `length` days up to `last`, the newest published day if None, of one model or of all."""
    if model is not None:
        find_ranking(model)
        check_window(model, window)
    models = models_over(window) if model is None else [model]
    advertiser = find_advertiser(advertiser_id, key)
    last = last or find_run(None).day
    first = date.fromordinal(max(1, last.toordinal() - length + 1))
    runs = list(Run.objects.published().between(first, last).newest_first())
    if not runs:
        raise not_published(f"No day from {first} to {last} is published")
    return HistorySource(runs, advertiser, models, first, last, window)


def history(source: HistorySource) -> History:
    items: dict[tuple[date, str], list[Ranking]] = defaultdict(list)
    for model in source.models:
        rows = rows_of(model, source.window).filter(run__in=source.runs).for_advertiser(source.advertiser)
        for item in shown(rows).best_first():
            items[item.date, model].append(item)
    if not items:
        raise NoRecommendations(
            f"“{source.advertiser}” had no events from {source.first} to {source.last} that could be ranked."
        )

    runs = {run.day: run for run in source.runs}
    days = [source.last - timedelta(days=age) for age in range((source.last - source.first).days + 1)]
    return History(
        source.advertiser,
        source.first,
        source.last,
        [
            HistoryDay(
                date=day,
                published=day in runs,
                final=day in runs and runs[day].final,
                models={model: numbered(items.get((day, model), [])) for model in source.models},
                absent_days=absent_days(runs[day], source.window) if day in runs else [],
            )
            for day in days
        ],
        source.window,
    )
