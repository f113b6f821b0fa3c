"""The ledger: one row of the table `run` for each attempt at a day."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import Any, NamedTuple

from psycopg2.errors import LockNotAvailable
from psycopg2.extras import Json

from spark_jobs.failures import clean_text
from spark_jobs.warehouse.connection import CONNECTION_LOST, Connection
from spark_jobs.warehouse.lists import RUN_TABLES, delete_rows_in
from spark_jobs.warehouse.locks import lock_publishing


class PreviousRun(NamedTuple):
    """A day's newest run that has ended, and what it read."""

    run: int
    state: str
    inputs: dict[str, Any]
    parameters: dict[str, Any]


class PreparedRun(NamedTuple):
    """A run whose `prepare` step is done and whose `publish` step is not. Between steps no process locks its day."""

    run: int
    parameters: dict[str, Any]
    inputs: dict[str, Any]
    counts: dict[str, Any]
    active: list[str]
    """The active advertisers."""
    hidden: list[tuple[str, str]]
    """The hidden products: (advertiser_id, product_id)."""


class RunningRun(NamedTuple):
    """A run that the ledger says is running; its process may be dead."""

    run: int
    day: date
    is_prepared: bool


def open_runs(
    connection: Connection, days: Sequence[date], code_version: str, spark_version: str, parameters: Mapping[str, Any]
) -> dict[date, int]:
    """Insert a new run of each day, oldest first; return their ids by day."""
    rows = connection.query(
        "insert into run (day, state, started_at, code_version, spark_version, parameters, counts, message)"
        " select day, 'running', now(), %s, %s, %s, '{}', '' from unnest(%s::date[]) as day order by day"
        " returning day, id",
        code_version,
        spark_version,
        Json(parameters),
        list(days),
    )
    return dict(rows)


def record_inputs(connection: Connection, run: int, inputs: dict[str, Any]) -> None:
    """Store what the run reads."""
    connection.query("update run set inputs = %s where id = %s", Json(inputs), run)


def record_stage(connection: Connection, runs: Sequence[int], stage: str, seconds: float) -> None:
    """Append a finished stage to the runs' stages."""
    connection.query(
        "update run set stages = stages || %s::jsonb where id = any(%s)",
        Json([{"stage": stage, "seconds": round(seconds, 1)}]),
        list(runs),
    )


def close_runs(
    connection: Connection, runs: Mapping[int, Mapping[str, Any]], state: str, message: str
) -> dict[int, str]:
    """End those of the runs that are still running, given with their counts; return the state that each run has now.

    The rows of failed runs are deleted, unless somebody locks their tables: then the day's next run deletes them. Rows of
    refused runs stay for inspection. If the connection is lost, a new one is tried; if that fails as well, the day's
    next run finds that this one is dead.
    """
    states = dict.fromkeys(runs, state)
    for connect in (lambda: None, connection.reconnect):
        with suppress(*CONNECTION_LOST):
            connect()
            with connection.transaction() as execute:
                states = {run: _close_run(execute, run, state, message, counts) for run, counts in runs.items()}
            if failed := [run for run in runs if states[run] == "failed"]:
                with suppress(LockNotAvailable), connection.transaction() as execute:
                    execute("set local lock_timeout = '2s'")  # after a SIGTERM we must end soon
                    delete_rows_in(execute, failed)
            break
    return states


def _close_run(execute: Callable[..., Any], run: int, state: str, message: str, counts: Mapping[str, Any]) -> str:
    [(current_state,)] = execute("select state from run where id = %s for update", run).fetchall()
    if current_state != "running":
        return current_state
    execute(
        "update run set state = %s, message = %s, finished_at = now(), counts = %s, inputs = inputs - 'prepared'"
        " where id = %s",
        *(state, clean_text(message), Json(counts), run),
    )
    return state


def delete_rows_of_failed_runs(connection: Connection, days: Sequence[date]) -> None:
    """Delete the rows that failed runs of the days still have."""
    with connection.transaction() as execute:
        for table in RUN_TABLES:
            execute(
                f"delete from {table} where run_id in (select id from run where day = any(%s) and state = 'failed')",
                list(days),
            )


def forget_run(connection: Connection, run: int) -> None:
    """Delete a run and its rows, for example after a dry run."""
    with connection.transaction() as execute:
        delete_rows_in(execute, [run])
        execute("delete from run where id = %s", run)


def mark_prepared(
    connection: Connection, run: int, counts: dict[str, Any], active: Sequence[str], hidden: Sequence[tuple[Any, ...]]
) -> None:
    """Leave the run to its next steps, with the counts, active advertisers and hidden products that they must agree on."""
    connection.query(
        "update run set counts = %s, inputs = inputs || %s::jsonb where id = %s",
        Json(counts),
        Json({"prepared": {"active": list(active), "hidden": list(hidden)}}),
        run,
    )


def read_prepared_run(connection: Connection, day: date) -> PreparedRun | None:
    """Return the day's prepared run, if there is one."""
    rows = connection.query(
        "select id, parameters, inputs, counts from run where day = %s and state = 'running' and inputs ? 'prepared'"
        " order by id desc limit 1",
        day,
    )
    for run, parameters, inputs, counts in rows:
        prepared = inputs.pop("prepared")
        hidden = [(advertiser, product) for advertiser, product in prepared["hidden"]]
        return PreparedRun(run, parameters, inputs, counts, prepared["active"], hidden)
    return None


def read_running_runs(connection: Connection, days: Sequence[date]) -> list[RunningRun]:
    """Return the days' runs that say they are running."""
    rows = connection.query(
        "select id, day, coalesce(inputs ? 'prepared', false) from run where day = any(%s) and state = 'running'",
        list(days),
    )
    return [RunningRun(*row) for row in rows]


def read_days_of_running_runs(connection: Connection) -> list[date]:
    """Return the days that have a run that says it is running, oldest first."""
    return [day for (day,) in connection.query("select distinct day from run where state = 'running' order by day")]


def read_missing_days(connection: Connection, first: date, last: date) -> list[date]:
    """Return the days since the first published one that have no finished run, oldest first.

    Published and refused runs are finished. A failed run is not, and neither is one whose process died.
    """
    [(first_published,)] = connection.query("select min(day) from run where state = 'published'")
    finished = connection.query(
        "select day from run where day between %s and %s and state in ('published', 'superseded', 'refused')",
        first,
        last,
    )
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in days if first_published and day > first_published and (day,) not in finished]


def read_previous_runs(connection: Connection, first: date, last: date) -> dict[date, PreviousRun]:
    """Return by day the newest run that has ended, in whatever state."""
    rows = connection.query(
        "select distinct on (day) day, id, state, inputs, parameters from run"
        " where day between %s and %s and state <> 'running' order by day, id desc",
        first,
        last,
    )
    return {day: PreviousRun(*columns) for day, *columns in rows}


def read_newest_run(connection: Connection, day: date) -> tuple[int, str] | None:
    """Return the day's newest run and its state, if there is one."""
    rows = connection.query("select id, state from run where day = %s order by id desc limit 1", day)
    return next(iter(rows), None)


def read_published_runs(connection: Connection, first: date, last: date) -> dict[date, int]:
    """Return by day the runs that readers see."""
    return dict(
        connection.query("select day, id from run where day between %s and %s and state = 'published'", first, last)
    )


def read_history(connection: Connection, run: int) -> dict[date, int]:
    """Return by day the earlier runs whose daily counts the run read."""
    [(history,)] = connection.query("select coalesce(inputs -> 'lake', '{}') from run where id = %s", run)
    return {date.fromisoformat(day): run_of_day for day, run_of_day in history.items()}


def mark_final(connection: Connection, newest: date) -> None:
    """Mark the published days up to `newest` as final: no later run checks them for late events."""
    with connection.transaction() as execute:
        lock_publishing(execute)
        execute("update run set final = true where state = 'published' and not final and day <= %s", newest)


def read_pruned_runs(connection: Connection) -> list[tuple[Any, ...]]:
    """Return (run, day) of the pruned runs that still have folders in the lake."""
    return connection.query(
        "select id, day from run where pruned_at is not null and lake_pruned_at is null order by id"
    )


def mark_lake_pruned(connection: Connection, run: int) -> None:
    connection.query("update run set lake_pruned_at = now() where id = %s", run)
