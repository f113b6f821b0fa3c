"""The rows that Vitrina and its peers leave in PostgreSQL: whether they are the same, and how fast COPY writes them."""

import io
import time
from contextlib import closing
from datetime import date
from typing import Any

import psycopg2

from spark_jobs.warehouse import RUN_TABLES

SCORES = {"top_product": "views", "top_ctr": "clicks, impressions, ctr, score"}
COLUMNS = {table: f"date, advertiser_id, product_id, rank, {scores}" for table, scores in SCORES.items()}


class OtherRows(Exception):
    """A peer ranked other products than Vitrina: a comparison of their times would mean nothing."""


class Rows:
    """The rankings of one database. A peer writes its rows under a run of its own, as Vitrina does."""

    def __init__(self, database_url: str) -> None:
        self.url = database_url

    def open_run(self, day: date) -> int:
        """Enter a run for a peer; readers never see it, and Vitrina's job neither reads nor clears it."""
        [(run,)] = self._query(
            "insert into run (day, state, started_at, code_version, spark_version, parameters, counts, message)"
            " values (%s, 'refused', now(), '', '', '{}', '{}', 'benchmark') returning id",
            day,
        )
        return run

    def forget_run(self, run: int) -> None:
        """Remove a peer's run and its rows, so that the next one meets the same tables."""
        for table in RUN_TABLES:
            self._query(f"delete from {table} where run_id = %s", run)
        self._query("delete from run where id = %s", run)

    def published_run(self, day: date) -> int:
        """Return the run that readers of `day` see."""
        [(run,)] = self._query("select id from run where day = %s and state = 'published'", day)
        return run

    def same_as_published(self, run: int, day: date) -> None:
        """OtherRows where a ranking of `run` is not that of the day's published run, row for row and number for number."""
        published = self.published_run(day)
        for table in SCORES:
            wanted, found = self._of(published, table), self._of(run, table)
            if not wanted:
                raise OtherRows(f"{table}: Vitrina published no rows of {day}")
            if wanted != found:
                odd = sorted({*wanted} ^ {*found})[0]
                whose = "Vitrina's" if odd in wanted else "the peer's"
                raise OtherRows(f"{table}: {len(found)} rows, Vitrina has {len(wanted)}; only {whose} has {odd}")

    def copy_published(self, day: date) -> tuple[int, float]:
        """Copy all that the published run has to a new one with COPY and remove it; return its rows, and COPY's seconds."""
        published, run = self.published_run(day), self.open_run(day)
        columns = {table: self._columns_of(table) for table in RUN_TABLES}
        texts = {table: self._text_of(published, run, table, columns[table]) for table in RUN_TABLES}
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

    def _of(self, run: int, table: str) -> list[tuple[Any, ...]]:
        return self._query(f"select {COLUMNS[table]} from {table} where run_id = %s order by advertiser_id, rank", run)

    def _columns_of(self, table: str) -> str:
        """Return the columns of a table that are not a run's own."""
        [(columns,)] = self._query(
            "select string_agg(column_name, ', ') from information_schema.columns"
            " where table_name = %s and table_schema = current_schema() and column_name not in ('id', 'run_id')",
            table,
        )
        return str(columns)

    def _text_of(self, published: int, run: int, table: str, columns: str) -> io.StringIO:
        """Return the published rows as COPY wants them, to be read under the id of another run."""
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
