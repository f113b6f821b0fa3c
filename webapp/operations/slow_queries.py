"""Names each query that takes longer than SLOW_QUERY: its statement, never a value that was put into it."""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

logger = logging.getLogger(__name__)

Execute = Callable[[str, Any, bool, dict[str, Any]], Any]


def watch(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Receiver of connection_created: from here on the connection's queries are timed."""
    if timed not in connection.execute_wrappers:
        connection.execute_wrappers.append(timed)


def timed(execute: Execute, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    began = time.monotonic()
    try:
        return execute(sql, params, many, context)
    finally:
        milliseconds = (time.monotonic() - began) * 1000
        if milliseconds >= settings.SLOW_QUERY:
            logger.warning("A query took %d ms: %s", milliseconds, " ".join(sql.split()))
