"""Daily counts, each active advertiser's events by product and day, and the rejected rows that are not counted."""

from collections.abc import Mapping
from datetime import date
from functools import partial

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from spark_jobs import lake
from spark_jobs.actions import cached, run_concurrently
from spark_jobs.filters import keep_active
from spark_jobs.raw.events import EVENT_NAMES, RawEvents

LONGEST_EXAMPLE = 120  # characters


def write_daily_counts(raw: RawEvents, lake_uri: str, runs: Mapping[date, int]) -> None:
    """Write each day's counts and rejected rows to the lake, under the day's run."""
    is_good = F.col("input").isin(*EVENT_NAMES) & F.col("reason").isNull()
    good = raw.events.where(is_good).withColumnRenamed("day", "date")
    good_of_active = keep_active(good, raw.active_advertisers(runs))

    def write_counts(counts: DataFrame, day: date) -> None:
        of_day = counts.where(F.col("date") == F.lit(day)).drop("date")
        lines = sum(raw.lines_of(day).values())  # each may be of another product
        lake.write_counts(of_day, lines, lake_uri, day, runs[day])

    def write_rejects(day: date) -> None:
        of_day = rejects_of_runs(raw, {day: runs[day]}).select("input", "file", "reason", "lines", "line")
        rejected = sum(lines for (_, reason), lines in raw.lines_of(day).items() if reason)
        lake.write_rejects(of_day, rejected, lake_uri, day, runs[day])

    with cached(daily_counts(good_of_active)) as counts:
        writes = [partial(write_counts, counts, day) for day in runs]
        writes += [partial(write_rejects, day) for day in runs if raw.has_rejects(day)]
        run_concurrently(writes)


def daily_counts(events: DataFrame) -> DataFrame:
    """Count valid events: (date, advertiser_id, product_id, views, impressions, clicks)."""

    def count_of(event_type: str) -> Column:
        return F.sum(F.when(F.col("type") == event_type, F.col("lines")).otherwise(0))

    return events.groupBy("date", "advertiser_id", "product_id").agg(
        count_of("view").alias("views"), count_of("impression").alias("impressions"), count_of("click").alias("clicks")
    )


def rejects_of_runs(raw: RawEvents, runs: Mapping[date, int]) -> DataFrame:
    """Return the rejected rows that concern the runs' days: the columns of lines.EVENTS, run_id and date.

    A row without a day concerns every run.
    """
    each_run = F.array(
        *[F.struct(F.lit(run).cast("bigint").alias("run_id"), F.lit(day).alias("date")) for day, run in runs.items()]
    )
    rejected = raw.events.where("reason is not null").select("*", F.inline(each_run))
    return rejected.where("day is null or day = date")


def rejects_by_reason(raw: RawEvents, runs: Mapping[date, int]) -> list[Row]:
    """Read why rows were rejected: (date, reason, lines, example), by day, the most frequent reason first."""
    example = F.min(F.substring("line", 1, LONGEST_EXAMPLE)).alias("example")
    by_reason = rejects_of_runs(raw, runs).groupBy("date", "reason").agg(F.sum("lines").alias("lines"), example)
    return by_reason.orderBy("date", F.desc("lines"), "reason").collect()
