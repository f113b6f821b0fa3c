"""Numbers about a run's rows: by themselves, against other runs, and against what happened to the lists of the day before."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from spark_jobs.advertiser_counts import PRODUCT_NUMBERS
from spark_jobs.ranking.registry import MODELS, WINDOW_TABLES
from spark_jobs.warehouse.connection import Connection

ADVERTISERS_TO_NAME = 10


class RowCheck(NamedTuple):
    """What a run has in one table of lists."""

    rows: int
    other_days: int
    """Rows of another day than the run's."""
    inactive: int
    """Rows of advertisers that are not active."""
    broken_lists: int
    """Lists whose ranks do not run from 1 to at most `top`."""


class ListRows(NamedTuple):
    """One side of a comparison of lists: a query for (advertiser_id, product_id, rank), and its values."""

    query: str
    values: tuple[Any, ...]


def check_rows(connection: Connection, table: str, run: int, day: date, top: int, active: Sequence[str]) -> RowCheck:
    """Count a run's rows in one table, and those that must not be there."""
    list_key = "advertiser_id, days" if table in WINDOW_TABLES else "advertiser_id"
    [numbers] = connection.query(
        "select count(*), count(*) filter (where date <> %s),"
        " count(*) filter (where active is null),"
        f" (select count(*) from (select 1 from {table} where run_id = %s group by {list_key}"
        f"   having min(rank) <> 1 or max(rank) <> count(*) or count(*) > %s) as broken)"
        f" from {table} left join unnest(%s::text[]) as active on active = advertiser_id where run_id = %s",
        *(day, run, top, list(active), run),
    )
    return RowCheck(*numbers)


def read_usual_events(connection: Connection, day: date) -> int | None:
    """Return the median number of events of the seven published days before `day`, or None if there are none."""
    [(median,)] = connection.query(
        "select percentile_disc(0.5) within group (order by events) from ("
        " select (counts->>'events')::bigint as events from run"
        " where state = 'published' and day < %s order by day desc limit 7) as week",
        day,
    )
    return median


def score_lists(connection: Connection, run: int, previous: int) -> dict[str, dict[str, int]]:
    """Return how the lists of the run `previous`, of the day before, did on the day that `run` counted.

    By model: the impressions and clicks of the listed products, and those of the same advertisers' other products.
    """
    impressions, clicks = (PRODUCT_NUMBERS.index(name) for name in ("impressions", "clicks"))
    joins, sums = "", []
    for table in MODELS:
        joins += (
            f" left join (select advertiser_id, product_id from {table} where run_id = %s) as {table}"
            " using (advertiser_id, product_id)"
            f" left join (select distinct advertiser_id as listed from {table} where run_id = %s) as has_{table}"
            f" on has_{table}.listed = advertiser_id"
        )
        is_listed = f"{table}.product_id is not null"
        is_other = f"{table}.product_id is null and has_{table}.listed is not null"
        for condition in (is_listed, is_other):
            sums += [
                f"coalesce(sum({column}) filter (where {condition}), 0)::bigint" for column in ("impressions", "clicks")
            ]
    [numbers] = connection.query(
        "with products as materialized ("
        f"  select advertiser_id, product_id, (numbers -> {impressions})::bigint as impressions,"
        f"   (numbers -> {clicks})::bigint as clicks"
        "  from advertiser_counts cross join jsonb_each(products::jsonb) as product(product_id, numbers)"
        "  where run_id = %s"
        f") select {', '.join(sums)} from products{joins}",
        *(run, *[previous] * (2 * len(MODELS))),
    )
    names = ("impressions", "clicks", "other_impressions", "other_clicks")
    return {table: dict(zip(names, numbers[4 * n : 4 * n + 4], strict=True)) for n, table in enumerate(MODELS)}


def rows_of_run(table: str, run: int | None) -> ListRows:
    """Return a run's lists of one day as a side of a comparison; without a run, no rows."""
    return ListRows(f"select advertiser_id, product_id, rank from {table} where run_id = %s", (run,))


def rows_in_memory(rows: Sequence[tuple[str, str, int]]) -> ListRows:
    """Return rows (advertiser_id, product_id, rank) that no table holds as a side of a comparison."""
    as_objects = [{"advertiser_id": row[0], "product_id": row[1], "rank": row[2]} for row in rows]
    columns = "advertiser_id text, product_id text, rank integer"
    return ListRows(f"select * from json_to_recordset(%s) as replayed ({columns})", (json.dumps(as_objects),))


def count_changes(connection: Connection, old: ListRows, new: ListRows) -> dict[str, int]:
    """Return how many products entered, left and moved."""
    [numbers] = connection.query(
        "select count(*) filter (where old is null), count(*) filter (where new is null),"
        f" count(*) filter (where old <> new) from ({_changed_products(old, new)}) as changed",
        *(*old.values, *new.values),
    )
    return dict(zip(("entered", "left", "moved"), numbers, strict=True))


def most_changed_advertisers(connection: Connection, pairs: Sequence[tuple[ListRows, ListRows]]) -> dict[str, int]:
    """Return the ten advertisers with the most changed products in all pairs of old and new lists, and how many those are."""
    changed = " union all ".join(f"select advertiser_id from ({_changed_products(*pair)}) as changed" for pair in pairs)
    rows = connection.query(
        f"select advertiser_id, count(*) from ({changed}) as changed group by 1 order by 2 desc, 1"
        f" limit {ADVERTISERS_TO_NAME}",
        *(value for old, new in pairs for value in (*old.values, *new.values)),
    )
    return dict(rows)


def read_changes(connection: Connection, run: int, published: int | None) -> Mapping[str, dict[str, int]]:
    """Compare a run's lists with the published ones.

    Returns by model how many products entered, left and moved, and under "advertisers" the most changed ones.
    """
    pairs = {table: (rows_of_run(table, published), rows_of_run(table, run)) for table in MODELS}
    changes = {table: count_changes(connection, old, new) for table, (old, new) in pairs.items()}
    return {**changes, "advertisers": most_changed_advertisers(connection, list(pairs.values()))}


def _changed_products(old: ListRows, new: ListRows) -> str:
    """Return a query for (advertiser_id, old, new): the products whose rank changed, and both ranks."""
    return (
        f"select advertiser_id, old.rank as old, new.rank as new from ({old.query}) as old"
        f" full join ({new.query}) as new using (advertiser_id, product_id) where old.rank is distinct from new.rank"
    )
