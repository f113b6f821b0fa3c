"""The raw events of the days of one application: listed, read once, and what is known of them before any is counted."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from pyspark import StorageLevel
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from spark_jobs import raw_files
from spark_jobs.events import active_advertisers, events_of
from spark_jobs.raw_files import Located

EVENT_NAMES = tuple(each.name for each in raw_files.EVENT_INPUTS)
LIST_NAME = raw_files.ADVERTISER_IDS.name


@dataclass(frozen=True)
class Inputs:
    """The files of all three inputs that may hold what some days need, as listed before any was opened."""

    located: tuple[Located, ...]

    def files_of(self, day: date) -> dict[str, list[dict[str, Any]]]:
        """Return what was listed of `day`: by input, each file's path, size, time and ETag."""
        return {each.input.name: [asdict(file) for file in each.of(day)] for each in self.located}

    def of_one_day(self) -> list[str]:
        """Return the inputs that a day has to itself: the events, and the active advertisers where each day has a list."""
        return [each.input.name for each in self.located if each.input.name != LIST_NAME or each.dated_folder]


@dataclass(frozen=True)
class RawEvents:
    """What was read for the days of this application."""

    inputs: Inputs
    events: DataFrame
    """The columns of events.EVENTS, kept in memory and on disk; the lists of active advertisers are among them."""
    tallies: list[Row]
    """(input, day, reason, active, lines, fingerprint): how many lines were good (reason None) or rejected.

    Of events, without a day: those without a date (reason no_date) and, without a reason either, those of days not asked
    for. Of the lists, a row each active advertiser, whose id is `active`; without a day where one list serves every day.
    """

    def active_on(self, day: date) -> list[str]:
        """Return the ids of the advertisers active on `day`."""
        return sorted({row.active for row in self.tallies if row.active and row.day in (None, day)})

    def lines_of(self, day: date) -> dict[tuple[str, str | None], int]:
        """Return how many lines concern `day`, by input and reason."""
        lines: dict[tuple[str, str | None], int] = {}
        for row in self.tallies:
            if row.day == day or (row.day is None and row.reason):
                lines[row.input, row.reason] = lines.get((row.input, row.reason), 0) + row.lines
        return lines

    def has_rejects(self, day: date) -> bool:
        """Tell whether lines that concern `day` were rejected."""
        return any(reason for _, reason in self.lines_of(day))

    def rejected_shares(self, day: date) -> dict[str, float]:
        """Return by input which share of its lines was rejected, 0 to 1.

        Lines without a date are held against all lines of their files, the others against the lines of the day; the
        larger share counts.
        """

        def share(input_: str, days: tuple[date | None, ...], against: tuple[date | None, ...]) -> float:
            rows = [row for row in self.tallies if row.input == input_]
            lines = sum(row.lines for row in rows if row.day in against)
            return sum(row.lines for row in rows if row.day in days and row.reason) / lines if lines else 0.0

        everything = (None, *{row.day for row in self.tallies})
        return {
            name: round(max(share(name, (day,), (day,)), share(name, (None,), everything)), 6)
            for name in (*EVENT_NAMES, LIST_NAME)
        }

    def fingerprints(self, day: date) -> dict[str, str]:
        """Return by input a number that changes when a line of `day` is added, removed or altered, in any order."""
        sums = {
            name: str(sum(row.fingerprint for row in self.tallies if row.input == name and row.day == day))
            for name in EVENT_NAMES
        }
        return {**sums, LIST_NAME: hashlib.sha256("\n".join(self.active_on(day)).encode()).hexdigest()[:16]}

    def read_of(self, day: date) -> dict[str, dict[str, Any]]:
        """Return what the ledger keeps: by input, the files listed and the fingerprint of what they hold of `day`."""
        fingerprints = self.fingerprints(day)
        return {
            name: {"files": files, "fingerprint": fingerprints[name]}
            for name, files in self.inputs.files_of(day).items()
        }


def locate(spark: SparkSession, raw_uri: str, days: Sequence[date]) -> Inputs:
    """List the three inputs under `raw_uri` for `days`. InputError where one is missing."""
    wanted = (*raw_files.EVENT_INPUTS, raw_files.ADVERTISER_IDS)
    return Inputs(tuple(raw_files.locate(spark, raw_uri, each, days) for each in wanted))


def read_raw(spark: SparkSession, inputs: Inputs, days: Sequence[date]) -> RawEvents:
    """Scan the inputs once for `days`, and parse each distinct line once.

    InputError or Unreadable where an input lacks a needed column or cannot be read.
    """
    views, ads, lists = (raw_files.by_header(spark, each, days) for each in inputs.located)
    read = events_of(spark, [*views, *ads], days).unionByName(active_advertisers(spark, lists))
    read = read.persist(StorageLevel.MEMORY_AND_DISK)
    is_active = (F.col("input") == LIST_NAME) & F.col("reason").isNull()
    active = F.when(is_active, F.col("advertiser_id")).alias("active")  # a few thousand short strings
    tallies = read.groupBy("input", "day", "reason", active).agg(
        F.sum("lines").alias("lines"),
        F.sum(F.xxhash64("line", "lines").cast("decimal(20,0)")).alias("fingerprint"),
    )
    return RawEvents(inputs, read, tallies.collect())
