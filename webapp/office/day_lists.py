"""An advertiser's lists of a day as ad-ops read them: with bars, movement since the day before, and what is hidden."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from webapp.curation.models import HiddenProduct
from webapp.office.charts import RankChart, rank_chart
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
        """What the row was scored by, in the order of its ranking's columns: counts, and rates in per cent."""
        values = (getattr(self.row, name) for name in self.row.scores)
        return [f"{value:.2%}" if isinstance(value, float) else f"{value:,}" for value in values]


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


def day_lists(advertiser: Advertiser, runs: Sequence[Run], hidden: dict[str, HiddenProduct]) -> list[DayList]:
    """The lists of the first of `runs` (newest first), held against the second's; one query a ranking."""
    return [day_list(ranking, advertiser, runs, hidden) for ranking in RANKINGS.values()]


def day_list(
    ranking: type[Ranking], advertiser: Advertiser, runs: Sequence[Run], hidden: dict[str, HiddenProduct]
) -> DayList:
    by_day: dict[date, list[Ranking]] = {run.day: [] for run in runs}
    for row in ranking.objects.filter(run__in=runs).for_advertiser(advertiser).best_first():
        by_day[row.date].append(row)
    now, *earlier = by_day.values()
    before = earlier[0] if earlier else None
    ways = [(day, [row.product_id for row in rows]) for day, rows in reversed(by_day.items())]
    return DayList(ranking.__name__, ranking.scores, places(now, before, hidden), gone(now, before), rank_chart(ways))


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
