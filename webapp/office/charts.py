"""Where the parts of a chart lie, in per cent of its box; the templates draw them as SVG.

Nothing here is a style or a script, so that the Content-Security-Policy has nothing to forbid, and lengths in per cent
fit any width, while text keeps its size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

LABELS = 28  # per cent of a rank chart's width, on its right, that the products' names get
COLOURS = 6  # lines that stand out; the others stay grey until pointed at


@dataclass(frozen=True)
class Bar:
    """One day's bar, upwards from the chart's lower edge; a day that lacks a value has none."""

    day: date
    words: str
    x: float
    width: float
    y: float
    height: float


@dataclass(frozen=True)
class BarChart:
    title: str
    newest: str
    most: str
    bars: list[Bar]


def bar_chart(title: str, values: dict[date, float | None], last: date, days: int, pattern: str) -> BarChart:
    """A bar a day, oldest first, of the `days` up to `last`; `pattern` formats a value, as `{:,}` does."""
    every = [last - timedelta(days=age) for age in reversed(range(days))]
    most = max((value for value in values.values() if value), default=0)
    step = 100 / days

    def bar(place: int, day: date) -> Bar:
        value = values.get(day)
        height = 100 * value / most if value else 0
        words = in_words(value) if day in values else "not published"
        return Bar(day, words, place * step + step * 0.12, step * 0.76, 100 - height, height)

    def in_words(value: float | None) -> str:
        return "not known" if value is None else pattern.format(value)

    newest = next((values[day] for day in reversed(every) if day in values), None)
    return BarChart(title, in_words(newest), pattern.format(most), [bar(*each) for each in enumerate(every)])


@dataclass(frozen=True)
class Dot:
    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Segment:
    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True)
class RankLine:
    """A product's way through the days; a day without it leaves a gap."""

    product_id: str
    colour: int | None
    dots: list[Dot]
    segments: list[Segment]
    label: tuple[float, float]


@dataclass(frozen=True)
class RankChart:
    """`days` and `ranks` carry their places on the two axes."""

    days: list[tuple[float, date]]
    ranks: list[tuple[float, int]]
    lines: list[RankLine]
    rows: int


def rank_chart(lists: Sequence[tuple[date, Sequence[str]]]) -> RankChart:
    """Draw how the products of the last day's list ranked on each day; `lists` are days with products, best first."""
    rows = max((len(products) for _, products in lists), default=0)
    columns = max(len(lists) - 1, 1)
    xs = [5 + (93 - LABELS) * column / columns for column in range(len(lists))]

    def y(rank: int) -> float:
        return 100 * (rank - 0.5) / rows

    def line(rank: int, product: str) -> RankLine:
        ranks = [products.index(product) + 1 if product in products else None for _, products in lists]
        places = [None if each is None else (x, y(each)) for x, each in zip(xs, ranks, strict=True)]
        dots = [
            Dot(*place, f"{product}: rank {each} on {day}")
            for place, each, (day, _) in zip(places, ranks, lists, strict=True)
            if place is not None
        ]
        segments = [Segment(*a, *b) for a, b in pairwise(places) if a and b]
        return RankLine(product, rank if rank <= COLOURS else None, dots, segments, (101 - LABELS, y(rank)))

    days = [(x, day) for x, (day, _) in zip(xs, lists, strict=True)]
    lines = [line(rank, product) for rank, product in enumerate(lists[-1][1], start=1)] if lists else []
    return RankChart(days, [(y(rank), rank) for rank in range(1, rows + 1)], lines[::-1], rows)
