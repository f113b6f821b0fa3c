"""How old a day's lists are. Days begin and end in UTC, and the newest that can be complete is yesterday."""

from datetime import date, time, timedelta

from django.utils import timezone

A_DAY = timedelta(days=1)


def yesterday() -> date:
    return timezone.now().date() - A_DAY


def is_fresh(day: date) -> bool:
    """Whether nothing newer can be expected."""
    return day >= yesterday()


def newest_day_due(deadline: time) -> date:
    """The day that should be out by now: yesterday, or the one before until the deadline (UTC) has passed."""
    return yesterday() if timezone.now().time() >= deadline else yesterday() - A_DAY


def in_words(day: date) -> str:
    """“yesterday”, “3 days ago”."""
    days = (yesterday() + A_DAY - day).days
    return {0: "today", 1: "yesterday"}.get(days, f"{days} days ago" if days > 0 else f"in {-days} days")
