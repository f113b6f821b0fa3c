"""A night in steps, each a process of its own, for a scheduler that starts, watches and repeats them one by one.

`prepare` opens a run of the day, counts into the lake and hands the run on; a step a model, in any order or side by side,
ranks from there; `publish` audits and publishes. Between steps nobody holds the day, and the ledger has all they must agree
on. Every step may be repeated: a prepare begins anew, a model's step replaces its own rows, and publish once done is done.
"""

import json
import logging
from datetime import date

from pyspark.sql import SparkSession

from spark_jobs import lake
from spark_jobs.models import MODELS, tables_of
from spark_jobs.night import Nights
from spark_jobs.options import Options
from spark_jobs.runs import Run
from spark_jobs.settings import ConfigurationError, Storage
from spark_jobs.stages import stage
from spark_jobs.warehouse import HandedOn, Warehouse

PREPARE, PUBLISH = "prepare", "publish"
STEPS = (PREPARE, *MODELS, PUBLISH)

log = logging.getLogger("nightly")


class NotPrepared(Exception):
    """There is no run of the day that waits for its next step."""


def hold(warehouse: Warehouse, step: str, day: date) -> None:
    """Lock what the step needs: the day, or, so that models go side by side, their tables; DayIsHeld if it is taken."""
    if step == PREPARE:
        warehouse.hold([day])
    elif step == PUBLISH:
        warehouse.hold_as_it_is(day)
    else:
        warehouse.hold_table(step, day)


class Steps:
    """One step of one day."""

    def __init__(self, spark: SparkSession, warehouse: Warehouse, storage: Storage, options: Options) -> None:
        self.spark = spark
        self.warehouse = warehouse
        self.storage = storage
        self.options = options
        self.nights = Nights(spark, warehouse, storage, options)
        [self.day] = options.days

    def run(self) -> bool:
        """Do the step; return whether the day is not refused.

        NotPrepared, or ConfigurationError where the options are not those that the run was prepared with.
        """
        step = self.options.step
        if step == PREPARE:
            return self._prepare() != "refused"
        if step == PUBLISH:
            return self._publish() != "refused"
        assert step  # noqa: S101  # for mypy: without a step there are Nights
        return self._rank(step) != "refused"

    def _prepare(self) -> str:
        """Open a run, fill lake and advertiser_counts, and hand the run on."""
        nights = self.nights
        [run] = runs = nights.runs.open([self.day])
        try:
            with nights.runs.accounted_for(runs):
                nights.prepare(runs)
                active, hidden = nights.days.raw.active_on(self.day), self.warehouse.hidden_products()
                products = nights.products(runs, {self.day: active}, hidden).persist()
                try:
                    with stage(f"{self.day} count"):
                        nights.count_and_explain(products, runs)
                finally:
                    products.unpersist()
                self.warehouse.hand_on(run.id, run.counts, active, hidden)
                nights.runs.report(run, "prepared")
        finally:
            nights.clear_up()
        return run.state

    def _rank(self, table: str) -> str:
        """Rank the run's counts by one model: its list of the day, and those over several days."""
        waiting = self._waiting()
        tables = tables_of([table])
        run = Run(self.day, waiting.run, waiting.inputs, {each: waiting.counts[each] for each in tables})
        with self.nights.runs.accounted_for([run], closes=False):
            with stage(f"{self.day} {table}") as rows:
                self.warehouse.delete_rows([run.id], tables)  # of an earlier try
                self._look_for_counts(run)
                products = self.nights.products([run], {self.day: waiting.active}, waiting.hidden)
                self.nights.append_lists(products, [table], [run])
                rows.append(sum(run.counts.values()))
            self.nights.runs.report(run, "ranked")
        return run.state

    def _publish(self) -> str:
        """Audit the run and publish it, once."""
        newest = self.warehouse.newest_run(self.day)
        if newest and newest[1] == "published":
            log.info("%s is published already, by run %s", self.day, newest[0])
            run = Run(self.day, newest[0])
            self.nights.runs.report(run, "published")
            return run.state
        waiting = self._waiting()
        run = Run(self.day, waiting.run, waiting.inputs, waiting.counts)
        with self.nights.runs.accounted_for([run], closes=False):
            self.nights.audit_and_publish(run, waiting.active)
        return run.state

    def _waiting(self) -> HandedOn:
        """Return the day's run that waits for this step, with options that are its own."""
        waiting = self.warehouse.handed_on(self.day)
        if waiting is None:
            raise NotPrepared(f"{self.day} has no run that waits for {self.options.step}; run --step prepare first")
        now = json.loads(json.dumps(self.nights.runs.parameters))  # as the ledger has them: tuples are lists there
        then = waiting.parameters
        differing = [name for name in sorted(now.keys() | then.keys()) if now.get(name) != then.get(name)]
        if differing:
            what = ", ".join(f"{name} {then.get(name)} and not {now.get(name)}" for name in differing)
            raise ConfigurationError(
                f"run {waiting.run} of {self.day} was prepared with {what}; all its steps take the same options"
            )
        return waiting

    def _look_for_counts(self, run: Run) -> None:
        if not lake.kept(self.spark, self.storage.lake_uri, {run.day: run.id}):
            raise NotPrepared(f"{self.storage.lake_uri} has no counts of run {run.id}; is it the lake of its prepare?")
