"""The raw events of the requested days: list the input files, read them once, and keep what was read."""

import hashlib
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import reduce
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark import StorageLevel
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from spark_jobs.failures import clean_text, in_one_line
from spark_jobs.file_system import Unreadable
from spark_jobs.raw.copies import copy_records, copy_unreadable, refuse_long_lines
from spark_jobs.raw.inputs import ADVERTISER_IDS, EVENT_INPUTS
from spark_jobs.raw.lines import NEEDS_SPARK, OPEN_QUOTE, count_lines
from spark_jobs.raw.listing import Inputs
from spark_jobs.raw.readers import COMET_ENABLED, OpenedInput, RawFiles, group_files, open_files
from spark_jobs.raw.rows import count_rows
from spark_jobs.raw.validate import DOUBTFUL_ID, EVENTS, validate

EVENT_NAMES = tuple(each.name for each in EVENT_INPUTS)
LIST_NAME = ADVERTISER_IDS.name
NAMES_AN_ADVERTISER = f"input = '{LIST_NAME}' and reason is null"
"""Whether a row of the events is a good line of the list of active advertisers."""

log = logging.getLogger("nightly")


@dataclass(frozen=True)
class RawEvents:
    """What was read for the requested days."""

    inputs: Inputs
    events: DataFrame
    """The columns of validate.EVENTS, persisted. It includes the lists of active advertisers."""
    tallies: list[Row]
    """(input, day, reason, note, active, lines, fingerprint): how many lines are good (no reason) or rejected.

    `day` is null for event lines without a date (reason no_date), and for lines of other days (no reason). For the list
    of advertisers there is a row for each active advertiser, whose id is `active`; its `day` is null if one list serves
    every day.
    """

    same_data: Mapping[str, Sequence[Sequence[str]]]
    """By input, the files that hold the same data as another of their day."""
    seconds: float
    """How long reading took."""

    def active_on(self, day: date) -> list[str]:
        """Return the ids of the advertisers active on `day`."""
        return sorted({row.active for row in self.tallies if row.active and row.day in (None, day)})

    def active_advertisers(self, days: Iterable[date]) -> DataFrame:
        """Return who is active on each of the days: (date, advertiser_id)."""
        listed = self.events.where(NAMES_AN_ADVERTISER)
        each_day = F.array(*map(F.lit, days))
        days_of_row = F.when(F.col("day").isNull(), each_day).otherwise(F.array("day"))
        return listed.select(F.explode(days_of_row).alias("date"), "advertiser_id")

    def lines_of(self, day: date) -> dict[tuple[str, str | None], int]:
        """Return how many lines concern `day`, by input and reason."""
        lines: dict[tuple[str, str | None], int] = {}
        for row in self.tallies:
            if row.day == day or (row.day is None and row.reason):
                lines[row.input, row.reason] = lines.get((row.input, row.reason), 0) + row.lines
        return lines

    def has_rejects(self, day: date) -> bool:
        """Return whether lines that concern `day` were rejected."""
        return any(reason for _, reason in self.lines_of(day))

    def rejected_shares(self, day: date) -> dict[str, float]:
        """Return the rejected share of each input's lines, from 0 to 1.

        Lines without a date are compared with all lines of the input, other rejected lines with the lines of the day. The
        larger share counts.
        """

        def share(name: str, rejected_of: tuple[date | None, ...], lines_of: tuple[date | None, ...]) -> float:
            rows = [row for row in self.tallies if row.input == name]
            lines = sum(row.lines for row in rows if row.day in lines_of)
            return sum(row.lines for row in rows if row.day in rejected_of and row.reason) / lines if lines else 0.0

        every_day = (None, *{row.day for row in self.tallies})
        return {
            name: round(max(share(name, (day,), (day,)), share(name, (None,), every_day)), 6)
            for name in (*EVENT_NAMES, LIST_NAME)
        }

    def fingerprints(self, day: date) -> dict[str, str]:
        """Return a number for each input that changes if a line of `day` is added, removed or changed, in any order."""
        sums = {
            name: str(sum(row.fingerprint for row in self.tallies if row.input == name and row.day == day))
            for name in EVENT_NAMES
        }
        return {**sums, LIST_NAME: hashlib.sha256("\n".join(self.active_on(day)).encode()).hexdigest()[:16]}

    def warnings(self) -> list[str]:
        """Return what a person should know of the input: a sentence for each input that looks wrong."""
        found = [
            f"{path} is ignored: its name follows no rule of docs/input-files.md"
            for located in self.inputs.located
            for path in located.ignored
        ]
        for name in (*EVENT_NAMES, LIST_NAME):
            lines = sum(row.lines for row in self.tallies if row.input == name and row.note == DOUBTFUL_ID)
            if lines:
                found.append(
                    f"{name} has {lines:,} lines with an id like 20459871.0 or NULL; such an id is kept as it is"
                )
        return found

    def read_of(self, day: date) -> dict[str, dict[str, Any]]:
        """Return what the ledger stores of each input: a summary of its files and the fingerprint of their lines of `day`.

        If there are any, names that were ignored and files that hold the same data are there as well.
        """
        fingerprints, listed = self.fingerprints(day), self.inputs.listing_of(day)
        read: dict[str, dict[str, Any]] = {name: listed[name] | {"fingerprint": fingerprints[name]} for name in listed}
        for located in self.inputs.located:
            if located.ignored:
                read[located.input.name]["ignored"] = [clean_text(path) for path in located.ignored]
            same_data = [
                paths for paths in self.same_data[located.input.name] if located.day_of(paths[0]) in (None, day)
            ]
            if same_data:
                read[located.input.name]["same_data"] = [[clean_text(path) for path in paths] for paths in same_data]
        return read


def read_raw(spark: SparkSession, inputs: Inputs, days: Sequence[date]) -> RawEvents:
    """Read the inputs once for `days`, and parse each distinct line once.

    Raises InputError or Unreadable if a file cannot be read exactly, or lacks a needed column.
    """
    began = time.monotonic()
    opened = [copy_unreadable(spark, open_files(spark, located, days)) for located in inputs.located]
    opened, events, tallies = _read_with_comet_if_exact(spark, opened, days)
    with_open_quotes = _inputs_with(OPEN_QUOTE, tallies)
    joined = [copy_records(spark, each) if each.located.input.name in with_open_quotes else each for each in opened]
    if joined != opened:
        events.unpersist()
        opened, events, tallies = _read_with_comet_if_exact(spark, joined, days)
    same_data = {each.located.input.name: each.same_data for each in opened}
    raw = RawEvents(inputs, events, tallies, same_data, time.monotonic() - began)
    for warning in raw.warnings():
        log.warning("%s", clean_text(warning))
    return raw


def _read_with_comet_if_exact(
    spark: SparkSession, opened: list[OpenedInput], days: Sequence[date]
) -> tuple[list[OpenedInput], DataFrame, list[Row]]:
    """Read with Comet where it is exact, and read the other inputs again with Spark. Return how each was read."""
    by_comet = [each.located.input.name for each in opened if each.by_comet]
    log.info("reading with %s", f"Comet: {', '.join(by_comet)}" if by_comet else "Spark, without Comet")
    try:
        events, tallies = _read_and_tally(spark, opened, days)
        again = _inputs_with(NEEDS_SPARK, tallies)
        reason = "it has a CR inside a line"
    except Unreadable as error:
        again = set(by_comet)
        reason = f"Comet failed: {error}"
        if not again:
            raise
    else:
        if not again:
            return opened, events, tallies
        events.unpersist()
    log.info("%s: read again without Comet, because %s", ", ".join(sorted(again)), clean_text(reason))
    opened = [replace(each, by_comet=each.by_comet and each.located.input.name not in again) for each in opened]
    if any(each.by_comet for each in opened):
        return opened, *_read_and_tally(spark, opened, days)
    with _without_comet(spark):
        return opened, *_read_and_tally(spark, opened, days)


@contextmanager
def _without_comet(spark: SparkSession) -> Iterator[None]:
    """Switch Comet off for Parquet, too: unlike Spark, it does not name the file that it cannot read."""
    before = str(spark.conf.get(COMET_ENABLED, "true"))
    spark.conf.set(COMET_ENABLED, "false")
    try:
        yield
    finally:
        spark.conf.set(COMET_ENABLED, before)


def _inputs_with(note: str, tallies: Sequence[Row]) -> set[str]:
    return {row.input for row in tallies if row.note == note}


def _read_and_tally(
    spark: SparkSession, opened: Sequence[OpenedInput], days: Sequence[date]
) -> tuple[DataFrame, list[Row]]:
    """Return the persisted events and the tallies that RawEvents has."""
    frames = [
        read_source(spark, source, days if each.located.input in EVENT_INPUTS else ())
        for each in opened
        for source in group_files(each)
    ]
    events = reduce(DataFrame.unionByName, frames) if frames else spark.createDataFrame([], EVENTS)
    events = events.persist(StorageLevel.MEMORY_AND_DISK)
    active = F.when(F.expr(NAMES_AN_ADVERTISER), F.col("advertiser_id")).alias("active")  # short strings
    tallies = events.groupBy("input", "day", "reason", "note", active).agg(
        F.sum("lines").alias("lines"),
        F.sum(F.col("fingerprint").cast("decimal(20,0)")).alias("fingerprint"),
    )
    try:
        return events, tallies.collect()
    except (Py4JJavaError, PySparkException) as error:
        events.unpersist()
        reason = in_one_line(error)
        if "OutOfMemoryError" in reason:
            for each in opened:
                refuse_long_lines(spark, each)
        raise Unreadable(reason) from error


def read_source(spark: SparkSession, source: RawFiles, days: Sequence[date] = ()) -> DataFrame:
    """Return the validated lines of some files that are read together: the columns of EVENTS."""
    counted = count_rows(spark, source, days) if source.is_parquet else count_lines(spark, source, days)
    return validate(counted, source, days)
