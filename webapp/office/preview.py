"""What lists become without a product, before it is hidden."""

from dataclasses import dataclass

from webapp.rankings import lists
from webapp.rankings.models import RANKINGS, Advertiser, Ranking, Run


@dataclass(frozen=True)
class Line:
    """A product of the list: its rank now, and the one it gets, None for the product that goes."""

    row: Ranking
    now: int
    then: int | None


@dataclass(frozen=True)
class Preview:
    name: str
    lines: list[Line]

    @property
    def changes(self) -> bool:
        return any(line.then is None for line in self.lines)


def previews(advertiser: Advertiser, product_id: str, run: Run | None) -> list[Preview]:
    """Each ranking's list as readers have it, and as they would have it without the product."""
    if run is None:
        return []
    return [preview(ranking, advertiser, product_id, run) for ranking in RANKINGS.values()]


def preview(ranking: type[Ranking], advertiser: Advertiser, product_id: str, run: Run) -> Preview:
    rows = lists.shown(ranking.objects.of(run).for_advertiser(advertiser)).best_first()
    return Preview(ranking.__name__, lines(lists.numbered(rows), product_id))


def lines(rows: list[Ranking], product_id: str) -> list[Line]:
    staying = iter(range(1, len(rows) + 1))
    return [Line(row, row.rank, None if row.product_id == product_id else next(staying)) for row in rows]
