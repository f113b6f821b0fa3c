"""`make bench`: measure Vitrina's nightly job and its alternatives, in turns, on the same files.

No result depends on a time limit, but an alternative whose rows differ from Vitrina's stops the benchmark.
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
from datetime import timedelta
from pathlib import Path

from devstack.spark import SPARK_CONF_WITHOUT_COMET
from devstack.stack import Stack
from devstack.state import StackError
from devstack.steps import say, step
from tests.benchmarks import report
from tests.benchmarks.contestants import Contestant, peers, vitrina
from tests.benchmarks.events import FIRST_DAY, FORMS, RANKED_DAY, Shape, files_of, write_events
from tests.benchmarks.measure import Failed, Laps, Measured, measure
from tests.benchmarks.rows import DifferentRows, Rows

PARTS = ("night", "forms", "backfill", "append", "advertisers")
SIZES = {"night": ("0.4M", "40M", "400M"), "forms": ("4M",), "backfill": ("40M",)}
"""The sizes of each part, unless --size gives others."""
OTHER_FORMS = (("date", "file"), ("gzip", "file"), ("parquet", "file"), ("flat", "s3a"))
SHAPES = {
    "append": (Shape(4_000_000, active=5_000, inactive=0, products=50),),
    "advertisers": tuple(Shape(20 * active, active=active, inactive=0, products=20) for active in (20_000, 200_000)),
}
"""Parts with many lists; 20 advertisers would have 1,000 rows."""
MOST_ROWS_WITHOUT_COMET = 40_000_000


def main() -> int:
    """Run from the command line; return the exit code."""
    options = parser().parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop everything, as at Ctrl-C
    try:
        with own_stack(options.folder, options.keep) as stack:
            measured = report.Results()
            for setting, parts in settings(options).items():
                with raw_events(stack, setting, options.keep) as raw_uri:
                    bench = Bench(stack, setting, raw_uri, options.repeat, measured)
                    if parts != ["advertisers"]:  # a week of these lists takes half an hour
                        bench.write_history()
                    for part in parts:
                        report.write(bench.run(part))
            report.write(report.targets(measured))
    except (StackError, Failed, DifferentRows) as problem:
        say(f"bench: {problem}")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def settings(options: argparse.Namespace) -> dict[report.Setting, list[str]]:
    """Return the parts to measure by the events that they need, so that the events of each setting are written once."""
    found: dict[report.Setting, list[str]] = {}
    for part in options.only:
        shapes = SHAPES.get(part) or options.size or map(_shape, SIZES[part])
        forms = OTHER_FORMS if part == "forms" else [(options.form, options.over)]
        for shape in shapes:
            for form, over in forms:
                found.setdefault(report.Setting(shape, form, over), []).append(part)
    return found


def parser() -> argparse.ArgumentParser:
    command = argparse.ArgumentParser(prog="python -m tests.benchmarks.batch", description=__doc__)
    command.add_argument(
        "--size", type=_shape, nargs="+", help="rows, such as 4M (default: 0.4M, 40M and 400M; 4M of the other forms)"
    )
    command.add_argument("--form", choices=FORMS, default="flat", help="form of the input files")
    command.add_argument(
        "--over", choices=("file", "s3a"), default="file", help="s3a uses the local S3, which is in memory and slow"
    )
    command.add_argument("--repeat", type=int, default=3, help="repetitions of each program")
    command.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="parts to run")
    command.add_argument("--folder", type=Path, default="/var/tmp", help="where to create files and database")
    command.add_argument("--keep", action="store_true", help="keep them for the next run with --keep")
    return command


def _shape(text: str) -> Shape:
    if not (found := re.fullmatch(r"(\d+(?:\.\d+)?)([KM])", text)):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of rows such as 400K or 4M")
    return Shape(round(float(found[1]) * {"K": 1_000, "M": 1_000_000}[found[2]]))


@contextmanager
def own_stack(place: Path, keep: bool) -> Iterator[Stack]:
    """Start a separate PostgreSQL and S3 in a folder below `place`, and stop them at the end."""
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StackError(f"{place} cannot be created: {error.strerror}; choose another place with FOLDER=") from error
    if keep:
        folder = place / "vitrina-bench"
        folder.mkdir(exist_ok=True)
        if folder.stat().st_uid != os.geteuid():
            raise StackError(f"{folder} belongs to another user; choose another place with FOLDER=")
    else:
        folder = Path(tempfile.mkdtemp(prefix="vitrina-bench-", dir=place))
    folder.chmod(0o755)  # if we are root, PostgreSQL runs as another account
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
def raw_events(stack: Stack, setting: report.Setting, keep: bool) -> Iterator[str]:
    """Write the events, or use those that --keep has kept, and yield their URI."""
    shape, form, over = setting
    folder = stack.folder / f"events-{form}-{shape.rows}-{shape.active}"
    if not folder.exists():
        check_disk(folder.parent, shape)
        with step(f"{shape.rows:,} events, {form}"):
            partial = folder.with_suffix(".part")
            write_events(partial, shape, form)
            partial.rename(folder)
    if over == "s3a":
        with step("upload to the local S3"):
            client = stack.s3.client()
            for path in filter(Path.is_file, folder.rglob("*")):
                client.upload_file(str(path), stack.s3.bucket, f"{folder.name}/{path.relative_to(folder)}")
        yield f"s3a://{stack.s3.bucket}/{folder.name}"
    else:
        yield folder.as_uri()
    if not keep:
        shutil.rmtree(folder)


def check_disk(folder: Path, shape: Shape) -> None:
    """StackError if there is not enough space for the events and half as much for the programs that read them."""
    free, needed = shutil.disk_usage(folder).free, int(1.5 * shape.bytes) + 2**30
    if free < needed:
        raise StackError(
            f"{folder} has {free / 1e9:.0f} GB free and {shape.rows:,} rows need {needed / 1e9:.0f} GB; "
            "free some space or choose another place with FOLDER="
        )


class Bench:
    """The parts of the benchmark, on one set of files."""

    def __init__(
        self, stack: Stack, setting: report.Setting, raw_uri: str, repeat: int, measured: report.Results
    ) -> None:
        self.stack = stack
        self.raw_uri = raw_uri
        self.repeat = repeat
        self.measured = measured
        self.rows = Rows(stack.postgres.url())
        self.setting = setting
        self.lake_uri = (stack.folder / "lake").as_uri()
        if setting.over == "s3a":
            self.lake_uri = f"s3a://{stack.s3.bucket}/lake"

    def write_history(self) -> None:
        """Publish the week before the ranked day, which every measured run then finds in the lake."""
        with step(f"a week of history, {self.setting}"):
            days = ("--from", str(FIRST_DAY), "--to", str(RANKED_DAY - timedelta(days=1)), "--force", "--allow-drop")
            self.measured_once(vitrina(self.stack, self.raw_uri, self.lake_uri, *days))

    def run(self, part: str) -> str:
        """Measure one of PARTS and return its section of the report."""
        parts = {
            "night": self.night,
            "forms": self.night,
            "backfill": self.backfill,
            "append": self.append,
            "advertisers": self.advertisers,
        }
        return parts[part]()

    def night(self) -> str:
        """Rank the last day with Vitrina, with and without Comet, and with each peer."""
        files = files_of(self.raw_uri.removeprefix("file://"), self.setting.form, RANKED_DAY)
        ours = [self.one_day()]
        if self.setting.shape.rows <= MOST_ROWS_WITHOUT_COMET and SPARK_CONF_WITHOUT_COMET.exists():
            ours.append(self.one_day("Vitrina without Comet", SPARK_CONF_WITHOUT_COMET))
        laps = self.in_turns([*ours, *peers(self.stack, files, RANKED_DAY, self.setting.shape.rows)])
        self.measured.add_night(self.setting, laps)
        return report.night(self.setting, laps)

    def backfill(self) -> str:
        """Rank a week in one application, and one of its days for comparison."""
        first = RANKED_DAY - timedelta(days=report.BACKFILLED_DAYS - 1)
        days = ("--from", str(first), "--to", str(RANKED_DAY), "--force", "--allow-drop")
        all_days = vitrina(self.stack, self.raw_uri, self.lake_uri, *days, name="all days")
        laps = self.in_turns([self.one_day("one day"), all_days])
        self.measured.add(self.setting, laps, "all days", "one day")
        return report.backfill(self.setting, laps)

    def append(self) -> str:
        """Rank, append, audit and publish, and COPY the same rows for comparison."""
        laps, copies = [], []
        for lap in range(self.repeat):
            with step(f"{lap + 1} of {self.repeat}: many lists, and COPY"):
                laps.append(self.measured_once(self.one_day()))
                copies.append(self.rows.copy_published(RANKED_DAY))
        return report.append(self.setting, {"Vitrina": laps}, copies)

    def advertisers(self) -> str:
        """Rank a day with many advertisers."""
        laps = self.in_turns([self.one_day()])
        self.measured.add_advertisers(self.setting.shape.active, laps["Vitrina"])
        return report.advertisers(self.setting, laps)

    def one_day(self, name: str = "Vitrina", configuration: Path | None = None) -> Contestant:
        options = ("--day", str(RANKED_DAY), "--no-lookback", "--allow-drop")
        return vitrina(self.stack, self.raw_uri, self.lake_uri, *options, name=name, configuration=configuration)

    def in_turns(self, contestants: list[Contestant]) -> Laps:
        """Measure each program once, then each again, and so on."""
        laps: Laps = defaultdict(list)
        for lap in range(self.repeat):
            for contestant in contestants:
                with step(f"{lap + 1} of {self.repeat}: {contestant.name}"):
                    laps[contestant.name].append(self.measured_once(contestant))
        return laps

    def measured_once(self, contestant: Contestant) -> Measured:
        """Measure one program; a peer's rows must equal Vitrina's, and are removed afterwards."""
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
