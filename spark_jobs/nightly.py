"""Rank each active advertiser's products for one day or several, and publish the lists to PostgreSQL.

spark-submit spark_jobs/nightly.py [--day D | --from D --to D] [options]
"""

import argparse
import logging
import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

if not __package__:  # spark-submit runs this file by its path: import from the folder above
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from spark_jobs.advice import CommandLine, in_lines, next_steps
from spark_jobs.arguments import FAILED, HELD, MISCONFIGURED, PUBLISHED, REFUSED, parser
from spark_jobs.cli import set_up_logging
from spark_jobs.database import Database, database_from
from spark_jobs.day_selection import lock_requested_days
from spark_jobs.failures import in_one_line
from spark_jobs.job import Job, Options
from spark_jobs.night import NightlyRun
from spark_jobs.replay import replay
from spark_jobs.reports import Reports
from spark_jobs.runs import STOPPED, Failed, Stopped
from spark_jobs.session import spark_session
from spark_jobs.settings import (
    ConfigurationError,
    Storage,
    audit_thresholds_from,
    lookback_from,
    ranking_parameters_from,
    storage_from,
    with_secrets,
)
from spark_jobs.steps import lock_step, run_step
from spark_jobs.streams import started_by_spark_submit, use_streams_of_spark_submit
from spark_jobs.warehouse import DayIsHeld, Warehouse

log = logging.getLogger("nightly")


def main() -> int:
    """Run from the command line; return the exit code."""
    use_streams_of_spark_submit()
    set_up_logging()
    arguments = parser().parse_args()
    signal.signal(signal.SIGTERM, _stop)
    _end_with_spark_submit()
    try:
        options = options_from(arguments, os.environ)
        database = database_from(with_secrets(os.environ))
        storage = storage_from(os.environ, arguments.raw_uri, arguments.lake_uri)
    except ConfigurationError as error:
        log.error("nightly.py: %s", in_one_line(error))
        log.info("%s", in_lines("correct this, then run the job", [shlex.join(["spark-submit", *sys.argv])]))
        return MISCONFIGURED
    except (KeyboardInterrupt, Stopped):
        return FAILED
    reports = Reports(as_json=arguments.json or not sys.stdout.isatty())
    code, problem = run(database, storage, options, reports)
    if problem and problem not in {report.reason for report in reports.ended}:
        log.error("nightly.py: %s", problem)
    reports.print_table()
    command = CommandLine(sys.argv[0], sys.argv[1:])
    for step in next_steps(command, options, storage, reports.ended, problem):
        log.info("%s", step)
    return code


def run(database: Database, storage: Storage, options: Options, reports: Reports) -> tuple[int, str]:
    """Do what was requested; return the exit code and, unless a report has it, what went wrong."""
    try:
        with closing(Warehouse(database)) as warehouse:
            lock(warehouse, options)  # before Spark starts, so that a day that is held ends the job at once
            spark = spark_session("vitrina nightly", storage)
            signal.signal(signal.SIGINT, _stop)  # only now: Spark's context installs a handler of its own
            return do(Job(spark, warehouse, storage, options, reports)), ""
    except ConfigurationError as error:
        return MISCONFIGURED, in_one_line(error)
    except DayIsHeld as error:
        return HELD, in_one_line(error)
    except Failed:
        return FAILED, ""
    except Exception as error:
        return FAILED, in_one_line(error)
    except (KeyboardInterrupt, Stopped):
        return FAILED, STOPPED


def lock(warehouse: Warehouse, options: Options) -> None:
    """Lock what the job writes; DayIsHeld if another process has it."""
    if options.step:
        lock_step(warehouse, options)
    elif not options.replay:
        lock_requested_days(warehouse, options)


def do(job: Job) -> int:
    """Do what was requested; return the exit code."""
    if job.options.replay:
        replay(job)
        return PUBLISHED
    passed = run_step(job) if job.options.step else NightlyRun(job).run()
    return PUBLISHED if passed else REFUSED


def options_from(arguments: argparse.Namespace, environment: Mapping[str, str]) -> Options:
    """Return the options with explicit days; only here "yesterday" is computed."""
    if arguments.day and (arguments.first or arguments.last):
        parser().error("--day cannot be combined with --from or --to")
    if bool(arguments.first) != bool(arguments.last):
        parser().error("--from and --to must be used together")
    if arguments.replay and (arguments.dry_run or arguments.force):
        parser().error("--replay never stores anything; it cannot be combined with --dry-run or --force")
    if arguments.step and (arguments.first or arguments.last or arguments.replay or arguments.dry_run):
        parser().error("--step cannot be combined with --from, --to, --replay or --dry-run")
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    first = arguments.first or arguments.day or yesterday
    last = arguments.last or first
    if last < first:
        parser().error(f"--to {last} is before --from {first}")
    if last > yesterday:
        parser().error(f"{last} is not over yet; the newest day to rank is {yesterday} (days are UTC)")
    is_range = arguments.first is not None
    return Options(
        days=tuple(first + timedelta(days=n) for n in range((last - first).days + 1)),
        top=arguments.top,
        allow_drop=arguments.allow_drop,
        dry_run=arguments.dry_run,
        replay=arguments.replay,
        force=arguments.force,
        step=arguments.step,
        lookback=0 if is_range or arguments.no_lookback or arguments.step else lookback_from(environment),
        thresholds=audit_thresholds_from(environment),
        ranking=ranking_parameters_from(
            environment,
            arguments.ctr_prior_weight,
            arguments.min_impressions,
            arguments.trend_prior_weight,
            arguments.half_life_days,
        ),
    )


def _end_with_spark_submit() -> None:
    """Treat the exit of our parent, spark-submit, as SIGTERM: it does not pass on signals."""
    submitted_by = os.getppid()

    def watch() -> None:
        while os.getppid() == submitted_by:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    if started_by_spark_submit():
        threading.Thread(target=watch, daemon=True).start()


def _stop(*_: object) -> NoReturn:
    raise Stopped


if __name__ == "__main__":
    sys.exit(main())
