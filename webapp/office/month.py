"""The last 30 days in three charts and a table: two thirds of what the home page takes, so remembered as they are drawn."""

from datetime import date
from typing import Any

from django.template.loader import render_to_string

from webapp.office.charts import bar_chart
from webapp.rankings import freshness
from webapp.rankings.memory import kept_figures
from webapp.rankings.models import Run

DAYS = 30

Numbers = tuple[tuple[date, tuple[float | None, ...]], ...]
"""Of each published day, oldest first: its events, rejected share and click-through rate, None where the run kept none."""


def month_until(run: Run) -> Numbers:
    """What the published runs of the last 30 days up to `run` counted."""
    first = run.day - (DAYS - 1) * freshness.A_DAY
    counts = Run.objects.published().between(first, run.day).order_by("day").values_list("day", "counts")
    return tuple((day, (each.get("events"), rejected_share(each), click_rate(each))) for day, each in counts)


def drawn(numbers: Numbers, last: date) -> str:
    """The charts and the table as HTML; a day that is not published has no bar."""
    return kept_figures(("month", numbers, last), lambda: render_to_string("office/month.html", drawing(numbers, last)))


def drawing(numbers: Numbers, last: date) -> dict[str, Any]:
    patterns = {"Events": "{:,}", "Rejected lines": "{:.2%}", "Click-through rate": "{:.2%}"}
    charts = [
        bar_chart(title, {day: values[place] for day, values in numbers}, last, DAYS, pattern)
        for place, (title, pattern) in enumerate(patterns.items())
    ]
    days = reversed(list(zip(*(chart.bars for chart in charts), strict=True)))
    rows = [{"day": bars[0].day, "words": [bar.words for bar in bars]} for bars in days]
    return {"charts": charts, "rows": rows}


def rejected_share(counts: dict[str, Any]) -> float | None:
    """Of all lines that were read, those that were rejected."""
    rejected, read = (sum((counts.get(name) or {}).values()) for name in ("rejected", "read"))
    return share(rejected, read)


def click_rate(counts: dict[str, Any]) -> float | None:
    return share(counts.get("clicks"), counts.get("impressions"))


def share(part: int | None, whole: int | None) -> float | None:
    return None if part is None or not whole else part / whole
