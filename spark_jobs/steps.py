"""A run in steps, each a process of its own, for schedulers that start, watch and retry them one by one.

`prepare` opens a run, writes its daily counts to the lake, and leaves it prepared; then one step for each model, in any order
or at once, ranks and appends its lists; `publish` audits and publishes. Between steps no process locks the day, and the
ledger holds all that the steps must agree on. Every step can be repeated: `prepare` opens a new run, a model's step replaces
its rows, and a day that is published stays so.
"""

import logging
from datetime import date

from spark_jobs import lake, stages
from spark_jobs.filters import literal_frame
from spark_jobs.job import Job, Options
from spark_jobs.ranking.registry import MODELS, tables_of
from spark_jobs.raw.listing import locate
from spark_jobs.runs import Run, accounted_for, open_runs, report
from spark_jobs.settings import ConfigurationError
from spark_jobs.warehouse import Warehouse, ledger, lists, locks, publication

PREPARE, PUBLISH = "prepare", "publish"
STEPS = (PREPARE, *MODELS, PUBLISH)

log = logging.getLogger("nightly")


class NotPrepared(Exception):
    """The day has no prepared run, or the lake does not have its daily counts."""


def lock_step(warehouse: Warehouse, options: Options) -> None:
    """Lock what the step writes: the day, or only the model's table, so that models can run at once.

    DayIsHeld if another process has it.
    """
    [day] = options.days
    if options.step in MODELS:
        locks.lock_table(warehouse, options.step, day)
    else:
        locks.lock_day(warehouse, day)


def run_step(job: Job) -> bool:
    """Do the requested step of the day, already locked; return False if the audit refuses the day.

    NotPrepared if `prepare` has to come first; ConfigurationError if its options were different.
    """
    [day] = job.options.days
    if job.options.step == PREPARE:
        prepare_run(job, day)
        return True
    if job.options.step == PUBLISH:
        return publish_run(job, day)
    append_lists_of_model(job, day, str(job.options.step))
    return True


def prepare_run(job: Job, day: date) -> None:
    """Open a run, write its daily counts and advertiser counts, and mark it as prepared."""
    dead_runs = stages.recover_days(job)
    [run] = open_runs(job, [day])
    try:
        with accounted_for(job, [run]):
            raw = stages.read_raw_events(job, locate(job.spark, job.storage.raw_uri, [day]), [day])
            stages.record_inputs(job, raw, [run])
            stages.prepare(job, raw, [run])
            hidden = publication.read_hidden_products(job.warehouse)
            with stages.timed(job, "count", [run]):
                stages.count_and_append(job, raw, [run], hidden, models=())
            raw.events.unpersist()
            ledger.mark_prepared(job.warehouse, run.id, run.counts, raw.active_on(day), hidden)
            report(job, run, "prepared")
    finally:
        stages.remove_from_lake(job, dead_runs)


def append_lists_of_model(job: Job, day: date, model: str) -> None:
    """Rank the prepared run's products by one model, and replace its lists of the day and over the windows."""
    prepared = read_prepared_run(job, day)
    tables = tables_of(model)
    run = Run(day, prepared.run, prepared.inputs, {table: prepared.counts[table] for table in tables})
    with accounted_for(job, [run], can_be_repeated=True):
        with stages.timed(job, model, [run]) as rows:
            lists.delete_rows(job.warehouse, [run.id], tables)  # of an earlier attempt
            if not lake.find_counts(job.spark, job.storage.lake_uri, {day: run.id}):
                raise NotPrepared(
                    f"{job.storage.lake_uri} has no counts of run {run.id}; did prepare use another lake?"
                )
            pairs = [(str(day), advertiser) for advertiser in prepared.active]
            active = literal_frame(job.spark, ["date date", "advertiser_id string"], pairs)
            products = stages.products_to_rank(job, [run], active, prepared.hidden)
            stages.append_lists(job, products, [model], len(prepared.active))
            rows.append(sum(run.counts.values()))
        report(job, run, "ranked")


def publish_run(job: Job, day: date) -> bool:
    """Audit the prepared run and publish it, unless the day's newest run is published already."""
    newest = ledger.read_newest_run(job.warehouse, day)
    if newest and newest[1] == "published":
        log.info("%s is already published, by run %s", day, newest[0])
        report(job, Run(day, newest[0]), "published")
        return True
    prepared = read_prepared_run(job, day)
    run = Run(day, prepared.run, prepared.inputs, prepared.counts)
    with accounted_for(job, [run], can_be_repeated=True):
        stages.audit_and_publish(job, run, prepared.active)
    stages.clean_lake(job.spark, job.warehouse, job.storage.lake_uri)
    return run.state != "refused"


def read_prepared_run(job: Job, day: date) -> ledger.PreparedRun:
    """Read the day's prepared run, and check that this step has the same options."""
    prepared = ledger.read_prepared_run(job.warehouse, day)
    if prepared is None:
        raise NotPrepared(f"{day} has no prepared run for {job.options.step}; run --step prepare first")
    now, then = job.parameters, prepared.parameters
    differences = [
        f"{name} {then.get(name)}, not {now.get(name)}"
        for name in sorted(now.keys() | then.keys())
        if now.get(name) != then.get(name)
    ]
    if differences:
        raise ConfigurationError(
            f"run {prepared.run} of {day} was prepared with {', '.join(differences)}; all steps need the same options"
        )
    return prepared
