"""PostgreSQL: Django's migrations own the tables; the batch fills them by column name, and only from this package.

Each module has one responsibility, and its functions take the open Connection:

    connection   statements and transactions that time out and hear signals
    locks        advisory locks on days, and on single tables of a day
    lists        rows: append them over JDBC, read them, delete them
    ledger       the table `run`: open, read and close runs
    publication  what readers see: the flip to a new run, and hidden products
    comparisons  numbers about a run's rows, for the audit and for people
"""

from spark_jobs.database import Database
from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.lists import RUN_TABLES
from spark_jobs.warehouse.locks import LOCK_CLASS, DayIsHeld

__all__ = ["LOCK_CLASS", "RUN_TABLES", "Connection", "DayIsHeld", "NotMigrated", "Warehouse"]


class NotMigrated(Exception):
    """The database lacks tables that Django's migrations create."""


class Warehouse(Connection):
    """The connection to a database that has been checked to have all tables."""

    def __init__(self, database: Database) -> None:
        """Connect; NotMigrated if a table is missing."""
        super().__init__(database)
        tables = ["run", *RUN_TABLES]
        for (table,) in self.query(
            "select t from unnest(%s::text[]) as t where to_regclass(t) is null limit 1", tables
        ):
            raise NotMigrated(
                f"database {database.name} has no table {table}; run `python manage.py migrate` to create it"
            )
