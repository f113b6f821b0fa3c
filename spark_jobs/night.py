"""The nightly run: read the raw events of all its days once, rank them, and publish day by day."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta

from spark_jobs import lake, stages
from spark_jobs.day_selection import DaySelection, lock_free_days, lock_requested_days
from spark_jobs.failures import in_one_line
from spark_jobs.job import Job
from spark_jobs.ranking.registry import LIST_TABLES, MODELS
from spark_jobs.raw.events import RawEvents
from spark_jobs.raw.listing import locate
from spark_jobs.runs import Failed, Run, accounted_for, open_runs, recover_dead_runs, report
from spark_jobs.warehouse import ledger, lists, publication

DAYS_AT_ONCE = 7  # bounds what is lost when a long range is stopped, and the memory and disk it needs

log = logging.getLogger("nightly")


class NightlyRun:
    """The requested days, already locked, and the earlier ones that are missing or got late events."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.dead_runs: list[ledger.RunningRun] = []
        self.has_read = False
        self.selection: DaySelection
        self.raw: RawEvents

    def run(self) -> bool:
        """Rank and publish the missing days, the requested ones, and those with late events; return whether all passed.

        A refused day does not stop those after it; a failure ends the application. Only the requested days count: failures
        of others are in the log and the ledger, and the next nightly run tries again.
        """
        options = self.job.options
        try:
            self.dead_runs += stages.recover_days(self.job)
            states = self.run_in_parts(options.days)
            with suppress(Failed):
                self.run_in_parts(self.selection.late_days(self.raw))
            if options.lookback and not options.dry_run:
                ledger.mark_final(self.job.warehouse, options.days[-1] - timedelta(days=options.lookback))
            if not options.dry_run:
                stages.clean_lake(self.job.spark, self.job.warehouse, self.job.storage.lake_uri)
        finally:
            self.free_memory()
            stages.remove_from_lake(self.job, self.dead_runs)
        return "refused" not in states

    def run_in_parts(self, days: Sequence[date]) -> list[str]:
        """Run a few days at once, oldest first; return the states of their runs."""
        parts = [days[n : n + DAYS_AT_ONCE] for n in range(0, len(days), DAYS_AT_ONCE)]
        return [state for part in parts for state in self.run_days(part)]

    def run_days(self, days: Sequence[date]) -> list[str]:
        """Rank the days together, publish them one by one, and return the states of their runs.

        Each day's history includes the days before it. If one is refused, those after it are ranked again without it:
        what readers do not see is no day's history.
        """
        job, runs = self.job, open_runs(self.job, days)
        with accounted_for(job, runs):
            if not self.has_read:  # once for all days; the first runs are open already, to record a failure
                self.select_days()
                self.read_days()
                self.has_read = True
                self.run_missing_days()  # first, so that the lists of the requested days include their counts
            waiting = self.skip_unchanged(runs)
            if waiting:
                stages.record_inputs(job, self.raw, waiting)
                stages.prepare(job, self.raw, waiting)
                self.rank_and_append(waiting)
            while waiting:
                run, *waiting = waiting
                passed = stages.audit_and_publish(job, run, self.raw.active_on(run.day))
                if waiting and not passed:
                    lists.delete_rows(job.warehouse, [run.id for run in waiting])
                    stages.record_inputs(job, self.raw, waiting)
                    self.rank_and_append(waiting)
        if job.options.dry_run:
            self.forget(runs)
        return [run.state for run in runs]

    def select_days(self) -> None:
        """Find and lock the earlier days that are missing or may have late events, and list the input files of all days."""
        warehouse, options = self.job.warehouse, self.job.options
        first, last = options.days[0], options.days[-1]
        oldest = first - timedelta(days=options.lookback)
        previous_runs = ledger.read_previous_runs(warehouse, oldest, last)
        locked: list[date] = []
        missing: set[date] = set()
        if not options.dry_run:
            missing = {*ledger.read_missing_days(warehouse, oldest, first - timedelta(days=1))}
            earlier = {day for day in previous_runs if day < first}
            locked = lock_free_days(warehouse, sorted(missing | earlier))
            self.dead_runs += recover_dead_runs(warehouse, locked)
        inputs = locate(self.job.spark, self.job.storage.raw_uri, [*locked, *options.days])
        lost: set[date] = set()
        if first < last:  # a single day is always ranked
            ranked = {day: previous.run for day, previous in previous_runs.items() if day >= first}
            lost = ranked.keys() - lake.find_counts(self.job.spark, self.job.storage.lake_uri, ranked).keys()
        self.selection = DaySelection(
            options,
            [day for day in locked if day not in missing],
            [day for day in locked if day in missing],
            previous_runs,
            inputs,
            lost,
        )

    def read_days(self) -> None:
        """Read the raw events of all days whose files changed. Unreadable files of earlier days stop only those."""
        requested, earlier = self.selection.requested_to_read(), self.selection.earlier_to_read()
        if earlier:
            try:
                self.raw = stages.read_raw_events(self.job, self.selection.inputs, [*earlier, *requested])
            except Exception as error:
                days = ", ".join(map(str, earlier))
                log.warning("leaving %s to the next nightly run: %s", days, in_one_line(error))
                earlier = []
                self.selection = replace(self.selection, missing=())
        if not earlier:
            self.raw = stages.read_raw_events(self.job, self.selection.inputs, requested)

    def skip_unchanged(self, runs: Sequence[Run]) -> list[Run]:
        """Discard the runs that would read only what their days' previous runs read; return the others."""
        waiting = []
        for run in runs:
            if self.selection.is_unchanged(run.day, self.raw):
                ledger.forget_run(self.job.warehouse, run.id)
                run.id = self.selection.previous_runs[run.day].run
                report(self.job, run, "unchanged")
            else:
                waiting.append(run)
        return waiting

    def rank_and_append(self, runs: Sequence[Run]) -> None:
        """Rank the days' products by every model, and append lists and advertiser counts under the days' runs."""
        with stages.timed(self.job, "rank and append", runs) as rows:
            hidden = publication.read_hidden_products(self.job.warehouse)
            stages.count_and_append(self.job, self.raw, runs, hidden, MODELS)
            rows.append(sum(run.counts[table] for run in runs for table in LIST_TABLES))

    def run_missing_days(self) -> None:
        """Rank and publish the earlier days without a finished run; a failure leaves them to the next nightly run."""
        try:
            self.run_in_parts(self.selection.missing)
        except Failed:
            # The connection to PostgreSQL may be a new one, without the locks of the lost one.
            lock_requested_days(self.job.warehouse, self.job.options)
            earlier = lock_free_days(self.job.warehouse, self.selection.earlier)
            self.selection = replace(self.selection, earlier=earlier)

    def forget(self, runs: Sequence[Run]) -> None:
        """Remove all that dry runs have left."""
        for run in runs:
            ledger.forget_run(self.job.warehouse, run.id)
            lake.remove_run(self.job.spark, self.job.storage.lake_uri, run.day, run.id)

    def free_memory(self) -> None:
        with suppress(Exception):  # the JVM may have ended
            if self.has_read:
                self.raw.events.unpersist()
