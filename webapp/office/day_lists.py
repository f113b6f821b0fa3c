"""An advertiser's lists of a day as ad-ops read them: with bars, movement since the day before, and what is hidden."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from webapp.curation.models import HiddenProduct
from webapp.office.charts import RankChart, rank_chart
from webapp.rankings.lists import models_over, rows_of
from webapp.rankings.models import RANKINGS, Advertiser, Ranking, Run

WEEK = 7


@dataclass(frozen=True)
class Place:
    """One row of a list. `was` is the product's rank on the day before, None where it is new or nothing is known."""

    row: Ranking
    was: int | None
    movement: str
    bar: float
    hidden: HiddenProduct | None

    @property
    def moved(self) -> int:
        return abs(self.row.rank - (self.was or self.row.rank))

    @property
    def scores(self) -> list[str]:
        """What the row was scored by, in the order of its ranking's columns."""
        return [in_words(getattr(self.row, name), name in self.row.shares) for name in self.row.scores]


@dataclass(frozen=True)
class DayList:
    """One ranking's list of the day; `out` are the products, with their ranks, that were there the day before."""

    name: str
    scores: tuple[str, ...]
    places: list[Place]
    out: list[tuple[str, int]]
    chart: RankChart


def score_of(ranking: type[Ranking]) -> str:
    """The column that orders the list."""
    return ranking.scores[-1]


def in_words(value: float, is_share: bool) -> str:
    """Counts as they are, shares in per cent, other numbers to two digits."""
    return f"{value:.2%}" if is_share else f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"


def day_lists(
    advertiser: Advertiser, runs: Sequence[Run], hidden: dict[str, HiddenProduct], window: int = 1
) -> list[DayList]:
    """The lists of the first of `runs` (newest first), held against the second's; one query a ranking."""
    return [day_list(model, advertiser, runs, hidden, window) for model in models_over(window)]


def day_list(
    model: str, advertiser: Advertiser, runs: Sequence[Run], hidden: dict[str, HiddenProduct], window: int
) -> DayList:
    ranking = RANKINGS[model]
    by_day: dict[date, list[Ranking]] = {run.day: [] for run in runs}
    for row in rows_of(model, window).filter(run__in=runs).for_advertiser(advertiser).best_first():
        by_day[row.date].append(row)
    now, *earlier = by_day.values()
    before = earlier[0] if earlier else None
    ways = [(day, [row.product_id for row in rows]) for day, rows in reversed(by_day.items())]
    return DayList(model, ranking.scores, places(now, before, hidden), gone(now, before), rank_chart(ways))


def places(now: Sequence[Ranking], before: Sequence[Ranking] | None, hidden: dict[str, HiddenProduct]) -> list[Place]:
    ranks = {row.product_id: row.rank for row in before or ()}
    values = [getattr(row, score_of(type(row))) for row in now]
    most = max(values, default=0)
    return [
        Place(
            row,
            ranks.get(row.product_id),
            "" if before is None else movement(row.rank, ranks.get(row.product_id)),
            100 * value / most if most else 0,
            hidden.get(row.product_id),
        )
        for row, value in zip(now, values, strict=True)
    ]


def movement(rank: int, was: int | None) -> str:
    """new, up, down or same."""
    if was is None:
        return "new"
    return "up" if rank < was else "down" if rank > was else "same"


def gone(now: Sequence[Ranking], before: Sequence[Ranking] | None) -> list[tuple[str, int]]:
    stayed = {row.product_id for row in now}
    return [(row.product_id, row.rank) for row in before or () if row.product_id not in stayed]
