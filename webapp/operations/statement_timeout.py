"""Limits how long a query of the web server may take: STATEMENT_TIMEOUT."""

from typing import Any

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

# Not a start-up option: connection proxies refuse those, and one from here would displace those of the deployment.
LIMIT = """
    SELECT set_config(name, %s, false) FROM pg_settings WHERE name = 'statement_timeout' AND source <> 'client'
"""


def limit_statements(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Receiver of connection_created: limit the connection's statements, unless DATABASE_URL or PGOPTIONS does."""
    with connection.cursor() as cursor:
        cursor.execute(LIMIT, [f"{settings.STATEMENT_TIMEOUT}s"])
