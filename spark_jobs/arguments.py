"""The command line of nightly.py, and its exit codes."""

import argparse
from typing import NoReturn

from spark_jobs.cli import day_argument, whole_number
from spark_jobs.failures import clean_text
from spark_jobs.ranking.model import LONGEST_LIST
from spark_jobs.steps import STEPS

PUBLISHED, FAILED, MISCONFIGURED, REFUSED, HELD = range(5)

DESCRIPTION = """\
Rank each active advertiser's products for one day or several, and publish the lists to PostgreSQL.

A run of one day also ranks the days before it that no run has finished, and those whose events came late (LOOKBACK_DAYS).
A range (--from, --to) does not. It reads flat files once for all days, ranks seven days at a time and publishes them one by
one; it skips days whose input is unchanged, so it continues where it was stopped.

At a terminal, the job shows its progress and ends with a table of the runs. Elsewhere, and with --json, standard output has
one JSON object for each day: day, run, state, counts, seconds. What people read goes to standard error.
"""
EXAMPLES_AND_CODES = f"""\
examples:
  yesterday:                   spark-submit spark_jobs/nightly.py
  one day, as JSON:            spark-submit spark_jobs/nightly.py --day 2026-11-20 --json
  a backfill:                  spark-submit spark_jobs/nightly.py --from 2026-11-01 --to 2026-11-20
  what a run would change:     spark-submit spark_jobs/nightly.py --day 2026-11-20 --dry-run
  what a weight would change:  spark-submit spark_jobs/nightly.py --day 2026-11-20 --replay --ctr-prior-weight 20

exit codes:
  {PUBLISHED}  every requested day is published, or the step is done
  {FAILED}  failed; nothing changed for readers
  {MISCONFIGURED}  wrong arguments or configuration
  {REFUSED}  the audit refused a requested day; readers keep what they had
  {HELD}  another run holds the day
"""


class CommandParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Name the command that shows what is valid."""
        super().error(f"{clean_text(message)}\nnext: see the options:\n    spark-submit spark_jobs/nightly.py --help")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    command = CommandParser(
        prog="nightly.py",
        usage="spark-submit spark_jobs/nightly.py [--day D | --from D --to D] [options]",
        description=DESCRIPTION,
        epilog=EXAMPLES_AND_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--json", action="store_true", help="print JSON instead of a table, also at a terminal")

    days = command.add_argument_group("which days")
    days.add_argument(
        "--day", type=day_argument, metavar="D", help="the day to rank, YYYY-MM-DD (default: yesterday, UTC)"
    )
    days.add_argument("--from", type=day_argument, metavar="D", dest="first", help="the first day of a range")
    days.add_argument("--to", type=day_argument, metavar="D", dest="last", help="the last day of a range")
    days.add_argument(
        "--no-lookback", action="store_true", help="do not check earlier days for missing runs and late events"
    )
    days.add_argument("--force", action="store_true", help="also rank days of a range whose input is unchanged")

    places = command.add_argument_group("where the files are")
    places.add_argument("--raw-uri", metavar="U", help="folder of the raw events (default: RAW_URI)")
    places.add_argument(
        "--lake-uri", metavar="U", help="folder of the lake, for counts and rejected rows (default: LAKE_URI)"
    )

    ranking = command.add_argument_group("how to rank")
    ranking.add_argument(
        "--top",
        type=whole_number(1, LONGEST_LIST),
        default=LONGEST_LIST,
        metavar="N",
        help=f"products per list, 1 to {LONGEST_LIST} ({LONGEST_LIST})",
    )
    ranking.add_argument(
        "--ctr-prior-weight",
        metavar="W",
        help="impressions at the advertiser's own click rate to add to each product's, for TopCTR (0)",
    )
    ranking.add_argument("--min-impressions", metavar="N", help="impressions a product needs for TopCTR (1)")
    ranking.add_argument(
        "--trend-prior-weight",
        metavar="W",
        help="visits to add to a product's visits and to its usual ones, for Trending (20)",
    )
    ranking.add_argument(
        "--half-life-days",
        metavar="H",
        help="age at which clicks and impressions count half as much, for ExpectedCTR (7)",
    )

    publishing = command.add_argument_group("what to do with the lists")
    publishing.add_argument(
        "--allow-drop", action="store_true", help="publish the requested days even if they have unusually few events"
    )
    publishing.add_argument(
        "--dry-run",
        action="store_true",
        help="do everything but publish, log what would change, and leave nothing behind",
    )
    publishing.add_argument(
        "--replay",
        action="store_true",
        help="rank published days with other parameters, print the changes, and store nothing",
    )
    publishing.add_argument(
        "--step", choices=STEPS, metavar="S", help=f"do one step of a run: {', '.join(STEPS)}; models in any order"
    )
    return command
