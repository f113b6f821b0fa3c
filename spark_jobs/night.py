"""What a night does, in order: read, prepare, rank, append, audit, publish; once for each day of the application."""

import json
import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
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
from spark_jobs.failures import SPARK_HAS_ENDED, has_ended, in_one_line
from spark_jobs.models import LIST_TABLES, MODELS, rank_all, rows_of, tables_of
from spark_jobs.options import Options
from spark_jobs.past import DAYS_BACK, WINDOWS, with_past
from spark_jobs.prepare import most_common_rejects, of_active, prepare, rejects, totals, with_hidden
from spark_jobs.raw_events import RawEvents
from spark_jobs.settings import Storage
from spark_jobs.stages import stage
from spark_jobs.warehouse import Warehouse

REASONS_TO_SAY = 3
BY_A_SIGNAL = "stopped by a signal"

log = logging.getLogger("nightly")


class Failed(Exception):
    """A day failed; the log and the ledger have said why."""


class Stopped(BaseException):
    """A person or a scheduler asked the job to stop."""


def side_by_side(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Return what the calls return, all of them made at once: what one of them waits for, another works meanwhile."""
    pool = ThreadPoolExecutor(len(calls))
    try:
        called = [pool.submit(call) for call in calls]
        for each in as_completed(called):
            each.result()  # the first failure is the failure of all
        return [each.result() for each in called]
    finally:
        pool.shutdown(wait=False)  # told to stop, nobody waits for what Spark is at


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
            self.clear_up()
        return "refused" not in states

    def run_day(self, day: date) -> str:
        """Take one day through a run of its own and return the state it ended in; whatever happens, the ledger says it."""
        run = self.open_run(day)
        counts: dict[str, Any] = {}  # filled as the numbers become known, so that a run that ends early keeps them

        def work() -> tuple[int, str]:
            if self.days.is_unchanged(day):
                self.warehouse.forget_run(run)
                return self.days.looks[day].run, "unchanged"
            inputs = self.prepare_and_append(day, run, counts)
            self.audit_and_publish(day, run, counts, inputs, self.days.raw.active_on(day))
            return run, "dry-run" if self.options.dry_run else "published"

        state = self.account_for(day, run, counts, work)
        if self.options.dry_run:
            self.warehouse.forget_run(run)
            lake.remove_run(self.spark, self.storage.lake_uri, day, run)
        return state

    def open_run(self, day: date) -> int:
        """Enter a new run of the day into the ledger."""
        return self.warehouse.open_run(day, __version__, self.spark.version, self.parameters)

    def account_for(
        self, day: date, run: int, counts: dict[str, Any], work: Callable[[], tuple[int, str]], closes: bool = True
    ) -> str:
        """Do the work, which returns run and state, and report how it ended; a refusal is an end, and a failure is Failed.

        `closes` says whether a failure ends the run, or leaves it to be tried again.
        """
        began = time.monotonic()
        state = "failed"
        try:
            run, state = work()
        except Refused as refusal:
            state = "refused"
            log.error("%s is refused: %s", day, refusal)
            self._close(run, state, str(refusal), counts)
        except Exception as error:
            state, reason = self._failed(run, self._why(error), counts, closes)
            log.error("%s %s: %s", day, state, reason)
            if state == "failed":
                raise Failed(reason) from error
        except BaseException:
            state, _ = self._failed(run, BY_A_SIGNAL, counts, closes)
            log.error("%s %s: %s", day, state, BY_A_SIGNAL)
            raise
        finally:
            seconds = round(time.monotonic() - began, 1)
            report = {"day": str(day), "run": run, "state": state, "counts": counts, "seconds": seconds}
            with suppress(BrokenPipeError):  # spark-submit, who reads this, may have been killed
                print(json.dumps(report), flush=True)
        return state

    def clear_up(self) -> None:
        """Let go of memory, and remove from the lake what dead runs left there."""
        with suppress(Exception):  # the JVM may be gone, and the memory with it
            self.days.forget()
            for day, run in self.warehouse.dead_runs:
                lake.remove_run(self.spark, self.storage.lake_uri, day, run)

    def prepare_and_append(self, day: date, run: int, counts: dict[str, Any]) -> dict[str, Any]:
        """Count the day's events into the lake, rank them by every model and append the rows under the run.

        Returns what the run read, as the ledger keeps it.
        """
        past = self.past_of(day)
        counted, inputs = self.prepare(day, run, past)
        with stage(f"{day} rank and append") as rows:
            hidden = self.warehouse.hidden_products()
            products = self.products(counted, day, past, self.days.raw.active_on(day), hidden).persist()
            try:
                self.count_and_explain(
                    products, day, run, counts, partial(self.append_lists, products, MODELS.keys(), day, run)
                )
            finally:
                products.unpersist()
            rows.append(sum(counts[table] for table in LIST_TABLES))
        return inputs

    def prepare(self, day: date, run: int, past: Mapping[date, int]) -> tuple[DataFrame, dict[str, Any]]:
        """Count the day's events into the lake; return the counts, and what the run read, as the ledger keeps it."""
        raw = self.days.raw
        inputs = raw.read_of(day) | {"lake": {str(day): of_day for day, of_day in past.items()}}
        self.warehouse.note_inputs(run, inputs)
        with stage(f"{day} prepare") as rows:
            counted = prepare(raw, self.storage.lake_uri, day, run)
            rows.append(sum(raw.lines_of(day).values()))
        self._say_what_was_rejected(raw, day)
        return counted, inputs

    def products(
        self,
        counted: DataFrame,
        day: date,
        past: Mapping[date, int],
        active: Sequence[str],
        hidden: Sequence[tuple[str, str]],
    ) -> DataFrame:
        """Return the products as the models rank them: the day's counts with their past, and whether each is hidden."""
        before = of_active(lake.read_past(counted, self.storage.lake_uri, day, past), active)
        return with_hidden(with_past(counted, before), hidden)

    def count_and_explain(
        self, products: DataFrame, day: date, run: int, counts: dict[str, Any], *meanwhile: Callable[[], Any]
    ) -> None:
        """Put the run's numbers into `counts`, append what explains every product's place, and do what else there is."""
        numbers, *_ = side_by_side(
            [
                partial(totals, self.days.raw, products, day, self.options),
                lambda: self.warehouse.append(self._explained(products, day), "advertiser_counts", day, run),
                *meanwhile,
            ]
        )
        counts.update(numbers)

    def append_lists(self, products: DataFrame, models: Collection[str], day: date, run: int) -> None:
        """Rank the products by the models and append their lists."""
        ranked = rank_all(products, self.options.top, self.options.evidence, models).persist()
        try:
            tables = tables_of(models)
            side_by_side([partial(self.warehouse.append, rows_of(each, ranked), each, day, run) for each in tables])
        finally:
            ranked.unpersist()

    def audit_and_publish(
        self, day: date, run: int, counts: dict[str, Any], inputs: Mapping[str, Any], active: list[str]
    ) -> None:
        """Let readers see the run, if the audit finds nothing and it is no dry run."""
        limits = self.options.limits
        with stage(f"{day} audit"):
            counts["usual_events"] = self.warehouse.usual_events(day)
            counts |= self._scorecards(day, run)
            findings = audit_input(inputs, day, counts, limits)
            findings += [] if self.options.allow_drop else audit_volume(counts, limits)
            findings += audit_rows(self.warehouse, run, day, counts, active, self.options.top)
            if findings:
                raise Refused("; ".join(findings))
        if self.options.dry_run:
            self._say_what_would_change(day, run, counts)
        else:
            with stage(f"{day} publish"):
                self.warehouse.publish(run, day, counts, active)

    def past_of(self, day: date) -> dict[date, int]:
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
        scorecards = self.warehouse.scorecards(run, before)
        return {f"scorecard_{table}": {"of_run": before} | numbers for table, numbers in scorecards.items()}

    def _why(self, error: Exception) -> str:
        """Say why the run failed. Whoever is told to stop while Spark is asked need not ask any more."""
        try:
            return SPARK_HAS_ENDED if has_ended(self.spark) else in_one_line(error)
        except Stopped:
            return BY_A_SIGNAL

    def _failed(self, run: int, reason: str, counts: dict[str, Any], closes: bool) -> tuple[str, str]:
        """End the run as failed; return its state and why. It is published where only the answer to the commit was lost."""
        with suppress(Exception, Stopped):  # what Spark still does for the run is for nothing
            self.spark.sparkContext.cancelAllJobs()
        return self._close(run, "failed", reason, counts) if closes else "failed", reason

    def _close(self, run: int, state: str, reason: str, counts: dict[str, Any]) -> str:
        """End the run. A run that ends for another reason is ended, too, if the job is told to stop in the midst of it.

        So it is when spark-submit is stopped: first Spark is gone, which is a failure, and a moment later comes the signal.
        """
        try:
            return self.warehouse.close_run(run, state, reason, counts)
        except Stopped:
            return self.warehouse.close_run(run, state, reason, counts)

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
