"""The lock on a day that every run of the batch holds while it lives, and whoever else changes what the day shows."""

from datetime import date

from django.db import connection

from webapp.rankings.models import Run

# The first key of the batch's advisory locks, "VITR" in ASCII; the second is the day's ordinal.
LOCK_CLASS = 0x56495452


class DayIsHeld(Exception):
    """A run is at work on the day: one sentence that names it."""


def hold(day: date) -> None:
    """Lock the day until the transaction ends; DayIsHeld at once where somebody else has it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCK_CLASS, day.toordinal()])
        (held,) = cursor.fetchone()
    if not held:
        running = Run.objects.on(day).filter(state=Run.State.RUNNING)
        who = "; ".join(f"run {run.pk}, started {run.started_at:%Y-%m-%d %H:%M:%S} UTC" for run in running)
        raise DayIsHeld(f"{day} is being worked on ({who or 'by a new run or another command'}); try again after it.")
