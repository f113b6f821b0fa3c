"""The home page's charts of the last days, each with a table behind it, cached as HTML because they are slow to render."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.template.loader import render_to_string

from webapp.backoffice.charts import LineChart, bar_chart, line_chart
from webapp.lists.response_cache import cached_figures
from webapp.lists.scorecards import Scorecard, load_scorecards, share
from webapp.operations import freshness
from webapp.rankings.models import Run

DAYS = 30
SCORECARD_DAYS = 14
# Titles of the charts and formats of their values, in the order of a day's figures.
CHARTS = {"Events": "{:,}", "Rejected rows": "{:.2%}", "Click-through rate": "{:.2%}"}

DailyFigures = tuple[tuple[date, tuple[float | None, ...]], ...]
DailyScorecards = tuple[tuple[date, tuple[Scorecard, ...]], ...]


def load_month(run: Run) -> list[Run]:
    """The published runs of the last 30 days up to the run's, oldest first, with nothing but day and counts."""
    first = run.day - (DAYS - 1) * freshness.A_DAY
    return list(Run.objects.published().between(first, run.day).oldest_first().only("day", "counts"))


def daily_figures(runs: Sequence[Run]) -> DailyFigures:
    """Events, rejected share and click rate by day; None where a run has no count."""
    return tuple(
        (run.day, (run.counts.get("events"), rejected_share(run.counts), click_rate(run.counts))) for run in runs
    )


def render_month(runs: Sequence[Run], last: date) -> str:
    figures = daily_figures(runs)
    first = last - (SCORECARD_DAYS - 1) * freshness.A_DAY
    scorecards = tuple((run.day, tuple(load_scorecards(run))) for run in runs if run.day >= first)
    return cached_figures(
        ("month", figures, scorecards, last),
        lambda: render_to_string(
            "backoffice/month.html", month_context(figures, last) | {"scorecards": scorecard_charts(scorecards, last)}
        ),
    )


def month_context(figures: DailyFigures, last: date) -> dict[str, Any]:
    charts = [
        bar_chart(title, {day: values[position] for day, values in figures}, last, DAYS, pattern)
        for position, (title, pattern) in enumerate(CHARTS.items())
    ]
    days = reversed(list(zip(*(chart.bars for chart in charts), strict=True)))
    rows = [{"day": bars[0].day, "values": [bar.text for bar in bars]} for bars in days]
    return {"charts": charts, "rows": rows}


def scorecard_charts(scorecards: DailyScorecards, last: date) -> list[tuple[LineChart, list[tuple[date, Scorecard]]]]:
    """For each model a chart of how its lists did, and the scorecards behind it, newest first."""
    by_model: dict[str, dict[date, Scorecard]] = {}
    for day, cards in scorecards:
        for card in cards:
            by_model.setdefault(card.model, {})[day] = card
    charts = []
    for model, by_day in by_model.items():
        listed = {day: card.ctr for day, card in by_day.items()}
        others = {day: card.other_ctr for day, card in by_day.items()}
        chart = line_chart(model, {"listed products": listed, "other products": others}, last, SCORECARD_DAYS)
        charts.append((chart, list(reversed(by_day.items()))))
    return charts


def rejected_share(counts: dict[str, Any]) -> float | None:
    """The share of the rows read that were rejected."""
    rejected, read = (sum((counts.get(name) or {}).values()) for name in ("rejected", "read"))
    return share(rejected, read)


def click_rate(counts: dict[str, Any]) -> float | None:
    return share(counts.get("clicks"), counts.get("impressions"))
