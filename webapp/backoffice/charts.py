"""Chart geometry in percent of the chart's box; the templates draw it as SVG.

It needs no inline style or script, which the Content-Security-Policy forbids, and scales to any width while text keeps
its size.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain, groupby, pairwise

LABEL_WIDTH = 28  # right part of a rank chart, in percent, for the product ids
ROW_HEIGHT = 22  # pixels for the label of a product
COLOURS = 6  # the best products get a colour; the others stay grey


def days_up_to(last: date, days: int) -> list[date]:
    """The `days` up to `last`, oldest first."""
    return [last - timedelta(days=age) for age in reversed(range(days))]


def maximum_of(values: Iterable[float | None]) -> float:
    return max((value for value in values if value), default=0)


@dataclass(frozen=True)
class Bar:
    """One day's bar; its height is 0 if the day has no value."""

    day: date
    text: str
    x: float
    width: float
    y: float
    height: float


@dataclass(frozen=True)
class BarChart:
    title: str
    newest: str
    maximum: str
    bars: list[Bar]


def bar_chart(title: str, values: dict[date, float | None], last: date, days: int, pattern: str) -> BarChart:
    """One bar for each of the `days` up to `last`, oldest first; `pattern` formats a value, such as `{:,}`."""
    all_days, maximum = days_up_to(last, days), maximum_of(values.values())
    step = 100 / days

    def text(value: float | None) -> str:
        return "not known" if value is None else pattern.format(value)

    def bar(position: int, day: date) -> Bar:
        value = values.get(day)
        height = 100 * value / maximum if value else 0
        label = text(value) if day in values else "not published"
        return Bar(day, label, position * step + step * 0.12, step * 0.76, 100 - height, height)

    newest = next((values[day] for day in reversed(all_days) if day in values), None)
    bars = [bar(position, day) for position, day in enumerate(all_days)]
    return BarChart(title, text(newest), pattern.format(maximum), bars)


@dataclass(frozen=True)
class Line:
    """A line of a chart, as the points of SVG polylines; a day without a value starts another polyline."""

    name: str
    newest: float | None
    polylines: list[str]


@dataclass(frozen=True)
class LineChart:
    title: str
    first: date
    last: date
    maximum: float
    lines: list[Line]


def line_chart(title: str, series: dict[str, dict[date, float | None]], last: date, days: int) -> LineChart:
    """One line for each of the series, by name, over the `days` up to `last`; a line's newest value may be older."""
    all_days = days_up_to(last, days)
    maximum = maximum_of(chain.from_iterable(values.values() for values in series.values()))

    def line(name: str, values: dict[date, float | None]) -> Line:
        known = [(x, values.get(day)) for x, day in enumerate(all_days)]
        stretches = [
            list(stretch) for has_value, stretch in groupby(known, lambda each: each[1] is not None) if has_value
        ]
        return Line(name, stretches[-1][-1][1] if stretches else None, [points(stretch) for stretch in stretches])

    def points(stretch: list[tuple[int, float | None]]) -> str:
        """A single day is a line from a point to itself, which is drawn as a dot."""
        return " ".join(
            f"{100 * x / (days - 1):.1f},{100 - 100 * (value or 0) / (maximum or 1):.1f}"
            for x, value in (stretch * 2 if len(stretch) == 1 else stretch)
        )

    return LineChart(title, all_days[0], last, maximum, [line(*each) for each in series.items()])


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
    """A product's ranks over the days; a day without the product leaves a gap."""

    product_id: str
    colour: int | None
    dots: list[Dot]
    segments: list[Segment]
    label: tuple[float, float]


@dataclass(frozen=True)
class RankChart:
    """`days` come with their x coordinates; the height is in pixels."""

    days: list[tuple[float, date]]
    lines: list[RankLine]
    height: int


def rank_chart(lists: Sequence[tuple[date, Sequence[str]]]) -> RankChart:
    """Chart how the products of the last day's list ranked on each day; `lists` are days with products, best first."""
    rows = max((len(products) for _, products in lists), default=0)
    columns = max(len(lists) - 1, 1)
    xs = [5 + (93 - LABEL_WIDTH) * column / columns for column in range(len(lists))]

    def y(rank: int) -> float:
        return 100 * (rank - 0.5) / rows

    def line(last_rank: int, product: str) -> RankLine:
        ranks = [products.index(product) + 1 if product in products else None for _, products in lists]
        points = [None if rank is None else (x, y(rank)) for x, rank in zip(xs, ranks, strict=True)]
        dots = [
            Dot(*point, f"{product}: rank {rank} on {day}")
            for point, rank, (day, _) in zip(points, ranks, lists, strict=True)
            if point is not None
        ]
        segments = [Segment(*start, *end) for start, end in pairwise(points) if start and end]
        colour = last_rank if last_rank <= COLOURS else None
        return RankLine(product, colour, dots, segments, (101 - LABEL_WIDTH, y(last_rank)))

    days = [(x, day) for x, (day, _) in zip(xs, lists, strict=True)]
    lines = [line(rank, product) for rank, product in enumerate(lists[-1][1], start=1)] if lists else []
    return RankChart(days, lines[::-1], rows * ROW_HEIGHT)  # the best product is drawn last, on top
