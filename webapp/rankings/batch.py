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
    find_run,
    nothing_to_recommend,
    numbered,
    shown,
    unknown,
)
from webapp.rankings.models import RANKINGS, Advertiser, Ranking, Run
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
    models: Sequence[str],
    day: date | None,
    limit: int,
    exclude: Collection[str],
    fallback: str | None,
    key: ApiKey | None,
) -> Batch:
    """A list for each advertiser and each model, in the order asked; one that there is not hinders no other."""
    run = find_run(day)
    advertisers = Advertiser.objects.visible_to(key).in_bulk(advertiser_ids)
    lists = read(run, dict.fromkeys([*models, *([fallback] if fallback else [])]), advertisers)

    def found(advertiser_id: str, model: str) -> Recommendations:
        advertiser = advertisers.get(advertiser_id)
        if advertiser is None:
            raise unknown(advertiser_id)
        check_active(advertiser)
        for name in (model, fallback):
            if name and (items := best(lists.get((advertiser_id, name), []), limit, exclude)):
                return Recommendations(advertiser, name, run, items, None if name == model else model)
        raise nothing_to_recommend(advertiser, model, run, exclude)

    def outcomes() -> Iterator[Outcome]:
        for advertiser_id, model in product(advertiser_ids, models):
            try:
                yield Outcome(advertiser_id, model, found(advertiser_id, model))
            except Problem as problem:
                yield Outcome(advertiser_id, model, problem)

    return Batch(run, list(outcomes()))


def read(run: Run, models: Collection[str], advertisers: Collection[str]) -> Lists:
    """The advertisers' lists in the run; empty for those that have none."""
    lists: Lists = defaultdict(list)
    for model in models:
        rows = RANKINGS[model].objects.of(run).filter(advertiser__in=list(advertisers))
        for item in shown(rows).best_first():
            lists[item.advertiser_id, model].append(item)
    return {whose: numbered(items) for whose, items in lists.items()}
