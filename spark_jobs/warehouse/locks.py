"""Advisory locks: a run holds its day's lock while its process lives, so a free lock means that its process is dead.

Every transaction that locks several rows of published runs or of advertisers takes the lock of publishing first, so that two
of them never wait for each other. The web app does the same.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

from spark_jobs.ranking.registry import LIST_TABLES
from spark_jobs.warehouse.connection import Connection

LOCK_CLASS = 0x56495452  # "VITR" in ASCII: the first key of our locks; the second is the day's ordinal
PUBLISHING = 0  # the second key of the lock of publishing; no day has this ordinal


class DayIsHeld(Exception):
    """Another run is at work on the day."""


def lock_day(connection: Connection, day: date) -> None:
    """Lock the day; DayIsHeld, naming the run, if another process holds it."""
    if not try_to_lock_day(connection, day):
        raise day_is_held(connection, day)


def try_to_lock_day(connection: Connection, day: date) -> bool:
    """Lock the day and return True, or return False if another process holds it."""
    return _try_to_lock(connection, "pg_try_advisory_lock", LOCK_CLASS, day)


def unlock_day(connection: Connection, day: date) -> None:
    connection.query("select pg_advisory_unlock(%s, %s)", LOCK_CLASS, day.toordinal())


def lock_publishing(execute: Callable[..., Any]) -> None:
    """Wait until no other transaction publishes, and make others wait until this one ends."""
    execute("select pg_advisory_xact_lock(%s, %s)", LOCK_CLASS, PUBLISHING)


def lock_table(connection: Connection, table: str, day: date) -> None:
    """Lock one table of the day: a run of the whole day cannot begin meanwhile, but steps of other tables can.

    DayIsHeld if a run of the whole day, or a step of the same table, is at work.
    """
    class_of_table = LOCK_CLASS + 1 + LIST_TABLES.index(table)
    if not (
        _try_to_lock(connection, "pg_try_advisory_lock_shared", LOCK_CLASS, day)
        and _try_to_lock(connection, "pg_try_advisory_lock", class_of_table, day)
    ):
        raise day_is_held(connection, day)


def day_is_held(connection: Connection, day: date) -> DayIsHeld:
    """Return the error that names the run at work on the day, which it looks up."""
    running = connection.query("select id, started_at from run where day = %s and state = 'running'", day)
    holders = "; ".join(f"run {run}, started {at:%Y-%m-%d %H:%M:%S %Z}" for run, at in running) or "a new run"
    return DayIsHeld(f"another run holds {day} ({holders}); wait for it, or stop it")


def _try_to_lock(connection: Connection, function: str, lock_class: int, day: date) -> bool:
    [(is_locked,)] = connection.query(f"select {function}(%s, %s)", lock_class, day.toordinal())
    return is_locked
