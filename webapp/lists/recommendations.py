"""One advertiser's list by one model, with an optional fallback model."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from django.utils.text import get_text_list

from webapp.lists.exploration import explore
from webapp.lists.inputs import Inputs
from webapp.lists.problems import NoRecommendations
from webapp.lists.selection import (
    Selection,
    absent_days,
    advertiser_of,
    check_active,
    check_model,
    renumber,
    run_of,
    visible_rows,
)
from webapp.rankings.models import RANKINGS, Advertiser, Ranking, Run


@dataclass(frozen=True)
class ListSelection(Selection):
    advertiser: Advertiser
    model: str
    window: int = 1


@dataclass(frozen=True)
class Recommendations:
    """One list, best product first, never empty. `instead_of` is the requested model when the fallback's is served."""

    advertiser: Advertiser
    model: str
    run: Run
    items: list[Ranking]
    instead_of: str | None = None
    window: int = 1

    @property
    def absent_days(self) -> list[date]:
        return absent_days(self.run, self.window)


def select_list(inputs: Inputs, model: str, window: int = 1, explored: int = 0) -> ListSelection:
    check_model(model, window)
    if explored and not RANKINGS[model].can_explore:
        able = get_text_list([name for name, ranking in RANKINGS.items() if ranking.can_explore], "and")
        raise NoRecommendations(f"{model} has no lists that explore; only {able} has.")
    advertiser = advertiser_of(inputs)
    check_active(advertiser)
    return ListSelection([run_of(inputs)], advertiser, inputs.versions, model, window)


def load_recommendations(
    selection: ListSelection,
    limit: int,
    exclude: Collection[str] = (),
    fallback: str | None = None,
    explored: int = 0,
) -> Recommendations:
    """The best products of the list, at most `limit`, without the excluded ones; each keeps its rank in the list.

    If none is left, those of the fallback model; if it has none either, NoRecommendations. Of the places, up to `explored`
    go to products worth exploring, if the list is the requested model's.
    """
    [run] = selection.runs
    for model in dict.fromkeys([selection.model, fallback or selection.model]):
        check_model(model, selection.window)
        rows = visible_rows(model, selection.window).of(run).for_advertiser(selection.advertiser)
        items = best(renumber(rows.best_first()), limit, exclude)
        if items:
            instead_of = None if model == selection.model else selection.model
            if explored and not instead_of:
                items = explore(items, selection.advertiser, run, places=explored, limit=limit, exclude=exclude)
            return Recommendations(selection.advertiser, model, run, items, instead_of, selection.window)
    raise no_recommendations(selection.advertiser, selection.model, run, exclude)


def best(items: Iterable[Ranking], limit: int, exclude: Collection[str]) -> list[Ranking]:
    """The first `limit` items of a list that are not excluded."""
    return [item for item in items if item.product_id not in exclude][:limit]


def no_recommendations(advertiser: Advertiser, model: str, run: Run, exclude: Collection[str]) -> NoRecommendations:
    rest = " after the excluded ones" if exclude else ""
    return NoRecommendations(f"{model} has no products for “{advertiser.pk}” on {run.day}{rest}.")
