"""From raw events to a day's counts in the lake, its rejected lines beside them, and the numbers of both."""

import json
from collections.abc import Sequence
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from spark_jobs import lake
from spark_jobs.events import daily_counts
from spark_jobs.models import MODELS, WINDOW_TABLES
from spark_jobs.options import Options
from spark_jobs.past import KINDS, WINDOWS, by_window
from spark_jobs.raw_events import EVENT_NAMES, RawEvents

LONGEST_EXAMPLE = 120  # characters


def prepare(raw: RawEvents, lake_uri: str, day: date, run: int) -> DataFrame:
    """Count the day's good events of active advertisers into the lake, and quarantine its rejected lines there.

    Returns the counts as the lake holds them: (advertiser_id, product_id, views, impressions, clicks).
    """
    of_day = raw.events.where(F.col("day") == F.lit(day))
    good = of_day.where(F.col("input").isin(*EVENT_NAMES) & F.col("reason").isNull())
    counts = daily_counts(of_active(good, raw.active_on(day)))
    if raw.has_rejects(day):
        quarantined = rejects(raw, day).select("input", "file", "reason", "lines", "line")
        lake.write_rejects(quarantined, lake_uri, day, run)
    return lake.write_counts(counts, lake_uri, day, run)


def of_active(rows: DataFrame, active: Sequence[str]) -> DataFrame:
    """Return the rows of the advertisers who are `active`."""
    ids = literal(rows.sparkSession, ["advertiser_id"], [(each,) for each in active])
    return rows.join(F.broadcast(ids), "advertiser_id", how="left_semi")


def with_hidden(products: DataFrame, hidden: Sequence[tuple[str, str]]) -> DataFrame:
    """Add to the products whether people hid them: `hidden` are pairs of advertiser_id and product_id."""
    if not hidden:
        return products.withColumn("hidden", F.lit(False))
    pairs = literal(products.sparkSession, ["advertiser_id", "product_id"], hidden).withColumn("hidden", F.lit(True))
    marked = products.join(F.broadcast(pairs), ["advertiser_id", "product_id"], how="left")
    return marked.fillna(False, ["hidden"])


def literal(spark: SparkSession, columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> DataFrame:
    """Return a frame of strings that is one literal of the plan; createDataFrame would start Python workers for it."""
    as_json = json.dumps([dict(zip(columns, row, strict=True)) for row in rows])
    fields = ", ".join(f"{column}: string" for column in columns)
    return spark.range(1).select(F.inline(F.from_json(F.lit(as_json), f"array<struct<{fields}>>")))


def rejects(raw: RawEvents, day: date) -> DataFrame:
    """Return the rejected lines that concern `day`: the columns of events.EVENTS."""
    concerns_day = F.col("day").isNull() | (F.col("day") == F.lit(day))
    return raw.events.where(concerns_day & F.col("reason").isNotNull())


def most_common_rejects(raw: RawEvents, day: date, reasons: int) -> list[Row]:
    """Return the most common reasons for which lines were rejected: (reason, lines, example), the commonest first."""
    example = F.min(F.substring("line", 1, LONGEST_EXAMPLE)).alias("example")
    by_reason = rejects(raw, day).groupBy("reason").agg(F.sum("lines").alias("lines"), example)
    return by_reason.orderBy(F.desc("lines"), F.asc("reason")).limit(reasons).collect()


def totals(raw: RawEvents, products: DataFrame, day: date, options: Options) -> dict[str, object]:
    """Return the run's numbers: lines read, rejected (by reason) and inactive, events, and rows each table must have.

    `products` is the day's products with their past, and whether each is `hidden`.
    """
    is_seen = reduce(Column.__add__, [F.col(kind) for kind in KINDS]) > 0
    sums = {"products": F.count_if(is_seen), "hidden_products": F.count_if(is_seen & F.col("hidden"))}
    sums |= {kind: F.sum(kind) for kind in KINDS}
    ranked = {
        table: F.least(F.count_if(~F.col("hidden") & model.takes_here(options.evidence)), F.lit(options.top))
        for table, model in MODELS.items()
    }
    of_list = by_window(products, (1, *WINDOWS)).groupBy("days", "advertiser_id")
    by_list = of_list.agg(*[column.alias(name) for name, column in (sums | ranked).items()])
    has_a_list = reduce(Column.__or__, [F.col(table) > 0 for table in ranked])
    of_windows = by_list.groupBy("days").agg(
        *[F.sum(name).alias(name) for name in (*sums, *ranked)], F.count_if(has_a_list).alias("listed_advertisers")
    )
    of_days = {row.days: row.asDict() for row in of_windows.collect()}
    numbers = of_days.pop(1, dict.fromkeys([*sums, *ranked, "listed_advertisers"], 0))
    numbers.pop("days", None)
    windows = {
        window_table: sum(of_window[table] for of_window in of_days.values())
        for window_table, table in WINDOW_TABLES.items()
    }
    counted = sum(numbers[kind] for kind in KINDS)
    lines = raw.lines_of(day)
    good = sum(lines.get((name, None), 0) for name in EVENT_NAMES)
    return {
        "read": {name: sum(n for (input_, _), n in lines.items() if input_ == name) for name in EVENT_NAMES},
        "rejected": {
            reason: sum(n for (_, each), n in lines.items() if each == reason)
            for reason in sorted({reason for _, reason in lines if reason})
        },
        "rejected_share": raw.rejected_shares(day),
        "inactive": good - counted,
        "active_advertisers": len(raw.active_on(day)),
        "events": counted,
        **numbers,
        **windows,
    }
