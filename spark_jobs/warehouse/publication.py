"""What readers see: the flip of a day to a new run, and the products that people have hidden."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from psycopg2.extras import Json

from spark_jobs.warehouse.connection import Connection
from spark_jobs.warehouse.locks import lock_publishing


def publish(connection: Connection, run: int, day: date, counts: dict[str, Any], active: Sequence[str]) -> None:
    """In one transaction, flip the day to this run and update who is active.

    An older day never overrides who is active by the newest published day.
    """
    with connection.transaction() as execute:
        lock_publishing(execute)
        execute("update run set state = 'superseded' where day = %s and state = 'published'", day)
        execute(
            "update run set state = 'published', published_at = now(), finished_at = now(), counts = %s,"
            " inputs = inputs - 'prepared' where id = %s",
            Json(counts),
            run,
        )
        execute(
            "insert into advertiser (advertiser_id, active, last_active_on) select unnest(%s::text[]), false, %s"
            " on conflict (advertiser_id) do update"
            " set last_active_on = greatest(advertiser.last_active_on, excluded.last_active_on)",
            list(active),
            day,
        )
        execute(
            "update advertiser set active = not active from ("
            "  select advertiser_id as id, listed is not null as is_listed"
            "  from advertiser left join unnest(%s::text[]) as listed on listed = advertiser_id"
            " ) as each where id = advertiser_id and active <> is_listed"
            " and not exists (select from run where state = 'published' and day > %s)",
            list(active),
            day,
        )


def read_hidden_products(connection: Connection) -> list[tuple[Any, ...]]:
    """Return the products hidden today (UTC): (advertiser_id, product_id)."""
    return connection.query(
        "select distinct advertiser_id, product_id from hidden_product"
        " where unhidden_at is null and until >= (now() at time zone 'utc')::date"
    )
