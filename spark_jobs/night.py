"""What a night does, in order: read, prepare, rank, append, audit, publish; once for each day of the application."""

import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from datetime import date, timedelta
from functools import partial
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from spark_jobs import __version__, lake
from spark_jobs.audit import Refused, audit_input, audit_rows, audit_volume
from spark_jobs.days import Days
from spark_jobs.explained import advertiser_counts
from spark_jobs.failures import in_one_line
from spark_jobs.models import LIST_TABLES, MODELS, lists
from spark_jobs.options import Options
from spark_jobs.past import DAYS_BACK, WINDOWS, with_past
from spark_jobs.prepare import most_common_rejects, of_active, prepare, rejects, totals, with_hidden
from spark_jobs.raw_events import RawEvents
from spark_jobs.settings import Storage
from spark_jobs.stages import stage
from spark_jobs.warehouse import Warehouse

REASONS_TO_SAY = 3

log = logging.getLogger("nightly")


class Failed(Exception):
    """A day failed; the log and the ledger have said why."""


class Stopped(BaseException):
    """A person or a scheduler asked the job to stop."""


class Nights:
    """The nights of one application: raw files are read once for all of its days."""

    def __init__(self, spark: SparkSession, warehouse: Warehouse, storage: Storage, options: Options) -> None:
        self.spark = spark
        self.warehouse = warehouse
        self.storage = storage
        self.options = options
        self.parameters = {"raw_uri": storage.raw_uri, "top": options.top, "allow_drop": options.allow_drop}
        self.parameters |= asdict(options.limits) | asdict(options.evidence) | {"windows": WINDOWS}
        self.days = Days(spark, warehouse, storage.raw_uri, options)

    def run(self) -> bool:
        """Rank and publish the asked days, oldest first, then those with late events; return whether no asked one is refused.

        A refused day does not keep those after it from being published; a failure ends the application.
        """
        try:
            states = [self.run_day(day) for day in self.options.days]
            for day in self.days.late():
                with suppress(Failed):  # log and ledger say it, and the next night tries again
                    self.run_day(day)
            if self.options.lookback and not self.options.dry_run:
                self.warehouse.mark_final(self.days.newest_final())
        finally:
            with suppress(Exception):  # the JVM may be gone, and the memory with it
                self.days.forget()
                for day, run in self.warehouse.dead_runs:
                    lake.remove_run(self.spark, self.storage.lake_uri, day, run)
        return "refused" not in states

    def run_day(self, day: date) -> str:
        """Take one day through a run of its own and return the state it ended in; whatever happens, the ledger says it."""
        began = time.monotonic()
        run = self.warehouse.open_run(day, __version__, self.spark.version, self.parameters)
        counts: dict[str, Any] = {}  # filled as the numbers become known, so that a run that ends early keeps them
        state = "failed"
        try:
            if self.days.is_unchanged(day):
                self.warehouse.forget_run(run)
                run, state = self.days.looks[day].run, "unchanged"
            else:
                self.prepare_and_append(day, run, counts)
                self.audit_and_publish(day, run, counts)
                state = "dry-run" if self.options.dry_run else "published"
        except Refused as refusal:
            state = "refused"
            log.error("%s is refused: %s", day, refusal)
            self.warehouse.close_run(run, state, str(refusal), counts)
        except Exception as error:
            state, reason = self._failed(run, in_one_line(error), counts)
            log.error("%s %s: %s", day, state, reason)
            if state == "failed":
                raise Failed(reason) from error
        except BaseException:
            state, _ = self._failed(run, "stopped by a signal", counts)
            log.error("%s %s: stopped by a signal", day, state)
            raise
        finally:
            seconds = round(time.monotonic() - began, 1)
            report = {"day": str(day), "run": run, "state": state, "counts": counts, "seconds": seconds}
            with suppress(BrokenPipeError):  # spark-submit, who reads this, may have been killed
                print(json.dumps(report), flush=True)
        if self.options.dry_run:
            self.warehouse.forget_run(run)
            lake.remove_run(self.spark, self.storage.lake_uri, day, run)
        return state

    def prepare_and_append(self, day: date, run: int, counts: dict[str, Any]) -> None:
        """Count the day's events into the lake, rank them by every model and append the rows under the run."""
        raw, lake_uri = self.days.raw, self.storage.lake_uri
        past = self._past_of(day)
        self.warehouse.note_inputs(run, raw.read_of(day) | {"lake": {str(day): of_day for day, of_day in past.items()}})
        with stage(f"{day} prepare") as rows:
            counted = prepare(raw, lake_uri, day, run)
            rows.append(sum(raw.lines_of(day).values()))
        self._say_what_was_rejected(raw, day)
        with stage(f"{day} rank and append") as rows:
            before = of_active(lake.read_past(counted, lake_uri, day, past), raw.active_on(day))
            products = with_hidden(with_past(counted, before), self.warehouse.hidden_products()).persist()
            tables = lists(products, self.options.top, self.options.evidence)
            tables["advertiser_counts"] = partial(self._explained, products, day)
            side_by_side = ThreadPoolExecutor()  # what one of them waits for, another works meanwhile
            try:
                counting = side_by_side.submit(totals, raw, products, day, self.options)
                list(side_by_side.map(lambda table: self.warehouse.append(tables[table](), table, day, run), tables))
                counts.update(counting.result())
            finally:
                side_by_side.shutdown(wait=False)  # told to stop, nobody waits for what Spark is at
                products.unpersist()
            rows.append(sum(counts[table] for table in LIST_TABLES))

    def audit_and_publish(self, day: date, run: int, counts: dict[str, Any]) -> None:
        """Let readers see the run, if the audit finds nothing and it is no dry run."""
        raw, limits = self.days.raw, self.options.limits
        active = raw.active_on(day)
        with stage(f"{day} audit"):
            counts["usual_events"] = self.warehouse.usual_events(day)
            counts |= self._scorecards(day, run)
            findings = audit_input(raw, day, counts, limits)
            findings += [] if self.options.allow_drop else audit_volume(counts, limits)
            findings += audit_rows(self.warehouse, run, day, counts, active, self.options.top)
            if findings:
                raise Refused("; ".join(findings))
        if self.options.dry_run:
            self._say_what_would_change(day, run, counts)
        else:
            with stage(f"{day} publish"):
                self.warehouse.publish(run, day, counts, active)

    def _past_of(self, day: date) -> dict[date, int]:
        """Return, by day, the published runs of the days before whose counts the lake still has."""
        runs = self.warehouse.published_runs(day - timedelta(days=DAYS_BACK), day - timedelta(days=1))
        return lake.kept(self.spark, self.storage.lake_uri, runs)

    def _explained(self, products: DataFrame, day: date) -> DataFrame:
        raw = self.days.raw
        rejected = of_active(rejects(raw, day), raw.active_on(day)) if raw.has_rejects(day) else None
        return advertiser_counts(products, rejected)

    def _scorecards(self, day: date, run: int) -> dict[str, dict[str, int]]:
        """Return how the lists of the day before did on this one, by model; nothing where that day is not published."""
        before = self.warehouse.published_run(day - timedelta(days=1))
        if before is None:
            return {}
        return {
            f"scorecard_{table}": {"of_run": before} | self.warehouse.scorecard(run, before, table) for table in MODELS
        }

    def _failed(self, run: int, reason: str, counts: dict[str, Any]) -> tuple[str, str]:
        """End the run as failed; return its state and why. It is published where only the answer to the commit was lost."""
        with suppress(Exception):  # what Spark still does for the run is for nothing
            self.spark.sparkContext.cancelAllJobs()
        return self.warehouse.close_run(run, "failed", reason, counts), reason

    def _say_what_was_rejected(self, raw: RawEvents, day: date) -> None:
        if raw.has_rejects(day):
            for row in most_common_rejects(raw, day, REASONS_TO_SAY):
                example = ascii(row.example)  # whatever bytes it holds, one line of a log
                log.warning("%s rejected %s lines, %s, such as %s", day, f"{row.lines:,}", row.reason, example)

    def _say_what_would_change(self, day: date, run: int, counts: dict[str, Any]) -> None:
        published = self.warehouse.published_run(day)
        counts["changes"] = changes = self.warehouse.changes(run, published)
        log.info("%s would change, against %s:", day, f"run {published}" if published else "no published run")
        for table in MODELS:
            log.info("  %s: %s", table, ", ".join(f"{count:,} {what}" for what, count in changes[table].items()))
        for advertiser, count in changes["advertisers"].items():
            log.info("  advertiser %s: %s products", advertiser, f"{count:,}")
