"""The rows of runs: append them over JDBC, read them, delete them. Readers see them once their run is published."""

from collections.abc import Callable, Sequence
from typing import Any

from pyspark.sql import DataFrame

from spark_jobs.ranking.registry import LIST_TABLES
from spark_jobs.warehouse.connection import JDBC_DEFAULTS, Connection

RUN_TABLES = (*LIST_TABLES, "advertiser_counts")
"""Every table that holds rows of a run."""
JDBC_OPTIONS = {**JDBC_DEFAULTS, "reWriteBatchedInserts": "true", "batchsize": "5000"}
ROWS_PER_TASK = 100_000
MOST_TASKS = 4
"""Of one table at once: each task has one connection and one transaction."""


def append(connection: Connection, rows: DataFrame, table: str, expected: int) -> None:
    """Append rows, whose columns are named as the table's, in one task, or in several if many rows are `expected`.

    A repeated task whose first attempt has committed violates the table's unique constraint; then the run fails.
    """
    database = connection.database
    properties = {**JDBC_OPTIONS, **database.jdbc_properties, **connection.jdbc_protections}
    tasks = min(MOST_TASKS, 1 + expected // ROWS_PER_TASK)
    rows.coalesce(tasks).write.jdbc(database.jdbc_url, table, mode="append", properties=properties)


def read_lists(
    connection: Connection, table: str, run: int, columns: Sequence[str], advertisers: Sequence[str]
) -> list[tuple[Any, ...]]:
    """Return advertisers' lists from one table, each best first: (advertiser_id, rank, product_id, *columns)."""
    if table == "top_ctr":  # rows of older versions have no score; their lists were ordered by ctr
        columns = ["coalesce(score, ctr)" if column == "score" else column for column in columns]
    return connection.query(
        f"select advertiser_id, rank, product_id, {', '.join(columns)} from {table}"
        " where run_id = %s and advertiser_id = any(%s) order by advertiser_id, rank",
        run,
        list(advertisers),
    )


def read_counted_advertisers(connection: Connection, run: int) -> list[str]:
    """Return the active advertisers of which the run counted anything, that day or in its history."""
    rows = connection.query("select distinct advertiser_id from advertiser_counts where run_id = %s", run)
    return [advertiser for (advertiser,) in rows]


def delete_rows(connection: Connection, runs: Sequence[int], tables: Sequence[str] = RUN_TABLES) -> None:
    """Delete the runs' rows from the tables."""
    with connection.transaction() as execute:
        delete_rows_in(execute, runs, tables)


def delete_rows_in(execute: Callable[..., Any], runs: Sequence[int], tables: Sequence[str] = RUN_TABLES) -> None:
    """Delete the runs' rows from the tables, as a part of a transaction."""
    for table in tables:
        execute(f"delete from {table} where run_id = any(%s)", list(runs))
