"""From raw events to a day's counts in the lake, its rejected lines beside them, and the numbers of both."""

import json
from collections.abc import Sequence
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from spark_jobs import lake
from spark_jobs.events import daily_counts
from spark_jobs.options import Options
from spark_jobs.raw_events import EVENT_NAMES, RawEvents

KINDS = ("views", "impressions", "clicks")
LONGEST_EXAMPLE = 120  # characters


def prepare(raw: RawEvents, lake_uri: str, day: date, run: int) -> DataFrame:
    """Count the day's good events of active advertisers into the lake, and quarantine its rejected lines there.

    Returns the counts as the lake holds them: (advertiser_id, product_id, views, impressions, clicks).
    """
    of_day = raw.events.where(F.col("day") == F.lit(day))
    active = literal(raw.events.sparkSession, ["advertiser_id"], [(each,) for each in raw.active_on(day)])
    good = of_day.where(F.col("input").isin(*EVENT_NAMES) & F.col("reason").isNull())
    counts = daily_counts(good.join(F.broadcast(active), "advertiser_id", how="left_semi"))
    if raw.has_rejects(day):
        lake.write_rejects(rejects(raw, day), lake_uri, day, run)
    return lake.write_counts(counts, lake_uri, day, run)


def with_hidden(counts: DataFrame, hidden: Sequence[tuple[str, str]]) -> DataFrame:
    """Add to the day's counts whether people hid the product: `hidden` are pairs of advertiser_id and product_id."""
    if not hidden:
        return counts.withColumn("hidden", F.lit(False))
    pairs = literal(counts.sparkSession, ["advertiser_id", "product_id"], hidden).withColumn("hidden", F.lit(True))
    marked = counts.join(F.broadcast(pairs), ["advertiser_id", "product_id"], how="left")
    return marked.fillna(False, ["hidden"])


def literal(spark: SparkSession, columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> DataFrame:
    """Return a frame of strings that is one literal of the plan; createDataFrame would start Python workers for it."""
    as_json = json.dumps([dict(zip(columns, row, strict=True)) for row in rows])
    fields = ", ".join(f"{column}: string" for column in columns)
    return spark.range(1).select(F.inline(F.from_json(F.lit(as_json), f"array<struct<{fields}>>")))


def rejects(raw: RawEvents, day: date) -> DataFrame:
    """Return the rejected lines that concern `day`: (input, file, reason, lines, line)."""
    concerns_day = F.col("day").isNull() | (F.col("day") == F.lit(day))
    rejected = raw.events.where(concerns_day & F.col("reason").isNotNull())
    return rejected.select("input", "file", "reason", "lines", "line")


def most_common_rejects(raw: RawEvents, day: date, reasons: int) -> list[Row]:
    """Return the most common reasons for which lines were rejected: (reason, lines, example), the commonest first."""
    example = F.min(F.substring("line", 1, LONGEST_EXAMPLE)).alias("example")
    by_reason = rejects(raw, day).groupBy("reason").agg(F.sum("lines").alias("lines"), example)
    return by_reason.orderBy(F.desc("lines"), F.asc("reason")).limit(reasons).collect()


def totals(raw: RawEvents, products: DataFrame, day: date, options: Options) -> dict[str, object]:
    """Return the run's numbers: lines read, rejected (by reason) and inactive, events, and rows each ranking must have.

    `products` is the day's counts, and whether each is `hidden`.
    """
    is_ranked = {
        "top_product": F.col("views") > 0,
        "top_ctr": F.col("impressions") >= options.evidence.min_impressions,
    }
    ranked = {
        table: F.least(F.count_if(~F.col("hidden") & is_in), F.lit(options.top)) for table, is_in in is_ranked.items()
    }
    sums = {"products": F.count("*"), "hidden_products": F.count_if("hidden")} | {kind: F.sum(kind) for kind in KINDS}
    by_advertiser = products.groupBy("advertiser_id").agg(
        *[column.alias(name) for name, column in (sums | ranked).items()]
    )
    has_a_list = reduce(Column.__or__, [F.col(table) > 0 for table in ranked])
    [row] = by_advertiser.agg(
        *[F.sum(name).alias(name) for name in (*sums, *ranked)], F.count_if(has_a_list).alias("listed_advertisers")
    ).collect()
    numbers = {name: value or 0 for name, value in row.asDict().items()}
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
    }
