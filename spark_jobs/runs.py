"""The runs of an application's days: entered into the ledger, and ended there whatever happens, each with its report."""

import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from pyspark.sql import SparkSession

from spark_jobs import __version__
from spark_jobs.failures import SPARK_HAS_ENDED, has_ended, in_one_line
from spark_jobs.warehouse import Warehouse

BY_A_SIGNAL = "stopped by a signal"

log = logging.getLogger("nightly")


class Failed(Exception):
    """A day failed; the log and the ledger have said why."""


class Stopped(BaseException):
    """A person or a scheduler asked the job to stop."""


@dataclass
class Run:
    """One day's run, from its entry in the ledger to its report."""

    day: date
    id: int
    inputs: dict[str, Any] = field(default_factory=dict)
    """What it reads, as the ledger keeps it."""
    counts: dict[str, Any] = field(default_factory=dict)
    """Its numbers, filled as they become known, so that a run that ends early keeps them."""
    state: str = "running"
    began: float = field(default_factory=time.monotonic)


class Runs:
    """What all runs of an application have in common, and how each of them begins and ends."""

    def __init__(self, spark: SparkSession, warehouse: Warehouse, parameters: Mapping[str, Any]) -> None:
        self.spark = spark
        self.warehouse = warehouse
        self.parameters = parameters

    def open(self, days: Sequence[date]) -> list[Run]:
        """Enter a new run of each day into the ledger."""
        ids = self.warehouse.open_runs(days, __version__, self.spark.version, self.parameters)
        return [Run(day, ids[day]) for day in days]

    @contextmanager
    def accounted_for(self, runs: Sequence[Run], closes: bool = True) -> Iterator[None]:
        """Whatever ends the work before all the runs are reported, log, ledger and reports say so; a failure is Failed.

        `closes` says whether a failure ends them, or leaves them to be tried again.
        """
        try:
            yield
        except Exception as error:
            reason = self._why(error)
            if "failed" in self._fail(runs, reason, closes):
                raise Failed(reason) from error
        except BaseException:
            self._fail(runs, BY_A_SIGNAL, closes)
            raise

    def refuse(self, run: Run, findings: Sequence[str]) -> None:
        """End the run as one that readers must not see."""
        reason = "; ".join(findings)
        log.error("%s is refused: %s", run.day, reason)
        self.warehouse.close_runs({run.id: run.counts}, "refused", reason)
        self.report(run, "refused")

    def report(self, run: Run, state: str) -> None:
        """Say in one line of JSON how the run ended, or the step of it."""
        run.state = state
        seconds = round(time.monotonic() - run.began, 1)
        line = {"day": str(run.day), "run": run.id, "state": state, "counts": run.counts, "seconds": seconds}
        with suppress(BrokenPipeError):  # spark-submit, who reads this, may have been killed
            print(json.dumps(line), flush=True)

    def _why(self, error: Exception) -> str:
        """Say why the runs failed. Whoever is told to stop while Spark is asked need not ask any more."""
        try:
            return SPARK_HAS_ENDED if has_ended(self.spark) else in_one_line(error)
        except Stopped:
            return BY_A_SIGNAL

    def _fail(self, runs: Sequence[Run], reason: str, closes: bool) -> list[str]:
        """End, as failed, those of the runs that have not ended; return the states they are in then.

        One is published where only the answer to the commit was lost.
        """
        with suppress(Exception, Stopped):  # what Spark still does for them is for nothing
            self.spark.sparkContext.cancelAllJobs()
        waiting = [run for run in runs if run.state == "running"]
        states = self._close(waiting, reason) if closes else {}
        for run in waiting:
            state = states.get(run.id, "failed")
            log.error("%s %s: %s", run.day, state, reason)
            self.report(run, state)
        return [run.state for run in waiting]

    def _close(self, runs: Sequence[Run], reason: str) -> dict[int, str]:
        """End the runs also where the job is told to stop in the midst of that.

        So it is when spark-submit is stopped: first Spark is gone, which is a failure, and a moment later comes the signal.
        """
        counts = {run.id: run.counts for run in runs}
        try:
            return self.warehouse.close_runs(counts, "failed", reason)
        except Stopped:
            return self.warehouse.close_runs(counts, "failed", reason)
