"""The life of a run: opened in the ledger, ended there whatever happens, and reported."""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from spark_jobs import __version__
from spark_jobs.failures import SPARK_HAS_ENDED, has_ended, in_one_line
from spark_jobs.job import Job
from spark_jobs.reports import Report
from spark_jobs.warehouse import Warehouse, ledger

STOPPED = "stopped by a signal"
DIED = "the process died without reporting"
ABANDONED = "abandoned between two steps: the day was started again"

log = logging.getLogger("nightly")


class Failed(Exception):
    """A day failed; the log and the ledger already say why."""


class Stopped(BaseException):
    """A person or a scheduler asked the job to stop."""


@dataclass
class Run:
    """One attempt at a day, from its entry in the ledger to its report."""

    day: date
    id: int
    inputs: dict[str, Any] = field(default_factory=dict)
    """What it reads, as the ledger records it."""
    counts: dict[str, Any] = field(default_factory=dict)
    """Filled as they become known, so that a run that ends early still has them in the ledger."""
    state: str = "running"
    began: float = field(default_factory=time.monotonic)


def open_runs(job: Job, days: Sequence[date]) -> list[Run]:
    """Open a new run of each day in the ledger."""
    ids = ledger.open_runs(job.warehouse, days, __version__, job.spark.version, job.parameters)
    return [Run(day, ids[day]) for day in days]


def ids_by_day(runs: Sequence[Run]) -> dict[date, int]:
    return {run.day: run.id for run in runs}


def days_of(runs: Sequence[Run]) -> str:
    """Return the days as log lines name them."""
    first, last = runs[0].day, runs[-1].day
    return str(first) if first == last else f"{first} to {last}"


@contextmanager
def accounted_for(job: Job, runs: Sequence[Run], can_be_repeated: bool = False) -> Iterator[None]:
    """If anything ends the block early, end those of the runs that are still running: in log, ledger and reports.

    Raises Failed for a failure. A run that `can_be_repeated` stays open in the ledger, so that its step can be retried.
    """
    try:
        yield
    except Exception as error:
        reason = _reason(job.spark, error)
        if "failed" in _fail(job, runs, reason, can_be_repeated):
            raise Failed(reason) from error
    except BaseException:
        _fail(job, runs, STOPPED, can_be_repeated)
        raise


def refuse(job: Job, run: Run, findings: Sequence[str]) -> None:
    """End the run as one that readers must not see."""
    reason = "; ".join(findings)
    log.error("%s is refused: %s", run.day, reason)
    ledger.close_runs(job.warehouse, {run.id: run.counts}, "refused", reason)
    report(job, run, "refused", reason)


def report(job: Job, run: Run, state: str, reason: str = "") -> None:
    """Report how the run, or its step, ended."""
    run.state = state
    seconds = round(time.monotonic() - run.began, 1)
    job.reports.add(Report(run.day, run.id, state, run.counts, seconds, reason))


def recover_dead_runs(warehouse: Warehouse, days: Sequence[date]) -> list[ledger.RunningRun]:
    """Fail the runs of days that we have locked and the ledger says are running; delete the rows of all failed runs.

    A dying Spark may commit rows after its run was marked as failed, so failed runs are cleared again. Returns the dead
    runs, whose folders in the lake can be removed.
    """
    if not days:
        return []
    dead = ledger.read_running_runs(warehouse, days)
    for message, is_prepared in ((DIED, False), (ABANDONED, True)):
        runs = [each.run for each in dead if each.is_prepared == is_prepared]
        if runs:
            ledger.close_runs(warehouse, {run: {} for run in runs}, "failed", message)
    ledger.delete_rows_of_failed_runs(warehouse, days)
    return dead


def _reason(spark: SparkSession, error: Exception) -> str:
    """Return why the runs failed."""
    try:
        return SPARK_HAS_ENDED if has_ended(spark) else in_one_line(error)
    except Stopped:
        return STOPPED
    except (Py4JError, OSError):  # it has ended since: an error of the JVM cannot be described without it
        return SPARK_HAS_ENDED


def _fail(job: Job, runs: Sequence[Run], reason: str, can_be_repeated: bool) -> list[str]:
    """End the running ones of the runs as failed; return their states then.

    If only the response to the publishing commit was lost, the state is published.
    """
    with suppress(Exception, Stopped):
        job.spark.sparkContext.cancelAllJobs()
    running = [run for run in runs if run.state == "running"]
    states = {} if can_be_repeated else _close_as_failed(job.warehouse, running, reason)
    for run in running:
        state = states.get(run.id, "failed")
        log.error("%s %s: %s", run.day, state, reason)
        report(job, run, state, reason)
    return [run.state for run in running]


def _close_as_failed(warehouse: Warehouse, runs: Sequence[Run], reason: str) -> dict[int, str]:
    """Close the runs even if the signal to stop arrives at this moment.

    It does if spark-submit is stopped: Spark ends first, which is a failure, and the signal follows a moment later.
    """
    counts = {run.id: run.counts for run in runs}
    try:
        return ledger.close_runs(warehouse, counts, "failed", reason)
    except Stopped:
        return ledger.close_runs(warehouse, counts, "failed", reason)
