"""Wraps the queries of every database connection."""

from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

Execute = Callable[[str, Any, bool, dict[str, Any]], Any]
Wrapper = Callable[[Execute, str, Any, bool, dict[str, Any]], Any]


def wrap_queries(wrapper: Wrapper) -> None:
    """Have Django run the wrapper around each query, on every connection that is opened from here on."""

    def install(connection: BaseDatabaseWrapper, **_: Any) -> None:
        if wrapper not in connection.execute_wrappers:  # Django opens the same connection object again and again
            connection.execute_wrappers.append(wrapper)

    connection_created.connect(install, weak=False)
