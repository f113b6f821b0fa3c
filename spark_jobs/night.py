"""What a night does, in order: read, prepare, rank, append, audit, publish; once for all days of the application."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import date, timedelta
from functools import partial
from itertools import groupby, islice
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from spark_jobs import lake
from spark_jobs.audit import audit_input, audit_rows, audit_volume
from spark_jobs.days import Days
from spark_jobs.explained import advertiser_counts
from spark_jobs.models import LIST_TABLES, MODELS, rank_all, rows_of, tables_of
from spark_jobs.options import Options
from spark_jobs.past import DAYS_BACK, WINDOWS, with_past
from spark_jobs.prepare import of_active, prepare, rejects, rejects_by_reason, totals, with_hidden
from spark_jobs.runs import Failed, Run, Runs
from spark_jobs.settings import Storage
from spark_jobs.stages import stage
from spark_jobs.threads import side_by_side
from spark_jobs.warehouse import Warehouse

DAYS_AT_ONCE = 7  # what is lost when a long range is stopped, and what memory and disk must hold
REASONS_TO_SAY = 3

log = logging.getLogger("nightly")


class Nights:
    """The nights of one application: raw files are read once for all of its days."""

    def __init__(self, spark: SparkSession, warehouse: Warehouse, storage: Storage, options: Options) -> None:
        self.spark = spark
        self.warehouse = warehouse
        self.storage = storage
        self.options = options
        parameters = {"raw_uri": storage.raw_uri, "top": options.top, "allow_drop": options.allow_drop}
        parameters |= asdict(options.limits) | asdict(options.evidence) | {"windows": WINDOWS}
        self.runs = Runs(spark, warehouse, parameters)
        self.days = Days(spark, warehouse, storage.raw_uri, options)

    def run(self) -> bool:
        """Rank and publish the asked days, oldest first, then those with late events; return whether no asked one is refused.

        A refused day does not keep those after it from being published; a failure ends the application.
        """
        asked, states = self.options.days, list[str]()
        try:
            for n in range(0, len(asked), DAYS_AT_ONCE):
                states += self.run_days(asked[n : n + DAYS_AT_ONCE])
            with suppress(Failed):  # log and ledger say it, and the next night tries again
                self.run_days(self.days.late())
            if self.options.lookback and not self.options.dry_run:
                self.warehouse.mark_final(self.days.newest_final())
        finally:
            self.clear_up()
        return "refused" not in states

    def run_days(self, days: Sequence[date]) -> list[str]:
        """Take each day through a run of its own, and return the states that they ended in; the ledger says them, too.

        The days are counted and ranked together, each with those before it for its past, and then published one by one.
        Where one is refused, those after it are ranked again: what no reader sees is nobody's past.
        """
        runs = self.runs.open(days)
        with self.runs.accounted_for(runs):
            waiting = [run for run in runs if not self.is_left_as_it_is(run)]
            if waiting:
                self.prepare(waiting)
                self.rank_and_append(waiting)
            while waiting:
                run, *waiting = waiting
                is_refused = not self.audit_and_publish(run, self.days.raw.active_on(run.day))
                if is_refused and waiting:
                    self.warehouse.delete_rows([run.id for run in waiting])
                    self.note_inputs(waiting)
                    self.rank_and_append(waiting)
        if self.options.dry_run:
            for run in runs:
                self.warehouse.forget_run(run.id)
                lake.remove_run(self.spark, self.storage.lake_uri, run.day, run.id)
        return [run.state for run in runs]

    def is_left_as_it_is(self, run: Run) -> bool:
        """Give the run up, and return True, where it would read what its day was last ranked from."""
        if not self.days.is_unchanged(run.day):
            return False
        self.warehouse.forget_run(run.id)
        run.id = self.days.looks[run.day].run
        self.runs.report(run, "unchanged")
        return True

    def clear_up(self) -> None:
        """Let go of memory, and remove from the lake what dead runs left there."""
        with suppress(Exception):  # the JVM may be gone, and the memory with it
            self.days.forget()
            for day, run in self.warehouse.dead_runs:
                lake.remove_run(self.spark, self.storage.lake_uri, day, run)

    def note_inputs(self, runs: Sequence[Run]) -> None:
        """Enter into the ledger what the runs read: the raw files, and from the lake the days before their own.

        Those are the days that readers see, and of the runs themselves the older ones.
        """
        own = ids_by_day(runs)
        seen = self.warehouse.published_runs(min(own) - timedelta(days=DAYS_BACK), max(own))
        others = {day: run for day, run in seen.items() if day not in own}
        past = lake.kept(self.spark, self.storage.lake_uri, others) | own
        for run in runs:
            before = {str(day): past[day] for day in past if 1 <= (run.day - day).days <= DAYS_BACK}
            run.inputs = self.days.raw.read_of(run.day) | {"lake": before}
            self.warehouse.note_inputs(run.id, run.inputs)

    def prepare(self, runs: Sequence[Run]) -> None:
        """Count the days' events into the lake."""
        raw = self.days.raw
        self.note_inputs(runs)
        with stage(f"{_days_of(runs)} prepare") as rows:
            prepare(raw, self.storage.lake_uri, ids_by_day(runs))
            rows.append(sum(sum(raw.lines_of(run.day).values()) for run in runs))
        self._say_what_was_rejected([run.day for run in runs if raw.has_rejects(run.day)])

    def rank_and_append(self, runs: Sequence[Run]) -> None:
        """Rank the days' products by every model, and append the rows under their runs."""
        active = {run.day: self.days.raw.active_on(run.day) for run in runs}
        with stage(f"{_days_of(runs)} rank and append") as rows:
            products = self.products(runs, active, self.warehouse.hidden_products()).persist()
            try:
                self.count_and_explain(products, runs, partial(self.append_lists, products, MODELS.keys(), runs))
            finally:
                products.unpersist()
            rows.append(sum(run.counts[table] for run in runs for table in LIST_TABLES))

    def products(
        self, runs: Sequence[Run], active: Mapping[date, Sequence[str]], hidden: Sequence[tuple[str, str]]
    ) -> DataFrame:
        """Return the products as the models rank them: the counts with their past, and whether each is hidden."""
        past = {date.fromisoformat(day): of_day for run in runs for day, of_day in run.inputs["lake"].items()}
        counts = lake.read_counts(self.spark, self.storage.lake_uri, past | ids_by_day(runs))
        return with_hidden(of_active(with_past(counts, [run.day for run in runs]), active), hidden)

    def count_and_explain(self, products: DataFrame, runs: Sequence[Run], *meanwhile: Callable[[], Any]) -> None:
        """Give the runs their numbers, append what explains every product's place, and do what else there is."""
        ids = ids_by_day(runs)
        numbers, *_ = side_by_side(
            [
                partial(totals, self.days.raw, products, ids, self.options),
                lambda: self.warehouse.append(self._explained(products, ids), "advertiser_counts", ids),
                *meanwhile,
            ]
        )
        for run in runs:
            run.counts.update(numbers[run.day])

    def append_lists(self, products: DataFrame, models: Collection[str], runs: Sequence[Run]) -> None:
        """Rank the products by the models and append their lists."""
        ranked = rank_all(products, self.options.top, self.options.evidence, models).persist()
        try:
            side_by_side(
                [
                    partial(self.warehouse.append, rows_of(table, ranked), table, ids_by_day(runs))
                    for table in tables_of(models)
                ]
            )
        finally:
            ranked.unpersist()

    def audit_and_publish(self, run: Run, active: list[str]) -> bool:
        """Let readers see the run, unless the audit refuses it or it is a dry one; return whether it is not refused."""
        with stage(f"{run.day} audit"):
            findings = self._audit(run, active)
        if findings:
            self.runs.refuse(run, findings)
        elif self.options.dry_run:
            self._say_what_would_change(run)
            self.runs.report(run, "dry-run")
        else:
            with stage(f"{run.day} publish"):
                self.warehouse.publish(run.id, run.day, run.counts, active)
            self.runs.report(run, "published")
        return not findings

    def _audit(self, run: Run, active: list[str]) -> list[str]:
        day, limits = run.day, self.options.limits
        run.counts["usual_events"] = self.warehouse.usual_events(day)
        run.counts |= self._scorecards(day, run.id)
        findings = audit_input(run.inputs, day, run.counts, limits)
        findings += [] if self.options.allow_drop else audit_volume(run.counts, limits)
        return findings + audit_rows(self.warehouse, run.id, day, run.counts, active, self.options.top)

    def _explained(self, products: DataFrame, days: Collection[date]) -> DataFrame:
        raw = self.days.raw
        rejecting = {day: raw.active_on(day) for day in days if raw.has_rejects(day)}
        return advertiser_counts(products, of_active(rejects(raw, rejecting), rejecting) if rejecting else None)

    def _scorecards(self, day: date, run: int) -> dict[str, dict[str, int]]:
        """Return how the lists of the day before did on this one, by model; nothing where that day is not published."""
        before = self.warehouse.published_run(day - timedelta(days=1))
        if before is None:
            return {}
        scorecards = self.warehouse.scorecards(run, before)
        return {f"scorecard_{table}": {"of_run": before} | numbers for table, numbers in scorecards.items()}

    def _say_what_was_rejected(self, days: Sequence[date]) -> None:
        for day, rows in groupby(rejects_by_reason(self.days.raw, days) if days else [], key=lambda row: row.date):
            for row in islice(rows, REASONS_TO_SAY):
                example = ascii(row.example)  # whatever bytes it holds, one line of a log
                log.warning("%s rejected %s lines, %s, such as %s", day, f"{row.lines:,}", row.reason, example)

    def _say_what_would_change(self, run: Run) -> None:
        published = self.warehouse.published_run(run.day)
        run.counts["changes"] = changes = self.warehouse.changes(run.id, published)
        log.info("%s would change, against %s:", run.day, f"run {published}" if published else "no published run")
        for table in MODELS:
            log.info("  %s: %s", table, ", ".join(f"{count:,} {what}" for what, count in changes[table].items()))
        for advertiser, count in changes["advertisers"].items():
            log.info("  advertiser %s: %s products", advertiser, f"{count:,}")


def ids_by_day(runs: Sequence[Run]) -> dict[date, int]:
    return {run.day: run.id for run in runs}


def _days_of(runs: Sequence[Run]) -> str:
    first, last = runs[0].day, runs[-1].day
    return str(first) if first == last else f"{first} to {last}"
