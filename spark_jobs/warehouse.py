"""PostgreSQL: the ledger of runs, the day's lock, the append over JDBC and the publishing transaction.

Django's migrations own the tables; this file fills them by column name, and is the only code of the batch that does.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import psycopg2
from psycopg2.extras import Json
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.settings import Database

# The first key of our advisory locks, "VITR" in ASCII; the second is the day's ordinal.
LOCK_CLASS = 0x56495452
RANKING_TABLES = ("top_product", "top_ctr")


class DayIsHeld(Exception):
    """Another run is at work on the day."""


class NotMigrated(Exception):
    """The database lacks the tables that Django's migrations make."""


class Warehouse:
    """One connection, held for the life of the application: the locks on its days live and die with it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.connection = psycopg2.connect(
            application_name="vitrina nightly",
            connect_timeout=10,
            keepalives_idle=60,
            **database.libpq_parameters,
        )
        self.connection.autocommit = True
        if self._query("select to_regclass('run')") == [(None,)]:
            raise NotMigrated(f"database {database.name} has no table run; `python manage.py migrate` makes the tables")

    def hold(self, days: Sequence[date]) -> None:
        """Lock the days; DayIsHeld, naming the run, if another process has one of them.

        A run that says `running` of a day nobody else holds is a dead one's: it is marked failed, its rows removed.
        """
        for day in days:
            [(held,)] = self._query("select pg_try_advisory_lock(%s, %s)", LOCK_CLASS, day.toordinal())
            running = self._query("select id, started_at from run where day = %s and state = 'running'", day)
            if not held:
                who = "; ".join(f"run {run}, started {at:%Y-%m-%d %H:%M:%S %Z}" for run, at in running) or "a new run"
                raise DayIsHeld(f"another run holds {day} ({who}); wait for it, or stop it")
            for run, _ in running:
                self.close_run(run, "failed", "its process ended without a word")

    def open_run(self, day: date, code_version: str, spark_version: str, parameters: dict[str, Any]) -> int:
        """Enter a new run of `day` into the ledger and return its id."""
        [(run,)] = self._query(
            "insert into run (day, state, started_at, code_version, spark_version, parameters, counts, message)"
            " values (%s, 'running', now(), %s, %s, %s, '{}', '') returning id",
            day,
            code_version,
            spark_version,
            Json(parameters),
        )
        return run

    def append(self, ranked: DataFrame, table: str, day: date, run: int) -> None:
        """Append a ranking's rows over JDBC, stamped with day and run; nobody reads them before the flip."""
        stamped = ranked.withColumns({"run_id": F.lit(run).cast("bigint"), "date": F.lit(day)})
        # A ranking is at most 20 rows an advertiser; one writer is one transaction, and opens one connection.
        stamped.coalesce(1).write.jdbc(
            self.database.jdbc_url,
            table,
            mode="append",
            properties={**self.database.jdbc_properties, "reWriteBatchedInserts": "true", "batchsize": "5000"},
        )

    def publish(self, run: int, day: date, counts: dict[str, Any], active: Sequence[str]) -> None:
        """In one transaction: flip the day to this run, and let the advertisers follow its active list.

        The list of a day in the past never takes back what a later published day said of who is active.
        """
        with self._transaction() as execute:
            execute("update run set state = 'superseded' where day = %s and state = 'published'", day)
            execute(
                "update run set state = 'published', published_at = now(), finished_at = now(), counts = %s"
                " where id = %s",
                Json(counts),
                run,
            )
            execute(
                "insert into advertiser (advertiser_id, active, last_active_on) select unnest(%s::text[]), false, %s"
                " on conflict (advertiser_id) do update"
                " set last_active_on = greatest(advertiser.last_active_on, excluded.last_active_on)",
                list(active),
                day,
            )
            execute(
                "update advertiser set active = not active"
                " where active <> (advertiser_id in (select unnest(%s::text[])))"
                " and not exists (select from run where state = 'published' and day > %s)",
                list(active),
                day,
            )

    def close_run(self, run: int, state: str, message: str, counts: dict[str, Any] | None = None) -> None:
        """End a run that is not published, and say why. A failed run's rows go; a refused one's stay to be looked at."""
        with self._transaction() as execute:
            if state == "failed":
                self._delete_rows(execute, run)
            execute(
                "update run set state = %s, message = %s, finished_at = now(), counts = %s where id = %s",
                state,
                message[:2000],
                Json(counts or {}),
                run,
            )

    def forget_run(self, run: int) -> None:
        """Remove a run and its rows, as after a dry run."""
        with self._transaction() as execute:
            self._delete_rows(execute, run)
            execute("delete from run where id = %s", run)

    def findings(self, table: str, run: int, day: date, ranked: int, top: int, active: Sequence[str]) -> list[str]:
        """Audit a run's rows in one ranking; return a sentence for each thing that is wrong."""
        [(rows, other_days, inactive, gaps)] = self._query(
            f"select count(*), count(*) filter (where date <> %s),"
            f" count(*) filter (where advertiser_id not in (select unnest(%s::text[]))),"
            f" (select count(*) from (select 1 from {table} where run_id = %s group by advertiser_id"
            f"   having min(rank) <> 1 or max(rank) <> count(*) or count(*) > %s) as broken)"
            f" from {table} where run_id = %s",
            *(day, list(active), run, top, run),
        )
        checks = {
            f"{table} has no rows": rows == 0,
            f"{table} has {rows} rows and {ranked} were ranked": rows != ranked,
            f"{table} has {other_days} rows of another day": other_days > 0,
            f"{table} has {inactive} rows of advertisers who are not active": inactive > 0,
            f"{table} has {gaps} lists whose ranks do not run from 1 to at most {top}": gaps > 0,
        }
        return [finding for finding, is_wrong in checks.items() if is_wrong]

    def usual_events(self, day: date) -> int | None:
        """Return the median number of counted events of the last seven published days before `day`, if there are any."""
        [(median,)] = self._query(
            "select percentile_disc(0.5) within group (order by events) from ("
            " select (counts->>'events')::bigint as events from run"
            " where state = 'published' and day < %s order by day desc limit 7) as week",
            day,
        )
        return median

    def close(self) -> None:
        """Close the connection, and with it let go of the days."""
        self.connection.close()

    def _delete_rows(self, execute: Any, run: int) -> None:
        for table in RANKING_TABLES:
            execute(f"delete from {table} where run_id = %s", run)

    def _query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        """Yield a function that executes one statement; commit them all at the end, or none."""
        self.connection.autocommit = False
        try:
            with self.connection, self.connection.cursor() as cursor:
                yield lambda statement, *values: cursor.execute(statement, values)
        finally:
            if not self.connection.closed:
                self.connection.autocommit = True
