"""An advertiser's lists of a day for their page: score bars, movement since another day, hidden products."""

from collections.abc import Sequence
from dataclasses import dataclass

from webapp.backoffice.charts import RankChart, rank_chart
from webapp.curation.models import HiddenProduct
from webapp.lists.selection import rows_of_model
from webapp.rankings.models import RANKINGS, Advertiser, Ranking, Run


@dataclass(frozen=True)
class ListRow:
    """One product of a list. `previous_rank` is None if the product is new or there is no other day.

    `scores` are the values of the list's columns, and `bar` is the score in percent of the list's best.
    """

    item: Ranking
    previous_rank: int | None
    movement: str
    scores: list[str]
    bar: float
    hidden: HiddenProduct | None

    @property
    def moved_by(self) -> int:
        return abs(self.item.rank - (self.previous_rank or self.item.rank))


@dataclass(frozen=True)
class DayList:
    """One model's list of the day; `left` are the products, with their ranks, that only the other day had."""

    name: str
    labels: list[str]
    rows: list[ListRow]
    left: list[tuple[str, int]]
    chart: RankChart
    needs: str


def format_score(value: float, is_share: bool) -> str:
    """Shares in percent, counts in full, and other fractions as `count_text` does."""
    return f"{value:.2%}" if is_share else count_text(value)


def count_text(value: float) -> str:
    """A count with thousands separators; a fraction below 1,000 with two decimals."""
    return f"{value:,.2f}" if isinstance(value, float) and value < 1000 else f"{value:,.0f}"


def day_list(
    model: str,
    advertiser: Advertiser,
    runs: Sequence[Run],
    compared: Run | None,
    hidden: dict[str, HiddenProduct],
    window: int,
) -> DayList:
    """The model's list in the first of `runs`, which are charted and come newest first, and its movement since `compared`."""
    by_run: dict[int, list[Ranking]] = {run.pk: [] for run in (*runs, *filter(None, [compared]))}
    for item in rows_of_model(model, window).filter(run__in=by_run).for_advertiser(advertiser).best_first():
        by_run[item.run_id].append(item)
    current, previous = by_run[runs[0].pk], by_run[compared.pk] if compared else None
    oldest_first = [(run.day, [item.product_id for item in by_run[run.pk]]) for run in reversed(runs)]
    columns = shown_columns(RANKINGS[model], current)
    return DayList(
        name=model,
        labels=["CTR" if name == "ctr" else name.replace("_", " ").capitalize() for name in columns],
        rows=list_rows(current, previous, hidden, columns),
        left=products_that_left(current, previous or []),
        chart=rank_chart(oldest_first),
        needs=RANKINGS[model].needs,
    )


def shown_columns(ranking: type[Ranking], rows: Sequence[Ranking]) -> list[str]:
    """The model's columns of the page, without the ordering score if it repeats another one: without a prior, the CTR."""
    columns, score = [*(ranking.columns_of_page or ranking.scores)], ranking.ordering_score
    others = [name for name in columns if name != score]
    repeats = any(all(getattr(row, name) == getattr(row, score) for row in rows) for name in others)
    return others if repeats else columns


def list_rows(
    current: Sequence[Ranking],
    previous: Sequence[Ranking] | None,
    hidden: dict[str, HiddenProduct],
    columns: list[str],
) -> list[ListRow]:
    previous_ranks = {item.product_id: item.rank for item in previous or ()}
    scores = [getattr(item, item.ordering_score) for item in current]
    best = max(scores, default=0)
    return [
        ListRow(
            item=item,
            previous_rank=previous_ranks.get(item.product_id),
            movement="" if previous is None else movement(item.rank, previous_ranks.get(item.product_id)),
            scores=[format_score(getattr(item, name), name in item.shares) for name in columns],
            bar=100 * score / best if best else 0,
            hidden=hidden.get(item.product_id),
        )
        for item, score in zip(current, scores, strict=True)
    ]


def movement(rank: int, previous_rank: int | None) -> str:
    if previous_rank is None:
        return "new"
    if rank == previous_rank:
        return "same"
    return "up" if rank < previous_rank else "down"


def products_that_left(current: Sequence[Ranking], previous: Sequence[Ranking]) -> list[tuple[str, int]]:
    listed = {item.product_id for item in current}
    return [(item.product_id, item.rank) for item in previous if item.product_id not in listed]
