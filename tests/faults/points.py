"""The points of a run at which faults happen; another session's locks stop the job exactly there."""

from typing import NamedTuple


class Point(NamedTuple):
    """What another session locks to stop the job at this point, and the query that is true once the job is there."""

    locks: str | None
    is_there: str


def waits(query: str, sessions: int = 1) -> str:
    """Return a query: do so many sessions wait for a lock with a statement that begins with `query`?"""
    return (
        f"select count(*) = {sessions} from pg_stat_activity"
        f" where wait_event_type = 'Lock' and query ilike '{query.replace(chr(39), chr(39) * 2)}%'"
    )


IS_FREE = (
    "select not exists (select from pg_locks where locktype = 'advisory')"
    " and not exists (select from run where state = 'running')"
)
"""A query: is every day unlocked, and every run ended?"""
OPENED = Point(None, "select exists (select from run where state = 'running')")
# SHARE mode blocks writers but not readers.
COUNTED = Point("lock table top_product, top_ctr in share mode", waits("insert into top_", sessions=2))
HALF_APPENDED = Point(
    "lock table top_ctr in share mode",
    "select exists (select from top_product join run on run.id = run_id where state = 'running')"
    f" and ({waits('insert into top_ctr')})",
)
PUBLISHING = Point("lock table advertiser in share mode", waits("insert into advertiser"))
PUBLISHED = Point(None, "select exists (select from run where state = 'superseded')")
