"""`make bench`: Vitrina's nightly job beside what people would use instead, over the same files, in turns.

Nothing here passes or fails by its time; a peer whose rows are not Vitrina's ends it.
"""

import argparse
import os
import re
import shutil
import signal
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.stack import Stack
from devstack.state import StackError
from devstack.steps import say, step
from tests.benchmarks import report
from tests.benchmarks.contestants import Contestant, peers, vitrina
from tests.benchmarks.events import FIRST_DAY, FORMS, RANKED_DAY, Shape, files_of, write_events
from tests.benchmarks.measure import Failed, Laps, Measured, measure
from tests.benchmarks.rows import OtherRows, Rows

SIZES = ("0.4M", "4M", "40M")
PARTS = ("night", "backfill", "append")
MANY_LISTS = Shape(4_000_000, active=5000, inactive=0, products=50)
"""For the append alone: 200,000 rows, where 20 advertisers have 800."""


def main() -> int:
    """Run from the command line; return the exit code."""
    options = parser().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as at Ctrl-C, nothing is left running
    try:
        with own_stack(options.folder, options.keep) as stack:
            nights: report.Nights = {}
            for shape in [*options.size, MANY_LISTS]:
                parts = [part for part in options.only if (part == "append") == (shape == MANY_LISTS)]
                if parts:
                    with raw_events(stack, shape, options.form, options.over, options.keep) as raw_uri:
                        bench = Bench(stack, shape, raw_uri, options, nights)
                        for part in parts:
                            report.write(bench.run(part))
            if len(nights) > 2:
                report.write(report.growth(nights))
    except (StackError, Failed, OtherRows) as problem:
        say(f"bench: {problem}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    command = argparse.ArgumentParser(prog="python -m tests.benchmarks.batch", description=__doc__)
    command.add_argument(
        "--size", type=_shape, nargs="+", default=[_shape(size) for size in SIZES], help="4M, 400M, ..."
    )
    command.add_argument("--form", choices=FORMS, default="flat", help="of the raw files")
    command.add_argument(
        "--over", choices=("file", "s3a"), default="file", help="s3a: the local S3, in memory and slow"
    )
    command.add_argument("--repeat", type=int, default=3, help="repetitions of each, in turns")
    command.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="parts to run")
    command.add_argument("--folder", type=Path, default="/var/tmp", help="below which files and database are meanwhile")
    command.add_argument("--keep", action="store_true", help="keep them for the next time with --keep")
    return command


def _shape(text: str) -> Shape:
    if not (found := re.fullmatch(r"(\d+(?:\.\d+)?)([KM])", text)):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of rows such as 400K or 4M")
    return Shape(round(float(found[1]) * {"K": 1_000, "M": 1_000_000}[found[2]]))


@contextmanager
def own_stack(place: Path, keep: bool) -> Iterator[Stack]:
    """Start PostgreSQL and S3 in a folder of their own below `place`, and end them."""
    if keep:
        folder = place / "vitrina-bench"
        folder.mkdir(exist_ok=True)
        if folder.stat().st_uid != os.geteuid():
            raise StackError(f"{folder} belongs to somebody else; name another place with FOLDER=")
    else:
        folder = Path(tempfile.mkdtemp(prefix="vitrina-bench-", dir=place))
    folder.chmod(0o755)  # PostgreSQL runs as another account when we are root
    stack = Stack(folder.resolve())
    try:
        stack.start()
        stack.migrate()
        yield stack
    finally:
        stack.stop()
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def raw_events(stack: Stack, shape: Shape, form: str, over: str, keep: bool) -> Iterator[str]:
    """Write the events, or take those that were kept, and return their URI."""
    folder = stack.folder / f"events-{form}-{shape.rows}-{shape.active}"
    if not folder.exists():
        check_disk(folder.parent, shape)
        with step(f"{shape.rows:,} events, {form}"):
            half_made = folder.with_suffix(".part")
            write_events(half_made, shape, form)
            half_made.rename(folder)
    if over == "s3a":
        with step("into the local S3"):
            client = stack.s3.client()
            for path in filter(Path.is_file, folder.rglob("*")):
                client.upload_file(str(path), stack.s3.bucket, f"{folder.name}/{path.relative_to(folder)}")
        yield f"s3a://{stack.s3.bucket}/{folder.name}"
    else:
        yield folder.as_uri()
    if not keep:
        shutil.rmtree(folder)


def check_disk(folder: Path, shape: Shape) -> None:
    """StackError where the events, and half as much again for those who read them, do not fit."""
    free, needed = shutil.disk_usage(folder).free, int(1.5 * shape.bytes) + 2**30
    if free < needed:
        raise StackError(
            f"{folder} has {free / 1e9:.0f} GB free and {shape.rows:,} rows need {needed / 1e9:.0f} GB; "
            "free some, or name another place with FOLDER=/where/there/is/room"
        )


class Bench:
    """The parts of the benchmark, over one set of files."""

    def __init__(
        self, stack: Stack, shape: Shape, raw_uri: str, options: argparse.Namespace, nights: report.Nights
    ) -> None:
        self.stack = stack
        self.raw_uri = raw_uri
        self.options = options
        self.nights = nights
        self.rows = Rows(stack.postgres.url())
        self.setting = report.Setting(shape, options.form, options.over)
        self.lake_uri = (stack.folder / "lake").as_uri()
        if options.over == "s3a":
            self.lake_uri = f"s3a://{stack.s3.bucket}/lake"

    def run(self, part: str) -> str:
        """Measure one of PARTS and return its section of the report."""
        return {"night": self.night, "backfill": self.backfill, "append": self.append}[part]()

    def night(self) -> str:
        """One night of the last day, by Vitrina and by each peer."""
        files = files_of(self.raw_uri.removeprefix("file://"), self.options.form, RANKED_DAY)
        theirs = peers(self.stack, files, RANKED_DAY, self.setting.shape.rows)
        self.nights[self.setting] = laps = self.in_turns([self.one_day(), *theirs])
        return report.night(self.setting, laps)

    def backfill(self) -> str:
        """All days in one application, against one of them."""
        days = ("--from", str(FIRST_DAY), "--to", str(RANKED_DAY), "--force", "--allow-drop")
        all_days = vitrina(self.stack, self.raw_uri, self.lake_uri, *days, name="all days")
        return report.backfill(self.setting, self.in_turns([self.one_day(), all_days]))

    def append(self) -> str:
        """Rank, append, audit and publish, against COPY of the same rows."""
        laps, copies = [], []
        for lap in range(self.options.repeat):
            with step(f"{lap + 1} of {self.options.repeat}: many lists, and COPY"):
                laps.append(self.measured(self.one_day()))
                copies.append(self.rows.copy_published(RANKED_DAY))
        return report.append(self.setting, {"Vitrina": laps}, copies)

    def one_day(self) -> Contestant:
        return vitrina(
            self.stack, self.raw_uri, self.lake_uri, "--day", str(RANKED_DAY), "--no-lookback", "--allow-drop"
        )

    def in_turns(self, contestants: list[Contestant]) -> Laps:
        """Measure all once, then all again; what is not Vitrina's must have ranked as it did."""
        laps: Laps = defaultdict(list)
        for lap in range(self.options.repeat):
            for contestant in contestants:
                with step(f"{lap + 1} of {self.options.repeat}: {contestant.name}"):
                    laps[contestant.name].append(self.measured(contestant))
        return laps

    def measured(self, contestant: Contestant) -> Measured:
        """Let one contestant do the night's work, from tables as the last one met them."""
        if not contestant.ranks:
            return measure(contestant.command, contestant.environment)
        run = self.rows.open_run(RANKED_DAY)
        try:
            lap = measure([*contestant.command, str(run)], contestant.environment)
            self.rows.same_as_published(run, RANKED_DAY)
        finally:
            self.rows.forget_run(run)
        return lap


if __name__ == "__main__":
    sys.exit(main())
