"""From raw events to days' counts in the lake, their rejected lines beside them, and the numbers of both."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from functools import partial, reduce
from typing import Any

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from spark_jobs import lake
from spark_jobs.events import daily_counts
from spark_jobs.models import MODELS, WINDOW_TABLES
from spark_jobs.options import Options
from spark_jobs.past import KINDS, WINDOWS, by_window
from spark_jobs.raw_events import EVENT_NAMES, RawEvents
from spark_jobs.threads import side_by_side

LONGEST_EXAMPLE = 120  # characters


def prepare(raw: RawEvents, lake_uri: str, runs: Mapping[date, int]) -> None:
    """Count the days' good events of active advertisers into the lake, and quarantine their rejected lines there.

    Each day's are kept under its run.
    """
    is_good = F.col("input").isin(*EVENT_NAMES) & F.col("reason").isNull()
    good = raw.events.where(is_good).withColumnRenamed("day", "date")
    counts = daily_counts(of_active(good, {day: raw.active_on(day) for day in runs})).persist()

    def keep_counts(day: date) -> None:
        of_day = counts.where(F.col("date") == F.lit(day)).drop("date")
        lake.write_counts(of_day, lake_uri, day, runs[day])

    def keep_rejects(day: date) -> None:
        of_day = rejects(raw, [day]).select("input", "file", "reason", "lines", "line")
        lake.write_rejects(of_day, lake_uri, day, runs[day])

    try:
        side_by_side(
            [
                *[partial(keep_counts, day) for day in runs],
                *[partial(keep_rejects, day) for day in runs if raw.has_rejects(day)],
            ]
        )
    finally:
        counts.unpersist()


def of_active(rows: DataFrame, active: Mapping[date, Sequence[str]]) -> DataFrame:
    """Return the rows of the days and advertisers in `active`: whose `date` is one of its days, and who were active on it."""
    pairs = [(str(day), each) for day, ids in active.items() for each in ids]
    listed = literal(rows.sparkSession, ["date date", "advertiser_id string"], pairs)
    return rows.join(F.broadcast(listed), ["date", "advertiser_id"], how="left_semi")


def with_hidden(products: DataFrame, hidden: Sequence[tuple[str, str]]) -> DataFrame:
    """Add to the products whether people hid them: `hidden` are pairs of advertiser_id and product_id."""
    if not hidden:
        return products.withColumn("hidden", F.lit(False))
    pairs = literal(products.sparkSession, ["advertiser_id string", "product_id string"], hidden)
    pairs = pairs.withColumn("hidden", F.lit(True))
    marked = products.join(F.broadcast(pairs), ["advertiser_id", "product_id"], how="left")
    return marked.fillna(False, ["hidden"])


def literal(spark: SparkSession, columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> DataFrame:
    """Return a frame that is one literal of the plan; createDataFrame would start Python workers for it.

    `columns` are names and types, and the rows hold texts.
    """
    names = [column.split()[0] for column in columns]
    as_json = json.dumps([dict(zip(names, row, strict=True)) for row in rows])
    return spark.range(1).select(F.inline(F.from_json(F.lit(as_json), f"array<struct<{', '.join(columns)}>>")))


def rejects(raw: RawEvents, days: Collection[date]) -> DataFrame:
    """Return the rejected lines that concern the days: the columns of events.EVENTS, and which day it is, `date`.

    One without a day concerns each of them.
    """
    each = F.array(*map(F.lit, days))
    concerned = F.when(F.col("day").isNull(), each).when(F.col("day").isin([*days]), F.array("day"))
    return raw.events.where("reason is not null").withColumn("date", F.explode(concerned))


def rejects_by_reason(raw: RawEvents, days: Collection[date]) -> list[Row]:
    """Return why lines were rejected, by day: (date, reason, lines, example), of a day the commonest reason first."""
    example = F.min(F.substring("line", 1, LONGEST_EXAMPLE)).alias("example")
    by_reason = rejects(raw, days).groupBy("date", "reason").agg(F.sum("lines").alias("lines"), example)
    return by_reason.orderBy("date", F.desc("lines"), "reason").collect()


def totals(raw: RawEvents, products: DataFrame, days: Collection[date], options: Options) -> dict[date, dict[str, Any]]:
    """Return each day's numbers: lines read, rejected (by reason) and inactive, events, and rows each table must have.

    `products` are the days' products with their past, and whether each is `hidden`.
    """
    is_seen = reduce(Column.__add__, [F.col(kind) for kind in KINDS]) > 0
    sums = {"products": F.count_if(is_seen), "hidden_products": F.count_if(is_seen & F.col("hidden"))}
    sums |= {kind: F.sum(kind) for kind in KINDS}
    ranked = {
        table: F.least(F.count_if(~F.col("hidden") & model.takes_here(options.evidence)), F.lit(options.top))
        for table, model in MODELS.items()
    }
    of_list = by_window(products, (1, *WINDOWS)).groupBy("date", "days", "advertiser_id")
    by_list = of_list.agg(*[column.alias(name) for name, column in (sums | ranked).items()])
    has_a_list = reduce(Column.__or__, [F.col(table) > 0 for table in ranked])
    of_windows = by_list.groupBy("date", "days").agg(
        *[F.sum(name).alias(name) for name in (*sums, *ranked)], F.count_if(has_a_list).alias("listed_advertisers")
    )
    names = [*sums, *ranked, "listed_advertisers"]
    found = {(row.date, row.days): {name: row[name] for name in names} for row in of_windows.collect()}

    def of(day: date, days: int) -> dict[str, int]:
        return found.get((day, days), dict.fromkeys(names, 0))

    return {
        day: _numbers(raw, day, of(day, 1))
        | {table: sum(of(day, window)[of_model] for window in WINDOWS) for table, of_model in WINDOW_TABLES.items()}
        for day in days
    }


def _numbers(raw: RawEvents, day: date, counted: Mapping[str, int]) -> dict[str, Any]:
    events = sum(counted[kind] for kind in KINDS)
    lines = raw.lines_of(day)
    good = sum(lines.get((name, None), 0) for name in EVENT_NAMES)
    return {
        "read": {name: sum(n for (input_, _), n in lines.items() if input_ == name) for name in EVENT_NAMES},
        "rejected": {
            reason: sum(n for (_, each), n in lines.items() if each == reason)
            for reason in sorted({reason for _, reason in lines if reason})
        },
        "rejected_share": raw.rejected_shares(day),
        "inactive": good - events,
        "active_advertisers": len(raw.active_on(day)),
        "events": events,
        **counted,
    }
