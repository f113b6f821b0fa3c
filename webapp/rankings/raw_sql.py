"""Raw SQL for the queries of nearly every request.

Building such a query with the ORM takes several times as long as PostgreSQL takes to find one row by an index
(docs/performance-serving.md).
"""

from typing import Any, TypeVar

from django.db import connections, models

Row = TypeVar("Row", bound=models.Model)


def first(model: type[Row], database: str, sql: str, parameters: Any) -> Row | None:
    """The first row that the SQL returns, as an instance of the model; None if there is none.

    JSON columns must not be selected: they would not be decoded.
    """
    with connections[database].cursor() as cursor:
        cursor.execute(sql, parameters)
        row = cursor.fetchone()
        if row is None:
            return None
        values = dict(zip((column.name for column in cursor.description), row, strict=True))
        names = [field.attname for field in model._meta.concrete_fields if field.attname in values]
        return model.from_db(database, names, [values[name] for name in names])
