"""Logs each query that takes longer than SLOW_QUERY: the statement, never its parameters."""

import logging
import time
from typing import Any

from django.conf import settings

from webapp.rankings.query_wrappers import Execute

logger = logging.getLogger(__name__)


def log_if_slow(execute: Execute, sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
    start = time.monotonic()
    try:
        return execute(sql, params, many, context)
    finally:
        milliseconds = (time.monotonic() - start) * 1000
        if milliseconds >= settings.SLOW_QUERY:
            logger.warning("A query took %d ms: %s", milliseconds, " ".join(sql.split()))
