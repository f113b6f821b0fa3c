"""Rank each active advertiser's products for one day or several, and publish the lists to PostgreSQL.

    spark-submit spark_jobs/nightly.py [--day D | --from D --to D] [options]

Exit codes: 0 all asked-for days are published; 1 failed, and nothing changed for readers; 2 bad arguments or
configuration; 3 an audit refused a day, and the day before stays; 4 another run holds the day. The last line of output
for a day is one JSON object: day, run, state, counts, seconds.
"""

import argparse
import logging
import os
import signal
import sys
import time
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NoReturn

if not __package__:  # spark-submit runs this file by itself: put the folder above in the place of this one
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from spark_jobs.failures import in_one_line
from spark_jobs.night import Failed, Nights, Options
from spark_jobs.session import spark_session
from spark_jobs.settings import ConfigurationError, database_from, storage_from
from spark_jobs.warehouse import DayIsHeld, Warehouse

PUBLISHED, FAILED, MISCONFIGURED, REFUSED, HELD = range(5)
LONGEST_LIST = 20

log = logging.getLogger("nightly")


def main() -> int:
    """Run from the command line; return the exit code."""
    arguments = parser().parse_args()
    options = options_from(arguments)
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("py4j").setLevel(logging.ERROR)
    signal.signal(signal.SIGTERM, _stop)
    try:
        database = database_from(os.environ)
        storage = storage_from(os.environ, arguments.raw_uri, arguments.lake_uri)
        with closing(Warehouse(database)) as warehouse:
            warehouse.hold(options.days)
            spark = spark_session("vitrina nightly", storage)
            return PUBLISHED if Nights(spark, warehouse, storage, options).run() else REFUSED
    except ConfigurationError as error:
        return _end(MISCONFIGURED, error)
    except DayIsHeld as error:
        return _end(HELD, error)
    except Failed:
        return FAILED
    except Exception as error:
        return _end(FAILED, error)
    except KeyboardInterrupt:
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
    command.add_argument("--allow-drop", action="store_true", help="publish also a day with unusually few events")
    command.add_argument("--dry-run", action="store_true", help="do everything but publish, and leave nothing behind")
    return command


def options_from(arguments: argparse.Namespace) -> Options:
    """Return the options with the days spelled out; the only place where "yesterday" is asked."""
    if arguments.day and (arguments.first or arguments.last):
        parser().error("--day goes without --from and --to")
    if bool(arguments.first) != bool(arguments.last):
        parser().error("--from and --to go together")
    first = arguments.first or arguments.day or datetime.now(UTC).date() - timedelta(days=1)
    last = arguments.last or first
    if last < first:
        parser().error(f"--to {last} is before --from {first}")
    days = tuple(first + timedelta(days=n) for n in range((last - first).days + 1))
    return Options(days, arguments.top, arguments.allow_drop, arguments.dry_run)


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


def _stop(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
