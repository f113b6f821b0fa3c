"""The lists as readers ask for them: by advertiser, ranking and day. Where there is none, a Problem says why."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from webapp.curation.models import HiddenProduct
from webapp.rankings.models import RANKINGS, Advertiser, Ranking, Run
from webapp.rankings.problems import (
    DayNotPublished,
    InactiveAdvertiser,
    NoRecommendations,
    UnknownAdvertiser,
    UnknownModel,
)
from webapp.rankings.querysets import RankingQuerySet


@dataclass(frozen=True)
class Recommendations:
    """One list, best product first; never an empty one."""

    advertiser: Advertiser
    model: str
    run: Run
    items: list[Ranking]


@dataclass(frozen=True)
class HistoryDay:
    """One day's lists by model; all empty when the day is not published. What is final, late events change no more."""

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


def find_ranking(name: str) -> type[Ranking]:
    if name not in RANKINGS:
        raise UnknownModel(f"“{name}” is not a model; there are {' and '.join(RANKINGS)}.", models=list(RANKINGS))
    return RANKINGS[name]


def find_advertiser(advertiser_id: str) -> Advertiser:
    advertiser = Advertiser.objects.named(advertiser_id).first()
    if advertiser is None:
        raise UnknownAdvertiser(f"No advertiser “{advertiser_id}” was ever active; /api/v1/advertisers lists them.")
    return advertiser


def find_run(day: date | None) -> Run:
    """The run that readers see for the day, or for the newest day there is."""
    runs = Run.objects.published()
    run = (runs if day is None else runs.on(day)).newest()
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


def numbered(items: Iterable[Ranking]) -> list[Ranking]:
    """One list's items with ranks from 1 on; hidden products leave no gap for a reader to stumble over."""
    items = list(items)
    for rank, item in enumerate(items, start=1):
        item.rank = rank
    return items


def recommendations(advertiser_id: str, model: str, day: date | None, limit: int) -> Recommendations:
    """The advertiser's best products of the day, at most `limit`."""
    ranking = find_ranking(model)
    advertiser = find_advertiser(advertiser_id)
    if not advertiser.active:
        raise InactiveAdvertiser(f"“{advertiser_id}” is not active now; their history remains.")
    run = find_run(day)
    rows = shown(ranking.objects.of(run).for_advertiser(advertiser))
    items = numbered(rows.best_first()[:limit])
    if not items:
        raise NoRecommendations(f"“{advertiser_id}” had no events on {run.day} that {model} could rank.")
    return Recommendations(advertiser, model, run, items)


def history(advertiser_id: str, last: date | None, length: int, model: str | None) -> History:
    """The advertiser's lists of `length` days, of one model or of all; `last` is the newest published day if None."""
    rankings = {model: find_ranking(model)} if model is not None else RANKINGS
    advertiser = find_advertiser(advertiser_id)
    last = last or find_run(None).day
    first = date.fromordinal(max(1, last.toordinal() - length + 1))
    runs = list(Run.objects.published().between(first, last))
    if not runs:
        raise not_published(f"No day from {first} to {last} is published")

    items: dict[tuple[date, str], list[Ranking]] = defaultdict(list)
    for name, ranking in rankings.items():
        rows = shown(ranking.objects.filter(run__in=runs).for_advertiser(advertiser))
        for item in rows.best_first():
            items[item.date, name].append(item)
    if not items:
        raise NoRecommendations(f"“{advertiser_id}” had no events from {first} to {last} that could be ranked.")

    final = {run.day: run.final for run in runs}
    days = [last - timedelta(days=age) for age in range((last - first).days + 1)]
    return History(
        advertiser,
        first,
        last,
        [
            HistoryDay(
                day,
                day in final,
                final.get(day, False),
                {name: numbered(items.get((day, name), [])) for name in rankings},
            )
            for day in days
        ],
    )
