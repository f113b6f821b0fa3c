"""The lists of many advertisers in one response: one query per model, and two more."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product

from webapp.keys.models import ApiKey
from webapp.lists.inputs import Lookup, load_inputs
from webapp.lists.recommendations import Recommendations, best, no_recommendations
from webapp.lists.selection import (
    check_active,
    check_model,
    models_with_window,
    renumber,
    run_of,
    unknown_advertiser,
    visible_rows,
)
from webapp.problems import Problem
from webapp.rankings.models import LASTING, Advertiser, Ranking, Run

Lists = dict[tuple[str, str], list[Ranking]]  # by advertiser and model


@dataclass(frozen=True)
class BatchResult:
    """The list of one advertiser and model, or the problem that a request for it alone would get."""

    advertiser_id: str
    model: str
    outcome: Recommendations | Problem


@dataclass(frozen=True)
class Batch:
    run: Run
    results: list[BatchResult]


def load_batch(
    key: ApiKey | None,
    *,
    advertiser_ids: Sequence[str],
    models: Sequence[str] = (),
    date: date | None = None,
    limit: int,
    exclude: Collection[str],
    fallback: str | None = None,
    window: int,
) -> Batch:
    """A result for each advertiser and model, in the order requested. A missing list does not affect the others.

    `models` defaults to the lasting ones: those of which every advertiser with events has a list.
    """
    models = models or [model for model in models_with_window(window) if model in LASTING]
    to_load = {*models, fallback} - {None}
    run = run_of(load_inputs(Lookup(day=date, versions=())))
    advertisers = Advertiser.objects.visible_to(key).in_bulk(advertiser_ids)
    lists = load_lists(run, to_load, advertisers, window)

    def recommendations(advertiser_id: str, model: str) -> Recommendations:
        advertiser = advertisers.get(advertiser_id)
        if advertiser is None:
            raise unknown_advertiser(advertiser_id)
        check_active(advertiser)
        check_model(model, window)
        for name in (model, fallback):
            if name and (items := best(lists.get((advertiser_id, name), []), limit, exclude)):
                return Recommendations(advertiser, name, run, items, None if name == model else model, window)
        raise no_recommendations(advertiser, model, run, exclude)

    results = []
    for advertiser_id, model in product(advertiser_ids, models):
        outcome: Recommendations | Problem
        try:
            outcome = recommendations(advertiser_id, model)
        except Problem as problem:
            outcome = problem
        results.append(BatchResult(advertiser_id, model, outcome))
    return Batch(run, results)


def load_lists(run: Run, models: Collection[str | None], advertisers: Collection[str], window: int) -> Lists:
    """The advertisers' lists in the run; those without one are absent."""
    lists: Lists = defaultdict(list)
    for model in models_with_window(window):
        if model in models:
            rows = visible_rows(model, window).of(run).filter(advertiser__in=list(advertisers))
            for row in rows.best_first():
                lists[row.advertiser_id, model].append(row)
    return {whose: renumber(rows) for whose, rows in lists.items()}
