"""Advisory locks, which the batch takes too: on a day, and on publishing. Take the day's first."""

from datetime import date

from django.db import connection

from webapp.rankings.models import Run

# First key of the batch's advisory locks, "VITR" in ASCII; the second key is the day's ordinal.
LOCK_CLASS = 0x56495452
PUBLISHING = 0


class DayIsHeld(Exception):
    """Another process holds the lock on the day. The message names its run."""


def lock_publishing() -> None:
    """Wait until no other transaction publishes or rolls back, and make others wait until this one ends.

    Without it, two of them can each lock an advertiser that the other needs, which PostgreSQL ends as a deadlock.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_CLASS, PUBLISHING])


def lock_day(day: date) -> None:
    """Lock the day until the transaction ends. DayIsHeld, without waiting, if another process holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCK_CLASS, day.toordinal()])
        (held,) = cursor.fetchone()
    if not held:
        running = Run.objects.on(day).filter(state=Run.State.RUNNING)
        runs = "; ".join(f"run {run.pk}, started {run.started_at:%Y-%m-%d %H:%M:%S} UTC" for run in running)
        raise DayIsHeld(f"{day} is locked by {runs or 'a new run or another command'}; try again when it has finished.")
