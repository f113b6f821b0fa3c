"""From raw files to a day's counts: read once for all days of the application, then count and quarantine day by day."""

from dataclasses import dataclass
from datetime import date

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from spark_jobs import lake, raw_files
from spark_jobs.events import active_advertisers, daily_counts, events_of


@dataclass(frozen=True)
class RawEvents:
    """What was read for the days of this application."""

    events: DataFrame
    """The columns of events.EVENTS, kept in memory and on disk; `advertiser_ids` only where rejected."""
    active: list[Row]
    """(day, advertiser_id), one row an active advertiser; `day` is None where one list serves every day."""
    tallies: list[Row]
    """(input, day, reason, lines): how many lines were good (reason None) or rejected; `day` may be None."""

    def active_on(self, day: date) -> list[str]:
        """Return the ids of the advertisers active on `day`."""
        return sorted({row.advertiser_id for row in self.active if row.day in (None, day)})

    def lines_of(self, day: date) -> dict[tuple[str, str | None], int]:
        """Return how many lines concern `day`, by input and reason."""
        lines: dict[tuple[str, str | None], int] = {}
        for row in self.tallies:
            if row.day in (None, day):
                lines[row.input, row.reason] = lines.get((row.input, row.reason), 0) + row.lines
        return lines


def read_raw(spark: SparkSession, raw_uri: str, days: list[date]) -> RawEvents:
    """Find the three inputs under `raw_uri`, scan them once for `days`, and parse each distinct line once.

    InputError where an input is missing or unreadable, or lacks a needed column.
    """
    views, ads, lists = (
        raw_files.find(spark, raw_uri, wanted, days)
        for wanted in (raw_files.PRODUCT_VIEWS, raw_files.ADS_VIEWS, raw_files.ADVERTISER_IDS)
    )
    listed = active_advertisers(spark, lists)
    is_good = F.col("reason").isNull()
    active = listed.where(is_good).select("day", "advertiser_id").collect()  # a few thousand short strings
    events = events_of(spark, [*views, *ads], days).unionByName(listed.where(~is_good))
    events = events.persist(StorageLevel.MEMORY_AND_DISK)
    tallies = events.groupBy("input", "day", "reason").agg(F.sum("lines").alias("lines")).collect()
    return RawEvents(events, active, tallies)


def prepare(raw: RawEvents, lake_uri: str, day: date, run: int) -> DataFrame:
    """Count the day's good events of active advertisers into the lake, and quarantine its rejected lines there.

    Returns the counts as the lake holds them: (advertiser_id, product_id, views, impressions, clicks).
    """
    spark = raw.events.sparkSession
    of_day = raw.events.where(F.col("day") == F.lit(day))
    active = spark.createDataFrame([(each,) for each in raw.active_on(day)], "advertiser_id string")
    good = of_day.where(F.col("reason").isNull())
    counts = daily_counts(good.join(F.broadcast(active), "advertiser_id", how="left_semi"))
    if any(reason for _, reason in raw.lines_of(day)):
        of_no_day = raw.events.where(F.col("day").isNull())
        rejects = of_day.unionByName(of_no_day).where(F.col("reason").isNotNull())
        lake.write_rejects(rejects.select("input", "reason", "lines", "line"), lake_uri, day, run)
    return lake.write_counts(counts, lake_uri, day, run)


def totals(raw: RawEvents, counts: DataFrame, day: date, top: int) -> dict[str, object]:
    """Return the run's numbers: rows read, rejected (by reason) and inactive, events, and rows each ranking must have."""

    def rows_ranked(score: str) -> Column:
        return F.sum(F.least(F.col(f"with_{score}"), F.lit(top)))

    by_advertiser = counts.groupBy("advertiser_id").agg(
        F.count("*").alias("products"),
        *[F.sum(name).alias(name) for name in ("views", "impressions", "clicks")],
        *[F.count_if(F.col(name) > 0).alias(f"with_{name}") for name in ("views", "impressions")],
    )
    overall = by_advertiser.agg(
        *[F.sum(name).alias(name) for name in ("products", "views", "impressions", "clicks")],
        rows_ranked("views").alias("top_product"),
        rows_ranked("impressions").alias("top_ctr"),
    )
    numbers = {name: value or 0 for name, value in overall.collect()[0].asDict().items()}
    events = numbers["views"] + numbers["impressions"] + numbers["clicks"]
    lines = raw.lines_of(day)
    inputs = (raw_files.PRODUCT_VIEWS.name, raw_files.ADS_VIEWS.name)
    good = sum(lines.get((name, None), 0) for name in inputs)
    return {
        "read": {name: sum(n for (input_, _), n in lines.items() if input_ == name) for name in inputs},
        "rejected": {
            reason: sum(n for (_, each), n in lines.items() if each == reason)
            for reason in sorted({reason for _, reason in lines if reason})
        },
        "inactive": good - events,
        "active_advertisers": len(raw.active_on(day)),
        "events": events,
        **numbers,
    }
