"""How the lists will look without some products, before they are hidden."""

from collections.abc import Collection
from dataclasses import dataclass

from webapp.lists.selection import renumber, without_hidden
from webapp.rankings.models import Advertiser, Ranking, Run


@dataclass(frozen=True)
class PreviewRow:
    """A product, its rank now and its rank afterwards; None for a product to hide."""

    product_id: str
    rank: int
    new_rank: int | None


@dataclass(frozen=True)
class Preview:
    name: str
    rows: list[PreviewRow]

    @property
    def changes(self) -> bool:
        return any(row.new_rank is None for row in self.rows)


def preview(ranking: type[Ranking], advertiser: Advertiser, products: Collection[str], run: Run) -> Preview:
    """The model's list in the run, with and without the products."""
    shown = without_hidden(ranking.objects.of(run).for_advertiser(advertiser)).best_first()
    items = renumber(shown)
    new_ranks = iter(range(1, len(items) + 1))
    rows = [
        PreviewRow(item.product_id, item.rank, None if item.product_id in products else next(new_ranks))
        for item in items
    ]
    return Preview(ranking.__name__, rows)
