"""What a night does, in order: read, prepare, rank, append, audit, publish; once for each day of the application."""

import json
import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from spark_jobs import __version__, lake
from spark_jobs.audit import Refused, audit
from spark_jobs.failures import in_one_line
from spark_jobs.prepare import RawEvents, prepare, read_raw, totals
from spark_jobs.ranking import top_ctr, top_product
from spark_jobs.settings import Storage
from spark_jobs.warehouse import Warehouse

RANKINGS = {"top_product": top_product, "top_ctr": top_ctr}
"""Each ranking under the name of its table."""

log = logging.getLogger("nightly")


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    days: tuple[date, ...]
    top: int
    allow_drop: bool
    dry_run: bool


class Failed(Exception):
    """A day failed; the log and the ledger have said why."""


class Nights:
    """The nights of one application: raw files are read once for all of its days."""

    def __init__(self, spark: SparkSession, warehouse: Warehouse, storage: Storage, options: Options) -> None:
        self.spark = spark
        self.warehouse = warehouse
        self.storage = storage
        self.options = options

    @cached_property
    def raw(self) -> RawEvents:
        """The raw events of all days, read when the first day needs them."""
        with stage("read raw files") as rows:
            raw = read_raw(self.spark, self.storage.raw_uri, list(self.options.days))
            rows.append(sum(tally.lines for tally in raw.tallies))
        return raw

    def run(self) -> bool:
        """Rank and publish day by day, oldest first; return whether the audit passed all of them.

        A refused day does not keep those after it from being published; a failure ends the application.
        """
        try:
            states = [self.run_day(day) for day in self.options.days]
        finally:
            if "raw" in vars(self):
                self.raw.events.unpersist()
        return "refused" not in states

    def run_day(self, day: date) -> str:
        """Take one day through a run of its own and return the state it ended in; whatever happens, the ledger says it."""
        began = time.monotonic()
        parameters = {"raw_uri": self.storage.raw_uri, "top": self.options.top, "allow_drop": self.options.allow_drop}
        run = self.warehouse.open_run(day, __version__, self.spark.version, parameters)
        counts: dict[str, Any] = {}  # filled as the numbers become known, so that a run that ends early keeps them
        state = "failed"
        try:
            self.prepare_and_append(day, run, counts)
            self.audit_and_publish(day, run, counts)
            state = "dry-run" if self.options.dry_run else "published"
        except Refused as refusal:
            state = "refused"
            log.error("%s is refused: %s", day, refusal)
            self.warehouse.close_run(run, state, str(refusal), counts)
        except Exception as error:
            reason = in_one_line(error)
            log.error("%s failed: %s", day, reason)
            self.warehouse.close_run(run, state, reason, counts)
            raise Failed(reason) from error
        except BaseException:
            self.warehouse.close_run(run, state, "stopped by a signal", counts)
            raise
        finally:
            seconds = round(time.monotonic() - began, 1)
            last_line = {"day": str(day), "run": run, "state": state, "counts": counts, "seconds": seconds}
            print(json.dumps(last_line), flush=True)
        if self.options.dry_run:
            self.warehouse.forget_run(run)
            lake.remove_run(self.spark, self.storage.lake_uri, day, run)
        return state

    def prepare_and_append(self, day: date, run: int, counts: dict[str, Any]) -> None:
        """Count the day's events into the lake, rank them by every model and append the rows under the run."""
        raw = self.raw
        with stage(f"{day} prepare") as rows:
            products = prepare(raw, self.storage.lake_uri, day, run)
            counts.update(totals(raw, products, day, self.options.top))
            rows.append(counts["events"])
        with stage(f"{day} rank and append") as rows, ThreadPoolExecutor() as side_by_side:
            list(side_by_side.map(lambda table: self._append(products, table, day, run), RANKINGS))
            rows.append(sum(counts[table] for table in RANKINGS))

    def audit_and_publish(self, day: date, run: int, counts: dict[str, Any]) -> None:
        """Let readers see the run, if the audit finds nothing and it is no dry run."""
        active = self.raw.active_on(day)
        with stage(f"{day} audit"):
            audit(self.warehouse, run, day, counts, active, self.options.top, self.options.allow_drop)
        if not self.options.dry_run:
            with stage(f"{day} publish"):
                self.warehouse.publish(run, day, counts, active)

    def _append(self, products: DataFrame, table: str, day: date, run: int) -> None:
        self.warehouse.append(RANKINGS[table](products, self.options.top), table, day, run)


@contextmanager
def stage(name: str) -> Iterator[list[int]]:
    """Log a stage in one line: its name, the rows that the caller puts into the list, its seconds."""
    rows: list[int] = []
    began = time.monotonic()
    yield rows
    log.info("%s: %s%.1f s", name, "".join(f"{count:,} rows, " for count in rows), time.monotonic() - began)
