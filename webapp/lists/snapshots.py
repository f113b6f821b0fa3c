"""A published day's lists of all active advertisers, for an ad server that loads them ahead of time.

Rows come through a server-side cursor, one list at a time, so that memory does not grow with the day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Any

from webapp.curation.querysets import HIDDEN_VERSION
from webapp.keys.models import ApiKey
from webapp.lists.inputs import Inputs
from webapp.lists.problems import NoRecommendations
from webapp.lists.selection import (
    Selection,
    absent_days,
    check_model,
    models_with_window,
    renumber,
    run_of,
    visible_rows,
)
from webapp.rankings.models import Advertiser, Ranking, Run
from webapp.rankings.querysets import ACTIVE_VERSION, AdvertiserQuerySet

VERSIONS = (HIDDEN_VERSION, ACTIVE_VERSION)
ROWS_PER_FETCH = 2000
AdvertiserList = tuple[str, str, list[Ranking]]  # an advertiser's id, a model, and its list


@dataclass(frozen=True)
class SnapshotSelection(Selection):
    run: Run
    models: list[str]
    key: ApiKey | None
    window: int = 1


@dataclass(frozen=True)
class Snapshot:
    """A run's lists, read from the database as they are iterated over."""

    run: Run
    window: int
    lists: Iterator[AdvertiserList]

    @property
    def window_members(self) -> dict[str, Any]:
        """What each list says of its window; nothing for single days."""
        if self.window == 1:
            return {}
        return {"window": self.window, "absent_days": [str(day) for day in absent_days(self.run, self.window)]}


def select_snapshot(inputs: Inputs, model: str | None, window: int = 1) -> SnapshotSelection:
    if model:
        check_model(model, window)
    run, models = run_of(inputs), [model] if model else models_with_window(window)
    return SnapshotSelection([run], None, inputs.versions, run, models, inputs.key, window)


def load_snapshot(selection: SnapshotSelection) -> Snapshot:
    """The lists that the key may read, of advertisers that are active now; NoRecommendations if there are none."""
    advertisers = Advertiser.objects.visible_to(selection.key).active()
    lists = chain.from_iterable(stream_lists(selection, model, advertisers) for model in selection.models)
    first = next(lists, None)
    if first is None:
        raise NoRecommendations(f"No active advertiser has a list for {selection.run.day}.")
    return Snapshot(selection.run, selection.window, chain([first], lists))


def stream_lists(selection: SnapshotSelection, model: str, advertisers: AdvertiserQuerySet) -> Iterator[AdvertiserList]:
    rows = visible_rows(model, selection.window).of(selection.run).filter(advertiser__in=advertisers)
    in_order = rows.order_by("advertiser_id", "rank")
    by_advertiser = groupby(in_order.iterator(chunk_size=ROWS_PER_FETCH), key=lambda row: row.advertiser_id)
    return ((advertiser_id, model, renumber(items)) for advertiser_id, items in by_advertiser)
