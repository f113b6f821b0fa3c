"""What a request selects: published runs, and whose lists of them. Every kind of response starts here.

Selecting reads no ranking table, and is enough to tell a client that its copy is still current.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from webapp.curation.models import HiddenProduct
from webapp.lists.inputs import Inputs
from webapp.lists.problems import (
    DayNotPublished,
    InactiveAdvertiser,
    NoRecommendations,
    UnknownAdvertiser,
    UnknownModel,
)
from webapp.rankings.models import FIRST, LASTING, RANKINGS, WINDOWED, Advertiser, Ranking, Run
from webapp.rankings.querysets import RankingQuerySet


@dataclass(frozen=True)
class Selection:
    """Published runs, newest day first; the advertiser whose lists are read, or None for all; and the inputs' versions."""

    runs: list[Run]
    advertiser: Advertiser | None
    versions: tuple[Any, ...]


# Runs and advertisers


def run_of(inputs: Inputs) -> Run:
    """The published run of the requested day, or of the newest published day."""
    day = inputs.lookup.day
    if not inputs.runs or day not in (None, inputs.runs[0].day):
        raise day_not_published("No day is published yet" if day is None else f"{day} is not published")
    return inputs.runs[0]


def day_not_published(what: str) -> DayNotPublished:
    """The problem, with the range of days to request instead."""
    days = Run.objects.published().days()
    instead = f"; published days range from {days.first} to {days.last}" if days.first else ""
    return DayNotPublished(f"{what}{instead}.", first_day=days.first, last_day=days.last)


def advertiser_of(inputs: Inputs) -> Advertiser:
    """The requested advertiser, if the key may read it."""
    if inputs.advertiser is None:
        raise unknown_advertiser(str(inputs.lookup.advertiser_id))
    return inputs.advertiser


def unknown_advertiser(advertiser_id: str) -> UnknownAdvertiser:
    return UnknownAdvertiser(f"There is no advertiser “{advertiser_id}”; see /api/v1/advertisers.")


def check_active(advertiser: Advertiser) -> None:
    if not advertiser.active:
        raise InactiveAdvertiser(f"“{advertiser.pk}” is not active; only its history is available.")


# Models and windows


def models_with_window(window: int) -> list[str]:
    """The models that have lists over this window."""
    return list(RANKINGS if window == 1 else WINDOWED)


def first_shown(models: Iterable[str]) -> list[str]:
    """The models in the order in which pages show them."""
    return sorted(models, key=lambda name: name != FIRST)


def lasting_models(run: Run) -> dict[str, type[Ranking]]:
    """The lasting models by which the run ranked, in the order in which pages show them; an old run may lack new models."""
    names = (name for name, ranking in LASTING.items() if not ranking.absence_of_lists(run.parameters))
    return {name: LASTING[name] for name in first_shown(names)}


def check_model(model: str, window: int = 1) -> None:
    """UnknownModel, or NoRecommendations if the model has no lists over this window."""
    if model not in RANKINGS:
        raise UnknownModel(f"“{model}” is not a model; use {', '.join(RANKINGS)}.", models=list(RANKINGS))
    if model not in models_with_window(window):
        raise NoRecommendations(f"{model} ranks single days only; it has no lists over {window} days.")


def rows_of_model(model: str, window: int = 1) -> RankingQuerySet:
    """The rows of the model's lists over the window, hidden products included."""
    return RANKINGS[model].objects.all() if window == 1 else WINDOWED[model].objects.filter(days=window)


def absent_days(run: Run, window: int) -> list[date]:
    """The days of the window, oldest first, for which the run found no daily counts."""
    if window == 1:
        return []
    earlier = [run.day - timedelta(days=age) for age in range(window - 1, 0, -1)]
    found = run.inputs.get("lake", {})
    return [day for day in earlier if str(day) not in found]


# Hidden products


def without_hidden(rows: RankingQuerySet) -> RankingQuerySet:
    """The rows without hidden products. Everything that readers get goes through here."""
    return HiddenProduct.objects.in_force().taken_out_of(rows)


def visible_rows(model: str, window: int) -> RankingQuerySet:
    """The rows of the model's lists over the window that readers may get."""
    return without_hidden(rows_of_model(model, window))


def renumber(rows: Iterable[Ranking]) -> list[Ranking]:
    """One list's rows with ranks counted from 1, so that hidden products leave no gaps."""
    rows = list(rows)
    for rank, row in enumerate(rows, start=1):
        row.rank = rank
    return rows
