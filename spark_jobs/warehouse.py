"""PostgreSQL: the ledger of runs, the day's lock, the append over JDBC and the publishing transaction.

Django's migrations own the tables; this file fills them by column name, and is the only code of the batch that does.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from typing import Any, NamedTuple

from psycopg2.errors import LockNotAvailable
from psycopg2.extras import Json
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_jobs.connection import CONNECTION_LOST, JDBC_PATIENCE, Connection
from spark_jobs.models import LIST_TABLES, MODELS, WINDOW_TABLES
from spark_jobs.settings import Database

# The first key of our advisory locks, "VITR" in ASCII; the second is the day's ordinal.
LOCK_CLASS = 0x56495452
RUN_TABLES = (*LIST_TABLES, "advertiser_counts")
"""Everything that a run has rows in."""


class DayIsHeld(Exception):
    """Another run is at work on the day."""


class Look(NamedTuple):
    """What a run read of its day."""

    run: int
    state: str
    inputs: dict[str, Any]
    parameters: dict[str, Any]


class HandedOn(NamedTuple):
    """A run whose first step is done and whose last is not: between steps nobody holds its day."""

    run: int
    parameters: dict[str, Any]
    inputs: dict[str, Any]
    counts: dict[str, Any]
    """Its numbers; without what is handed on, which is the two that follow."""
    active: list[str]
    hidden: list[tuple[str, str]]


class NotMigrated(Exception):
    """The database lacks the tables that Django's migrations make."""


class Warehouse(Connection):
    """One connection, held for the life of the application: the locks on its days live and die with it."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.dead_runs: list[tuple[date, int]] = []
        """(day, run) of the runs whose processes were found dead: what they left outside PostgreSQL may go."""
        tables = ["run", *RUN_TABLES]
        for (table,) in self.query(
            "select t from unnest(%s::text[]) as t where to_regclass(t) is null limit 1", tables
        ):
            raise NotMigrated(
                f"database {database.name} has no table {table}; `python manage.py migrate` makes the tables"
            )

    def hold(self, days: Sequence[date], anew: bool = True) -> None:
        """Lock the days; DayIsHeld, naming the run, if another process has one of them.

        With `anew`, a run of theirs that was handed on is given up; without, its day counts as held.
        """
        for day in days:
            if not self.try_hold(day, anew):
                raise self._held(day)

    def try_hold(self, day: date, anew: bool = False) -> bool:
        """Lock the day and return True, or return False where another process has it.

        A run that says `running` of a day nobody else holds is a dead one's, unless it was handed on: it is marked failed
        and remembered in `dead_runs`. Rows of failed runs go: a dying Spark may have committed some after the run was
        marked.
        """
        if not self._try_lock("", LOCK_CLASS, day):
            return False
        handed_on = self.handed_on(day)
        if handed_on and not anew:
            self.query("select pg_advisory_unlock(%s, %s)", LOCK_CLASS, day.toordinal())
            return False
        for (run,) in self.query("select id from run where day = %s and state = 'running'", day):
            is_given_up = handed_on is not None and run == handed_on.run
            why = (
                "given up between two steps: the day was begun anew"
                if is_given_up
                else "its process ended without a word"
            )
            self.close_runs({run: {}}, "failed", why)
            self.dead_runs.append((day, run))
        with self.transaction() as execute:
            for table in RUN_TABLES:
                execute(
                    f"delete from {table} where run_id in (select id from run where day = %s and state = 'failed')",
                    day,
                )
        return True

    def hold_as_it_is(self, day: date) -> None:
        """Lock the day for the last step of a run; DayIsHeld if another process has it, a step of the same run included."""
        if not self._try_lock("", LOCK_CLASS, day):
            raise self._held(day)

    def hold_table(self, table: str, day: date) -> None:
        """Lock one table of the day for a step: no whole run of the day begins meanwhile, and steps of other tables may.

        DayIsHeld if a whole run, or a step of the same table, is at work.
        """
        of_table = LOCK_CLASS + 1 + LIST_TABLES.index(table)
        if not (self._try_lock("_shared", LOCK_CLASS, day) and self._try_lock("", of_table, day)):
            raise self._held(day)

    def handed_on(self, day: date) -> HandedOn | None:
        """Return the run of the day that waits for its next step, if there is one."""
        rows = self.query(
            "select id, parameters, inputs, counts from run where day = %s and state = 'running' and counts ? 'handed_on'"
            " order by id desc limit 1",
            day,
        )
        for run, parameters, inputs, counts in rows:
            mark = counts.pop("handed_on")
            hidden = [(advertiser, product) for advertiser, product in mark["hidden"]]
            return HandedOn(run, parameters, inputs, counts, mark["active"], hidden)
        return None

    def hand_on(
        self, run: int, counts: dict[str, Any], active: Sequence[str], hidden: Sequence[tuple[Any, ...]]
    ) -> None:
        """Leave the run to its next steps, with its numbers and who is active and what hidden, so that all of them agree."""
        mark = {"handed_on": {"active": list(active), "hidden": [list(pair) for pair in hidden]}}
        self.query("update run set counts = %s where id = %s", Json(counts | mark), run)

    def newest_run(self, day: date) -> tuple[int, str] | None:
        """Return the day's newest run and its state, if it has one."""
        rows = self.query("select id, state from run where day = %s order by id desc limit 1", day)
        return next(iter(rows), None)

    def open_runs(
        self, days: Sequence[date], code_version: str, spark_version: str, parameters: Mapping[str, Any]
    ) -> dict[date, int]:
        """Enter a new run of each day into the ledger, the oldest first; return their ids by day."""
        rows = self.query(
            "insert into run (day, state, started_at, code_version, spark_version, parameters, counts, message)"
            " select day, 'running', now(), %s, %s, %s, '{}', '' from unnest(%s::date[]) as day order by day"
            " returning day, id",
            code_version,
            spark_version,
            Json(parameters),
            list(days),
        )
        return dict(rows)

    def last_looks(self, first: date, last: date) -> dict[date, Look]:
        """Return by day the newest run that has ended, whatever became of it since."""
        rows = self.query(
            "select distinct on (day) day, id, state, inputs, parameters from run"
            " where day between %s and %s and state <> 'running' order by day, id desc",
            first,
            last,
        )
        return {day: Look(*columns) for day, *columns in rows}

    def note_inputs(self, run: int, inputs: dict[str, Any]) -> None:
        """Keep in the ledger what the run read."""
        self.query("update run set inputs = %s where id = %s", Json(inputs), run)

    def mark_final(self, newest: date) -> None:
        """Say of the published days up to `newest` that no night looks back at them any more."""
        self.query("update run set final = true where state = 'published' and not final and day <= %s", newest)

    def hidden_products(self) -> list[tuple[Any, ...]]:
        """Return what people have hidden as of today (UTC): (advertiser_id, product_id)."""
        return self.query(
            "select distinct advertiser_id, product_id from hidden_product"
            " where unhidden_at is null and until >= (now() at time zone 'utc')::date"
        )

    def append(self, rows: DataFrame, table: str, runs: Mapping[date, int]) -> None:
        """Append rows over JDBC, each stamped with the run of its `date`; nobody reads them before the flip."""
        run_of = F.create_map(*[F.lit(each) for of_day in runs.items() for each in of_day])
        stamped = rows.withColumn("run_id", run_of[F.col("date")].cast("bigint"))
        # A ranking is at most 20 rows an advertiser; one writer is one transaction, and opens one connection.
        stamped.coalesce(1).write.jdbc(
            self.database.jdbc_url,
            table,
            mode="append",
            properties={
                **JDBC_PATIENCE,
                "reWriteBatchedInserts": "true",
                "batchsize": "5000",
                **self.database.jdbc_properties,
            },
        )

    def publish(self, run: int, day: date, counts: dict[str, Any], active: Sequence[str]) -> None:
        """In one transaction: flip the day to this run, and let the advertisers follow its active list.

        The list of a day in the past never takes back what a later published day said of who is active.
        """
        with self.transaction() as execute:
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

    def close_runs(self, runs: Mapping[int, Mapping[str, Any]], state: str, message: str) -> dict[int, str]:
        """End those of the runs, given with their numbers, that are still running, and say why; return the states of all now.

        Failed runs' rows go, if nobody holds their tables, or else with the next run of the day; a refused one's stay to
        be looked at. Where the connection is lost, another is tried; where that fails too, the next run of the day sees
        that this one is dead.
        """
        states = dict.fromkeys(runs, state)
        for connect in (lambda: None, self.connect):
            with suppress(*CONNECTION_LOST):
                connect()
                with self.transaction() as execute:
                    states = {run: self._close_run(execute, run, state, message, runs[run]) for run in runs}
                if failed := [run for run in runs if states[run] == "failed"]:
                    with suppress(LockNotAvailable), self.transaction() as execute:
                        execute("set local lock_timeout = '2s'")  # whoever sent a SIGTERM waits for us
                        for run in failed:
                            self._delete_rows(execute, run)
                break
        return states

    def forget_run(self, run: int) -> None:
        """Remove a run and its rows, as after a dry run."""
        with self.transaction() as execute:
            self._delete_rows(execute, run)
            execute("delete from run where id = %s", run)

    def delete_rows(self, runs: Sequence[int], tables: Sequence[str] = RUN_TABLES) -> None:
        """Remove what the runs have in the tables."""
        with self.transaction() as execute:
            for run in runs:
                self._delete_rows(execute, run, tables)

    def findings(self, table: str, run: int, day: date, ranked: int, top: int, active: Sequence[str]) -> list[str]:
        """Audit a run's rows in one ranking; return a sentence for each thing that is wrong."""
        a_list = "advertiser_id, days" if table in WINDOW_TABLES else "advertiser_id"
        may_be_empty = table in MODELS and not MODELS[table].is_lasting
        [(rows, other_days, inactive, gaps)] = self.query(
            f"select count(*), count(*) filter (where date <> %s),"
            f" count(*) filter (where advertiser_id not in (select unnest(%s::text[]))),"
            f" (select count(*) from (select 1 from {table} where run_id = %s group by {a_list}"
            f"   having min(rank) <> 1 or max(rank) <> count(*) or count(*) > %s) as broken)"
            f" from {table} where run_id = %s",
            *(day, list(active), run, top, run),
        )
        checks = {
            f"{table} has no rows": rows == 0 and not may_be_empty,
            f"{table} has {rows} rows and {ranked} were ranked": rows != ranked,
            f"{table} has {other_days} rows of another day": other_days > 0,
            f"{table} has {inactive} rows of advertisers who are not active": inactive > 0,
            f"{table} has {gaps} lists whose ranks do not run from 1 to at most {top}": gaps > 0,
        }
        return [finding for finding, is_wrong in checks.items() if is_wrong]

    def usual_events(self, day: date) -> int | None:
        """Return the median number of counted events of the last seven published days before `day`, if there are any."""
        [(median,)] = self.query(
            "select percentile_disc(0.5) within group (order by events) from ("
            " select (counts->>'events')::bigint as events from run"
            " where state = 'published' and day < %s order by day desc limit 7) as week",
            day,
        )
        return median

    def published_runs(self, first: date, last: date) -> dict[date, int]:
        """Return the runs that readers see, by day."""
        return dict(
            self.query("select day, id from run where day between %s and %s and state = 'published'", first, last)
        )

    def published_run(self, day: date) -> int | None:
        """Return the run that readers see for `day`, if there is one."""
        return self.published_runs(day, day).get(day)

    def past_of(self, run: int) -> dict[date, int]:
        """Return, by day, the runs whose counts the run took for its past."""
        [(past,)] = self.query("select coalesce(inputs -> 'lake', '{}') from run where id = %s", run)
        return {date.fromisoformat(day): of_day for day, of_day in past.items()}

    def scorecards(self, run: int, listed_by: int) -> dict[str, dict[str, int]]:
        """Hold the lists of the day before, of the run `listed_by`, against the day that `run` counted.

        Returns by model the impressions and clicks of the listed products, and those of all other products of the same
        advertisers.
        """
        joins, sums = "", []
        for table in MODELS:
            joins += (
                f" left join (select advertiser_id, product_id from {table} where run_id = %s) as {table}"
                " using (advertiser_id, product_id)"
            )
            of_listed = f"{table}.product_id is not null"
            of_others = (
                f"{table}.product_id is null and advertiser_id in (select advertiser_id from {table} where run_id = %s)"
            )
            for rows in (of_listed, of_others):
                sums += [f"coalesce(sum({column}) filter (where {rows}), 0)::bigint" for column in ("shown", "clicks")]
        [numbers] = self.query(
            "with products as materialized ("
            "  select advertiser_id, product_id, (numbers -> 1)::bigint as shown, (numbers -> 2)::bigint as clicks"
            "  from advertiser_counts cross join jsonb_each(products::jsonb) as product(product_id, numbers)"
            "  where run_id = %s"
            f") select {', '.join(sums)} from products{joins}",
            *(run, *[listed_by] * (3 * len(MODELS))),
        )
        names = ("impressions", "clicks", "other_impressions", "other_clicks")
        return {table: dict(zip(names, numbers[4 * n : 4 * n + 4], strict=True)) for n, table in enumerate(MODELS)}

    def lists(self, table: str, run: int, scores: Sequence[str]) -> list[tuple[Any, ...]]:
        """Return a run's rows in one ranking, each list best first: (advertiser_id, product_id, *scores)."""
        as_read = {"score": "coalesce(score, ctr)"} if table == "top_ctr" else {}  # older rows have no score
        columns = [as_read.get(score, score) for score in scores]
        return self.query(
            f"select advertiser_id, product_id, {', '.join(columns)} from {table} where run_id = %s"
            " order by advertiser_id, rank",
            run,
        )

    def changes(self, run: int, published: int | None) -> dict[str, dict[str, int]]:
        """Hold a run's lists against the published one's.

        Returns by ranking how many products entered, left and moved, and under "advertisers" the ten whose lists change
        most, with how many products that is.
        """
        changed = {
            table: f"(select advertiser_id, product_id, old.rank as old, new.rank as new"
            f" from (select * from {table} where run_id = %s) as old full join (select * from {table} where run_id = %s)"
            f" as new using (advertiser_id, product_id) where old.rank is distinct from new.rank) as {table}"
            for table in MODELS
        }
        counts = {}
        for table, rows in changed.items():
            [numbers] = self.query(
                "select count(*) filter (where old is null), count(*) filter (where new is null),"
                f" count(*) filter (where old <> new) from {rows}",
                *(published, run),
            )
            counts[table] = dict(zip(("entered", "left", "moved"), numbers, strict=True))
        both = " union all ".join(f"select advertiser_id from {rows}" for rows in changed.values())
        most = self.query(
            f"select advertiser_id, count(*) from ({both}) as changed group by 1 order by 2 desc, 1 limit 10",
            *(published, run) * len(changed),
        )
        return {**counts, "advertisers": dict(most)}

    def _close_run(self, execute: Any, run: int, state: str, message: str, counts: Mapping[str, Any]) -> str:
        [(now,)] = execute("select state from run where id = %s for update", run).fetchall()
        if now != "running":
            return now
        execute(
            "update run set state = %s, message = %s, finished_at = now(), counts = %s where id = %s",
            *(state, message[:2000], Json(counts), run),
        )
        return state

    def _try_lock(self, kind: str, lock_class: int, day: date) -> bool:
        [(held,)] = self.query(f"select pg_try_advisory_lock{kind}(%s, %s)", lock_class, day.toordinal())
        return held

    def _held(self, day: date) -> DayIsHeld:
        running = self.query("select id, started_at from run where day = %s and state = 'running'", day)
        who = "; ".join(f"run {run}, started {at:%Y-%m-%d %H:%M:%S %Z}" for run, at in running) or "a new run"
        return DayIsHeld(f"another run holds {day} ({who}); wait for it, or stop it")

    def _delete_rows(self, execute: Any, run: int, tables: Sequence[str] = RUN_TABLES) -> None:
        for table in tables:
            execute(f"delete from {table} where run_id = %s", run)
