"""Compare the rows that Vitrina and its peers write to PostgreSQL, and measure how fast COPY writes them."""

import io
import time
from contextlib import closing
from datetime import date
from typing import Any

import psycopg2

from spark_jobs.warehouse import RUN_TABLES

SCORES = {"top_product": "views", "top_ctr": "clicks, impressions, ctr, score"}
COLUMNS = {table: f"date, advertiser_id, product_id, rank, {scores}" for table, scores in SCORES.items()}


class DifferentRows(Exception):
    """A peer's rows differ from Vitrina's, so comparing their times means nothing."""


class Rows:
    """The rankings in one database. Like Vitrina, each peer writes its rows under its own run."""

    def __init__(self, database_url: str) -> None:
        self.url = database_url

    def open_run(self, day: date) -> int:
        """Create a run for a peer. It is `refused`, so readers never see it and the job ignores it."""
        [(run,)] = self._query(
            "insert into run (day, state, started_at, code_version, spark_version, parameters, counts, message)"
            " values (%s, 'refused', now(), '', '', '{}', '{}', 'benchmark') returning id",
            day,
        )
        return run

    def forget_run(self, run: int) -> None:
        """Delete a peer's run and its rows, so that the next peer starts with the same tables."""
        for table in RUN_TABLES:
            self._query(f"delete from {table} where run_id = %s", run)
        self._query("delete from run where id = %s", run)

    def published_run(self, day: date) -> int:
        """Return the id of the day's published run."""
        [(run,)] = self._query("select id from run where day = %s and state = 'published'", day)
        return run

    def same_as_published(self, run: int, day: date) -> None:
        """DifferentRows unless `run` has exactly the rows of the day's published run."""
        published = self.published_run(day)
        for table in SCORES:
            wanted, found = self._rows_of(published, table), self._rows_of(run, table)
            if not wanted:
                raise DifferentRows(f"{table}: Vitrina published no rows for {day}")
            if wanted != found:
                odd = sorted({*wanted} ^ {*found})[0]
                who = "Vitrina" if odd in wanted else "the peer"
                raise DifferentRows(f"{table}: {len(found)} rows, Vitrina has {len(wanted)}; only {who} has {odd}")

    def copy_published(self, day: date) -> tuple[int, float]:
        """Copy the published run's rows to a new run with COPY, delete that run, and return rows and seconds of the COPY."""
        published, run = self.published_run(day), self.open_run(day)
        columns = {table: self._columns_of(table) for table in RUN_TABLES}
        texts = {table: self._copy_text(published, run, table, columns[table]) for table in RUN_TABLES}
        began = time.monotonic()
        with closing(psycopg2.connect(self.url)) as connection, connection, connection.cursor() as cursor:
            rows = 0
            for table, text in texts.items():
                cursor.copy_expert(f"copy {table} (run_id, {columns[table]}) from stdin", text)
                rows += cursor.rowcount
        seconds = time.monotonic() - began
        self.same_as_published(run, day)
        self.forget_run(run)
        return rows, seconds

    def _rows_of(self, run: int, table: str) -> list[tuple[Any, ...]]:
        return self._query(f"select {COLUMNS[table]} from {table} where run_id = %s order by advertiser_id, rank", run)

    def _columns_of(self, table: str) -> str:
        """Return a table's columns, without the ids of row and run."""
        [(columns,)] = self._query(
            "select string_agg(column_name, ', ') from information_schema.columns"
            " where table_name = %s and table_schema = current_schema() and column_name not in ('id', 'run_id')",
            table,
        )
        return str(columns)

    def _copy_text(self, published: int, run: int, table: str, columns: str) -> io.StringIO:
        """Return the published rows in COPY's text format, with the id of another run."""
        text = io.StringIO()
        with closing(psycopg2.connect(self.url)) as connection, connection.cursor() as cursor:
            rows = f"select {run}, {columns} from {table} where run_id = {published} order by id"
            cursor.copy_expert(f"copy ({rows}) to stdout", text)
        text.seek(0)
        return text

    def _query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self.url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []
