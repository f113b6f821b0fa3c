"""The points of a night at which a fault strikes; locks of another session stop the job exactly there."""

from typing import NamedTuple


class Point(NamedTuple):
    """A point of a night: what another session locks to stop the job there, and how it sees that the job has come."""

    locks: str | None
    is_there: str


def waits(query: str, sessions: int = 1) -> str:
    """Return the question whether so many sessions wait for a lock with a statement that begins like this."""
    return (
        f"select count(*) = {sessions} from pg_stat_activity"
        f" where wait_event_type = 'Lock' and query ilike '{query.replace(chr(39), chr(39) * 2)}%'"
    )


OPENED = Point(None, "select exists (select from run where state = 'running')")
# SHARE mode keeps writers out and lets readers in.
COUNTED = Point("lock table top_product, top_ctr in share mode", waits("insert into top_", sessions=2))
HALF_APPENDED = Point(
    "lock table top_ctr in share mode",
    "select exists (select from top_product join run on run.id = run_id where state = 'running')"
    f" and ({waits('insert into top_ctr')})",
)
AUDITED = Point("select from run where state = 'published' for update", waits("update run set state = 'superseded'"))
PUBLISHING = Point("lock table advertiser in share mode", waits("insert into advertiser"))
PUBLISHED = Point(None, "select exists (select from run where state = 'superseded')")
