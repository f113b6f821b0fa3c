"""Many advertisers' lists in one answer, in as many queries as there are rankings, and two."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product

from webapp.keys.models import ApiKey
from webapp.rankings.lists import (
    Recommendations,
    best,
    check_active,
    check_window,
    find_run,
    models_over,
    nothing_to_recommend,
    numbered,
    rows_of,
    shown,
    unknown,
)
from webapp.rankings.models import LASTING, Advertiser, Ranking, Run
from webapp.rankings.problems import Problem

Lists = dict[tuple[str, str], list[Ranking]]  # by advertiser and model


@dataclass(frozen=True)
class Outcome:
    """What became of one advertiser and one model: their list, or the problem that alone they would be answered with."""

    advertiser_id: str
    model: str
    found: Recommendations | Problem


@dataclass(frozen=True)
class Batch:
    run: Run
    outcomes: list[Outcome]


def batch(
    advertiser_ids: Sequence[str],
    models: Sequence[str] | None,
    day: date | None,
    limit: int,
    exclude: Collection[str],
    fallback: str | None,
    key: ApiKey | None,
    window: int = 1,
) -> Batch:
    """A list for each advertiser and each model, in the order asked; one that there is not hinders no other.

    Without models, those that everybody with events has a list of.
    """
    models = models or [model for model in models_over(window) if model in LASTING]
    to_read = dict.fromkeys([*models, *([fallback] if fallback else [])])
    run = find_run(day)
    advertisers = Advertiser.objects.visible_to(key).in_bulk(advertiser_ids)
    lists = read(run, to_read, advertisers, window)

    def found(advertiser_id: str, model: str) -> Recommendations:
        advertiser = advertisers.get(advertiser_id)
        if advertiser is None:
            raise unknown(advertiser_id)
        check_active(advertiser)
        check_window(model, window)
        for name in (model, fallback):
            if name and (items := best(lists.get((advertiser_id, name), []), limit, exclude)):
                return Recommendations(advertiser, name, run, items, None if name == model else model, window)
        raise nothing_to_recommend(advertiser, model, run, exclude)

    def outcomes() -> Iterator[Outcome]:
        for advertiser_id, model in product(advertiser_ids, models):
            try:
                yield Outcome(advertiser_id, model, found(advertiser_id, model))
            except Problem as problem:
                yield Outcome(advertiser_id, model, problem)

    return Batch(run, list(outcomes()))


def read(run: Run, models: Collection[str], advertisers: Collection[str], window: int) -> Lists:
    """The advertisers' lists in the run; empty for those that have none."""
    lists: Lists = defaultdict(list)
    for model in (each for each in models_over(window) if each in models):
        rows = rows_of(model, window).of(run).filter(advertiser__in=list(advertisers))
        for item in shown(rows).best_first():
            lists[item.advertiser_id, model].append(item)
    return {whose: numbered(items) for whose, items in lists.items()}
