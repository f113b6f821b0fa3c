"""SQL that is written once, for what nearly every request asks.

The ORM writes a query anew each time, which takes several times as long as PostgreSQL takes to answer one that finds a
row by an index (docs/performance-serving.md).
"""

from typing import Any, TypeVar

from django.db import connections, models

Row = TypeVar("Row", bound=models.Model)


def first(model: type[Row], database: str, sql: str, parameters: Any) -> Row | None:
    """The first row that the SQL finds, None if there is none; its columns are the model's, JSON ones excepted."""
    with connections[database].cursor() as cursor:
        cursor.execute(sql, parameters)
        row = cursor.fetchone()
        if row is None:
            return None
        values = dict(zip((column.name for column in cursor.description), row, strict=True))
        names = [field.attname for field in model._meta.concrete_fields if field.attname in values]
        return model.from_db(database, names, [values[name] for name in names])
