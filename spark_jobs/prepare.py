"""From raw events to a day's counts in the lake, its rejected lines beside them, and the numbers of both."""

import json
from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from spark_jobs import lake
from spark_jobs.events import daily_counts
from spark_jobs.raw_events import EVENT_NAMES, RawEvents

LONGEST_EXAMPLE = 120  # characters


def prepare(raw: RawEvents, lake_uri: str, day: date, run: int) -> DataFrame:
    """Count the day's good events of active advertisers into the lake, and quarantine its rejected lines there.

    Returns the counts as the lake holds them: (advertiser_id, product_id, views, impressions, clicks).
    """
    of_day = raw.events.where(F.col("day") == F.lit(day))
    active = one_column(raw.events.sparkSession, "advertiser_id", raw.active_on(day))
    good = of_day.where(F.col("reason").isNull())
    counts = daily_counts(good.join(F.broadcast(active), "advertiser_id", how="left_semi"))
    if any(reason for _, reason in raw.lines_of(day)):
        lake.write_rejects(rejects(raw, day), lake_uri, day, run)
    return lake.write_counts(counts, lake_uri, day, run)


def one_column(spark: SparkSession, name: str, values: Sequence[str]) -> DataFrame:
    """Return a frame of one string column. As one literal: createDataFrame would start Python workers for it."""
    as_array = F.from_json(F.lit(json.dumps(list(values))), "array<string>")
    return spark.range(1).select(F.explode(as_array).alias(name))


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


def totals(raw: RawEvents, counts: DataFrame, day: date, top: int) -> dict[str, object]:
    """Return the run's numbers: rows read, rejected (by reason) and inactive, events, and rows each ranking must have."""

    def rows_ranked(score: str) -> Column:
        return F.sum(F.least(F.col(f"with_{score}"), F.lit(top)))

    by_advertiser = counts.groupBy("advertiser_id").agg(
        F.count("*").alias("products"),
        *[F.sum(name).alias(name) for name in ("views", "impressions", "clicks")],
        *[F.count_if(F.col(name) > 0).alias(f"with_{name}") for name in ("views", "impressions")],
        F.max(F.greatest("views", "impressions") > 0).alias("is_listed"),
    )
    overall = by_advertiser.agg(
        *[F.sum(name).alias(name) for name in ("products", "views", "impressions", "clicks")],
        rows_ranked("views").alias("top_product"),
        rows_ranked("impressions").alias("top_ctr"),
        F.count_if("is_listed").alias("listed_advertisers"),
    )
    numbers = {name: value or 0 for name, value in overall.collect()[0].asDict().items()}
    events = numbers["views"] + numbers["impressions"] + numbers["clicks"]
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
        **numbers,
    }
