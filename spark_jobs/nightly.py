"""Rank each active advertiser's products for one day or several, and publish the lists to PostgreSQL.

    spark-submit spark_jobs/nightly.py [--day D | --from D --to D] [options]
    spark-submit spark_jobs/nightly.py --step prepare|top_product|top_ctr|trending|publish [--day D] [options]

Exit codes: 0 all asked-for days are published, or the step is done; 1 failed, and nothing changed for readers; 2 bad
arguments or configuration; 3 an audit refused a day, and the day before stays; 4 another run holds the day. The last line
of output for a day is one JSON object: day, run, state, counts, seconds.

With --replay nothing is published: past days are ranked from the lake's counts and shown beside what readers see.

With --step one step of one day's run is done: prepare, then a step a model in any order or at once, then publish.

A night of one day also looks back (LOOKBACK_DAYS) and publishes again the days whose events came late. A range reads flat
files once for all of its days, ranks seven of them at a time and publishes one by one. It leaves those alone whose input
is what it was; so it goes on where it was stopped.
"""

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NoReturn

if not __package__:  # spark-submit runs this file by itself: put the folder above in the place of this one
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from spark_jobs import steps
from spark_jobs.database_secret import with_secrets
from spark_jobs.failures import in_one_line
from spark_jobs.night import Nights
from spark_jobs.options import Options
from spark_jobs.replay import replay
from spark_jobs.runs import Failed, Stopped
from spark_jobs.session import spark_session
from spark_jobs.settings import (
    ConfigurationError,
    database_from,
    evidence_from,
    limits_from,
    lookback_from,
    storage_from,
)
from spark_jobs.steps import STEPS, Steps
from spark_jobs.warehouse import DayIsHeld, Warehouse

PUBLISHED, FAILED, MISCONFIGURED, REFUSED, HELD = range(5)
LONGEST_LIST = 20

log = logging.getLogger("nightly")


def main() -> int:
    """Run from the command line; return the exit code."""
    arguments = parser().parse_args()
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("py4j").setLevel(logging.ERROR)
    signal.signal(signal.SIGTERM, _stop)
    _end_with_spark_submit()
    try:
        options = options_from(arguments, os.environ)
        database = database_from(with_secrets(os.environ))
        storage = storage_from(os.environ, arguments.raw_uri, arguments.lake_uri)
        with closing(Warehouse(database)) as warehouse:
            if options.step:
                steps.hold(warehouse, options.step, options.days[0])
            elif not options.replay:
                warehouse.hold(options.days, anew=not options.dry_run)
            spark = spark_session("vitrina nightly", storage)
            signal.signal(signal.SIGINT, _stop)  # not before: Spark's context brings a handler of its own
            if options.replay:
                replay(spark, warehouse, storage, options)
                return PUBLISHED
            asked = Steps if options.step else Nights
            return PUBLISHED if asked(spark, warehouse, storage, options).run() else REFUSED
    except ConfigurationError as error:
        return _end(MISCONFIGURED, error)
    except DayIsHeld as error:
        return _end(HELD, error)
    except Failed:
        return FAILED
    except Exception as error:
        return _end(FAILED, error)
    except (KeyboardInterrupt, Stopped):
        return FAILED


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    command = argparse.ArgumentParser(
        prog="nightly.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    command.add_argument("--day", type=_date, metavar="D", help="the day to rank, YYYY-MM-DD (default: yesterday, UTC)")
    command.add_argument("--from", type=_date, metavar="D", dest="first", help="the first of several days")
    command.add_argument("--to", type=_date, metavar="D", dest="last", help="the last of them")
    command.add_argument("--raw-uri", metavar="U", help="where raw events are (default: RAW_URI)")
    command.add_argument("--lake-uri", metavar="U", help="where a run keeps counts and rejects (default: LAKE_URI)")
    command.add_argument("--top", type=_top, default=LONGEST_LIST, metavar="N", help="products a list, 1 to 20 (20)")
    command.add_argument(
        "--ctr-prior-weight", metavar="W", help="impressions at the advertiser's own rate added to each product's (0)"
    )
    command.add_argument("--min-impressions", metavar="N", help="products shown less often are not in TopCTR (1)")
    command.add_argument(
        "--trend-prior-weight",
        metavar="W",
        help="visits added to a day's and to the usual before Trending compares (20)",
    )
    command.add_argument("--allow-drop", action="store_true", help="publish also a day with unusually few events")
    command.add_argument("--no-lookback", action="store_true", help="leave earlier days alone, late events or not")
    command.add_argument("--force", action="store_true", help="of a range, also redo days whose input is unchanged")
    command.add_argument(
        "--dry-run", action="store_true", help="do all but publish, say what would change, and leave nothing behind"
    )
    command.add_argument(
        "--replay", action="store_true", help="show published days ranked by other parameters, and keep nothing"
    )
    command.add_argument(
        "--step", choices=STEPS, metavar="S", help=f"do one step of a run by itself: {', '.join(STEPS)}"
    )
    return command


def options_from(arguments: argparse.Namespace, environment: Mapping[str, str]) -> Options:
    """Return the options with the days spelled out; the only place where "yesterday" is asked."""
    if arguments.day and (arguments.first or arguments.last):
        parser().error("--day goes without --from and --to")
    if bool(arguments.first) != bool(arguments.last):
        parser().error("--from and --to go together")
    if arguments.replay and (arguments.dry_run or arguments.force):
        parser().error("--replay keeps nothing in any case; it goes without --dry-run and --force")
    if arguments.step and (arguments.first or arguments.last or arguments.replay or arguments.dry_run):
        parser().error(
            "--step is of one day and a run that is kept; it goes without --from, --to, --replay and --dry-run"
        )
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
        limits=limits_from(environment),
        evidence=evidence_from(
            environment, arguments.ctr_prior_weight, arguments.min_impressions, arguments.trend_prior_weight
        ),
    )


def _date(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007  # a day has no time zone
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a day of the form YYYY-MM-DD") from None


def _top(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= LONGEST_LIST):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1 to {LONGEST_LIST}")
    return int(text)


def _end(code: int, error: Exception) -> int:
    log.error("nightly.py: %s", in_one_line(error))
    return code


def _end_with_spark_submit() -> None:
    """Take the end of spark-submit, whose child we are, for a SIGTERM: it passes on none of its own."""
    submitted_by = os.getppid()

    def watch() -> None:
        while os.getppid() == submitted_by:
            time.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)

    if "PYSPARK_GATEWAY_PORT" in os.environ:  # set by spark-submit
        threading.Thread(target=watch, daemon=True).start()


def _stop(*_: object) -> NoReturn:
    raise Stopped


if __name__ == "__main__":
    sys.exit(main())
