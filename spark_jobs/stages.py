"""The stages of a run, which the nightly run and the step runner put in order."""

import logging
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from functools import partial
from itertools import groupby
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from spark_jobs import lake
from spark_jobs.actions import cached, run_concurrently
from spark_jobs.advertiser_counts import advertiser_counts
from spark_jobs.audit import audit
from spark_jobs.counts import rejects_by_reason, rejects_of_runs, write_daily_counts
from spark_jobs.day_selection import lock_free_days
from spark_jobs.failures import clean_text, in_one_line
from spark_jobs.filters import keep_active, mark_hidden
from spark_jobs.job import Job
from spark_jobs.ranking.registry import LIST_TABLES, MODELS, rank_all, rows_of_table, tables_of
from spark_jobs.ranking.windows import DAYS_BACK, with_history
from spark_jobs.raw.copies import remove_old_copies
from spark_jobs.raw.events import RawEvents, read_raw
from spark_jobs.raw.listing import Inputs
from spark_jobs.run_counts import read_run_counts
from spark_jobs.runs import Run, days_of, ids_by_day, recover_dead_runs, refuse, report
from spark_jobs.warehouse import Warehouse, comparisons, ledger, lists, locks, publication

REASONS_TO_LOG = 3

log = logging.getLogger("nightly")


@contextmanager
def timed(job: Job, stage: str, runs: Sequence[Run]) -> Iterator[list[int]]:
    """Log a stage, the number of rows that the block appends to the yielded list, and its seconds.

    Also record it in the ledger. Runs of several days share their stages, and so the seconds.
    """
    rows: list[int] = []
    began = time.monotonic()
    yield rows
    seconds = time.monotonic() - began
    log.info("%s %s: %s%.1f s", days_of(runs), stage, "".join(f"{count:,} rows, " for count in rows), seconds)
    ledger.record_stage(job.warehouse, [run.id for run in runs], stage, seconds)


def recover_days(job: Job) -> list[ledger.RunningRun]:
    """Fail the dead runs of the requested days, which are locked, and of any other day; return them.

    A dry run leaves other days alone.
    """
    warehouse, requested = job.warehouse, job.options.days
    dead = recover_dead_runs(warehouse, requested)
    if job.options.dry_run:
        return dead
    others = [day for day in ledger.read_days_of_running_runs(warehouse) if day not in requested]
    free = lock_free_days(warehouse, others)
    dead += recover_dead_runs(warehouse, free)
    for day in free:
        locks.unlock_day(warehouse, day)
    return dead


def read_raw_events(job: Job, inputs: Inputs, days: Sequence[date]) -> RawEvents:
    """Scan the input files of the days."""
    raw = read_raw(job.spark, inputs, days)
    log.info("read raw files: %s rows, %.1f s", f"{sum(tally.lines for tally in raw.tallies):,}", raw.seconds)
    return raw


def record_inputs(job: Job, raw: RawEvents, runs: Sequence[Run]) -> None:
    """Record in the ledger what each run reads: its input files, and the daily counts of the days before its own.

    Of those days, the published runs count, and the older ones of these runs themselves.
    """
    own = ids_by_day(runs)
    published = ledger.read_published_runs(job.warehouse, min(own) - timedelta(days=DAYS_BACK), max(own))
    others = {day: run for day, run in published.items() if day not in own}
    history = lake.find_counts(job.spark, job.storage.lake_uri, others) | own
    for run in runs:
        before = {str(day): history[day] for day in history if 1 <= (run.day - day).days <= DAYS_BACK}
        run.inputs = raw.read_of(run.day) | {"lake": before}
        ledger.record_inputs(job.warehouse, run.id, run.inputs)


def prepare(job: Job, raw: RawEvents, runs: Sequence[Run]) -> None:
    """Write the days' counts and rejected rows to the lake, and log why rows were rejected."""
    ledger.record_stage(job.warehouse, [run.id for run in runs], "read raw files", raw.seconds)
    with timed(job, "prepare", runs) as rows:
        write_daily_counts(raw, job.storage.lake_uri, ids_by_day(runs))
        rows.append(sum(sum(raw.lines_of(run.day).values()) for run in runs))
    if with_rejects := {run.day: run.id for run in runs if raw.has_rejects(run.day)}:
        log_rejects(raw, with_rejects, runs)


def log_rejects(raw: RawEvents, with_rejects: Mapping[date, int], runs: Sequence[Run]) -> None:
    """Read why rows were rejected, with an example of each reason; log the most frequent, and record all in the counts."""
    counts = {run.day: run.counts for run in runs}
    for day, reasons in groupby(rejects_by_reason(raw, with_rejects), key=lambda row: row.date):
        rows = list(reasons)
        counts[day]["rejected_examples"] = {row.reason: clean_text(row.example) for row in rows}
        for row in rows[:REASONS_TO_LOG]:
            example = ascii(row.example)  # any bytes, on one line of the log
            log.warning("%s rejected %s lines, %s, such as %s", day, f"{row.lines:,}", row.reason, example)


def products_to_rank(job: Job, runs: Sequence[Run], active: DataFrame, hidden: Sequence[tuple[Any, ...]]) -> DataFrame:
    """Return the products as the models rank them: daily counts from the lake with their history, hidden ones marked."""
    own = ids_by_day(runs)
    history = {date.fromisoformat(day): run_of_day for run in runs for day, run_of_day in run.inputs["lake"].items()}
    counts = lake.read_counts(job.spark, job.storage.lake_uri, history | own)
    return mark_hidden(with_history(counts, own, active, job.options.ranking.half_life_days), hidden)


def count_and_append(
    job: Job, raw: RawEvents, runs: Sequence[Run], hidden: Sequence[tuple[Any, ...]], models: Collection[str]
) -> None:
    """Fill the runs' counts, append advertiser counts, and rank by the models and append their lists, all at once."""
    active = raw.active_advertisers([run.day for run in runs])
    with cached(products_to_rank(job, runs, active, hidden)) as products:
        stages = [partial(count_runs, job, raw, products, runs)]
        stages.append(partial(append_advertiser_counts, job, raw, products, runs))
        if models:
            advertisers = sum(len(raw.active_on(run.day)) for run in runs)
            stages.append(partial(append_lists, job, products, models, advertisers))
        run_concurrently(stages)


def count_runs(job: Job, raw: RawEvents, products: DataFrame, runs: Sequence[Run]) -> None:
    """Fill the runs' counts."""
    counts = read_run_counts(raw, products, ids_by_day(runs), job.options)
    for run in runs:
        run.counts.update(counts[run.day])


def append_advertiser_counts(job: Job, raw: RawEvents, products: DataFrame, runs: Sequence[Run]) -> None:
    """Append what explains each product's rank, with the rejected rows of active advertisers."""
    with_rejects = {run.day: run.id for run in runs if raw.has_rejects(run.day)}
    rejects = None
    if with_rejects:
        rejects = keep_active(rejects_of_runs(raw, with_rejects), raw.active_advertisers(with_rejects))
    lines = sum(sum(raw.lines_of(run.day).values()) for run in runs)  # an advertiser may have as many products
    lists.append(job.warehouse, advertiser_counts(products, rejects), "advertiser_counts", lines)


def append_lists(job: Job, products: DataFrame, models: Collection[str], advertisers: int) -> None:
    """Rank the products of so many advertisers by the models, and append the lists to their tables, all at once."""
    tables = [table for model in models for table in tables_of(model)]
    expected = advertisers * job.options.top
    with cached(rank_all(products, job.options.top, job.options.ranking, models)) as ranked:
        run_concurrently(
            [partial(lists.append, job.warehouse, rows_of_table(table, ranked), table, expected) for table in tables]
        )


def audit_and_publish(job: Job, run: Run, active: Sequence[str]) -> bool:
    """Publish the run unless the audit refuses it; of a dry run, log what would change. Return whether it passed."""
    with timed(job, "audit", [run]):
        findings = audit_run(job, run, active)
    if findings:
        refuse(job, run, findings)
    elif job.options.dry_run:
        log_changes(job, run)
        report(job, run, "dry-run")
    else:
        with timed(job, "publish", [run]):
            publication.publish(job.warehouse, run.id, run.day, run.counts, active)
        report(job, run, "published")
    return not findings


def audit_run(job: Job, run: Run, active: Sequence[str]) -> list[str]:
    """Complete the run's counts with what PostgreSQL knows, and return the audit's findings."""
    warehouse, top = job.warehouse, job.options.top
    run.counts["usual_events"] = comparisons.read_usual_events(warehouse, run.day)
    day_before = run.day - timedelta(days=1)
    previous = ledger.read_published_runs(warehouse, day_before, day_before).get(day_before)
    if previous is not None:
        scorecards = comparisons.score_lists(warehouse, run.id, previous)
        run.counts |= {f"scorecard_{model}": {"of_run": previous} | numbers for model, numbers in scorecards.items()}
    row_checks = {
        table: comparisons.check_rows(warehouse, table, run.id, run.day, top, active) for table in LIST_TABLES
    }
    return audit(run.day, run.inputs, run.counts, row_checks, job.options)


def log_changes(job: Job, run: Run) -> None:
    """Compare the run with the published one, and log and record what would change."""
    published = ledger.read_published_runs(job.warehouse, run.day, run.day).get(run.day)
    run.counts["changes"] = changes = comparisons.read_changes(job.warehouse, run.id, published)
    log.info("%s would change, compared with %s:", run.day, f"run {published}" if published else "no published run")
    for model in MODELS:
        log.info("  %s: %s", model, ", ".join(f"{count:,} {change}" for change, count in changes[model].items()))
    for advertiser, count in changes["advertisers"].items():
        log.info("  advertiser %s: %s products", advertiser, f"{count:,}")


def remove_from_lake(job: Job, dead_runs: Sequence[ledger.RunningRun]) -> None:
    """Remove the lake folders of dead runs; if that fails, only space is lost."""
    with suppress(Exception):
        for dead in dead_runs:
            lake.remove_run(job.spark, job.storage.lake_uri, dead.day, dead.run)


def clean_lake(spark: SparkSession, warehouse: Warehouse, lake_uri: str) -> None:
    """Delete the folders of the runs that `manage.py prune_runs` has pruned, and the scratch copies of killed processes.

    A failure is logged, not raised: the lists are published by then, and the next nightly run tries again.
    """
    try:
        for run, day in ledger.read_pruned_runs(warehouse):
            lake.remove_run(spark, lake_uri, day, run)
            ledger.mark_lake_pruned(warehouse, run)
        remove_old_copies(spark)
    except Exception as error:
        log.warning("pruned runs or old copies remain in the lake until the next nightly run: %s", in_one_line(error))
