"""The inputs of a response, loaded by one query: the key, the advertiser, the published runs, and versions.

The ETag is made of them, so a 304 takes no other query (docs/decisions/caching.md).
"""

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from django.db import connection, models
from django.utils import timezone

from webapp.curation.querysets import HIDDEN_VERSION
from webapp.keys.models import ApiKey
from webapp.rankings.models import Advertiser, Run

# One row per run. An unknown key has no row, so nothing else is read for it.
LOAD = """
    WITH key AS ({key})
    SELECT {columns}
    FROM key
    LEFT JOIN advertiser ON advertiser.advertiser_id = %(advertiser)s
        AND advertiser.advertiser_id = coalesce(key.advertiser_id, advertiser.advertiser_id)
    LEFT JOIN (
        SELECT {run_columns} FROM run
        WHERE state = 'published' AND day <= coalesce(%(day)s, day) ORDER BY day DESC LIMIT %(runs)s
    ) AS run ON true
"""
FIND_KEY = "SELECT * FROM api_key WHERE prefix = %(prefix)s"
NO_KEY = "SELECT api_key.* FROM (SELECT) AS nobody LEFT JOIN api_key ON false"

TABLES: dict[str, tuple[type[models.Model], tuple[str, ...]]] = {
    "key": (ApiKey, tuple(field.attname for field in ApiKey._meta.concrete_fields)),
    "advertiser": (Advertiser, ("advertiser_id", "active", "last_active_on")),
    "run": (Run, ("id", "day", "state", "started_at", "published_at", "final")),  # without its JSON, which may be large
}
COLUMNS = [f"{table}.{column}" for table, (_, columns) in TABLES.items() for column in columns]


@dataclass(frozen=True)
class Lookup:
    """What to load: the advertiser, and the newest `runs` published runs up to the day, by default of all days."""

    advertiser_id: str | None = None
    day: date | None = None
    runs: int = 1
    versions: tuple[str, ...] = (HIDDEN_VERSION,)
    """Queries for the versions of what the lists depend on besides. A version never recurs (docs/decisions/caching.md).

    They are about the advertiser; without one, about all that the key reads.
    """


@dataclass(frozen=True)
class Inputs:
    """What the query found. The advertiser is None if there is none with that id, or if the key may not read it."""

    lookup: Lookup
    key: ApiKey | None
    advertiser: Advertiser | None
    runs: list[Run]
    versions: tuple[Any, ...]


def load_inputs(lookup: Lookup, key_prefix: str | None = None) -> Inputs:
    """The inputs that the key with the prefix may read; all without a prefix, since permissions decide who needs a key."""
    with connection.cursor() as cursor:
        cursor.execute(
            sql_of(FIND_KEY if key_prefix else NO_KEY, lookup.versions, lookup.advertiser_id is not None),
            {
                "prefix": key_prefix,
                "advertiser": storable(lookup.advertiser_id),
                "day": lookup.day,
                "runs": lookup.runs,
                "today": timezone.now().date(),
            },
        )
        rows = cursor.fetchall()
    if not rows:
        return Inputs(lookup, None, None, [], ())
    found = [dict(zip(COLUMNS, row, strict=False)) for row in rows]
    return Inputs(
        lookup,
        key=instance("key", found[0]),
        advertiser=instance("advertiser", found[0]),
        runs=sorted(filter(None, (instance("run", row) for row in found)), key=lambda run: run.day, reverse=True),
        versions=rows[0][len(COLUMNS) :],
    )


@cache
def sql_of(key: str, versions: tuple[str, ...], of_one_advertiser: bool) -> str:
    columns = [*COLUMNS, *(version_sql(version, of_one_advertiser) for version in versions)]
    _, run_columns = TABLES["run"]
    return LOAD.format(key=key, columns=", ".join(columns), run_columns=", ".join(run_columns))


def version_sql(version: str, of_one_advertiser: bool) -> str:
    """The version of what concerns the advertiser, or else of what the key reads. An index finds one advertiser's rows."""
    if of_one_advertiser:
        return f"({version.format(whose='advertiser_id = %(advertiser)s')})"
    own = version.format(whose="advertiser_id = (SELECT advertiser_id FROM key)")
    return f"CASE WHEN key.advertiser_id IS NULL THEN ({version.format(whose='true')}) ELSE ({own}) END"


def storable(advertiser_id: str | None) -> str | None:
    """The id, or one that no advertiser has: PostgreSQL stores no text with a NUL."""
    return "" if advertiser_id and "\0" in advertiser_id else advertiser_id


def instance(table: str, row: dict[str, Any]) -> Any:
    """The row's instance of the table's model; None if the join found none."""
    model, columns = TABLES[table]
    values = [row[f"{table}.{column}"] for column in columns]
    return None if values[0] is None else model.from_db(connection.alias, columns, values)
