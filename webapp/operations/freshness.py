"""How old a day's lists are, and which days have none. Days are UTC, and yesterday is the newest one that can be complete."""

from collections import defaultdict
from datetime import date, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.utils import timezone

from webapp.rankings.models import Run

A_DAY = timedelta(days=1)


def yesterday() -> date:
    return timezone.now().date() - A_DAY


def is_fresh(day: date) -> bool:
    """Whether no newer day can be complete."""
    return day >= yesterday()


def newest_day_due() -> date:
    """The day that should be published by now: yesterday, or the day before yesterday until PUBLISH_DEADLINE (UTC)."""
    return yesterday() if timezone.now().time() >= settings.PUBLISH_DEADLINE else yesterday() - A_DAY


class Gaps(NamedTuple):
    """The days that should be published but are not, oldest first."""

    missing: list[date]
    """No run has finished: none started, or it failed or died. A nightly run processes those of its lookback."""
    refused: list[date]
    """The audit refused them, and nightly runs still publish them if their events come late."""


def load_gaps() -> Gaps:
    """Find the gaps from the first published day to the newest one that is due."""
    states: dict[date, set[str]] = defaultdict(set)
    for day, state in Run.objects.values_list("day", "state").distinct():
        states[day].add(state)
    first = min((day for day in states if Run.State.PUBLISHED in states[day]), default=None)
    gaps = Gaps([], [])
    if first is None:
        return gaps
    due = newest_day_due()
    for day in (first + n * A_DAY for n in range((due - first).days + 1)):
        if not states[day] & Run.FINISHED:
            gaps.missing.append(day)
        elif Run.State.PUBLISHED not in states[day] and day > due - settings.LOOKBACK_DAYS * A_DAY:
            gaps.refused.append(day)
    return gaps


def in_words(day: date) -> str:
    """“yesterday”, “3 days ago”."""
    days = (yesterday() + A_DAY - day).days
    return {0: "today", 1: "yesterday"}.get(days, f"{days} days ago" if days > 0 else f"in {-days} days")


def banner(newest: Run | None) -> dict[str, Any]:
    """What pages say of the newest published run: whether it is fresh or stale, and its age; empty if there is none."""
    if newest is None:
        return {"run": None, "state": "empty"}
    return {
        "run": newest,
        "state": "fresh" if is_fresh(newest.day) else "stale",
        "age": in_words(newest.day),
        "overdue": newest.day < newest_day_due(),
        "yesterday": yesterday(),
        "deadline": settings.PUBLISH_DEADLINE,
    }
