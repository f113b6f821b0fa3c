"""`make quality`: measure the lists' regret against known click rates, and write tables and plots to docs/quality.md."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pyspark.sql import DataFrame

from devstack.stack import spark_exports
from devstack.state import ROOT
from devstack.steps import say, step
from spark_jobs.ranking.windows import WINDOWS as RANKED_WINDOWS
from spark_jobs.session import spark_session
from spark_jobs.settings import Storage
from tests.benchmarks.contestants import BENCH_PYTHON
from tests.benchmarks.quality import changing_report
from tests.benchmarks.quality.regret import (
    ADVERTISERS,
    PLACES,
    TOP,
    UNAVOIDABLE,
    WEIGHTS,
    counts_of_days,
    lists,
    regrets,
)
from tests.benchmarks.quality.summary import SIZES, VOLUMES, Key, Mean, Measured, means_over_seeds, size_of, table
from tests.benchmarks.report import write

DOCUMENT = ROOT / "docs" / "quality.md"
PLOT = ROOT / "docs" / "images" / "quality.png"
WINDOWS = (1, *sorted(RANKED_WINDOWS))
WINDOW_LISTS = ("TopCTR, W = 0", "TopCTR, W = 20")
TABLE_LISTS = (
    "TopProduct",
    *(f"TopCTR, W = {weight}" for weight in (0, 20, 50, 2000)),
    *(f"TopCTR, N = {least}" for least in (5, 100)),
    UNAVOIDABLE,
)
"""The lists over one day that the table has; the plot has all weights."""


def main() -> int:
    """Run from the command line; return the exit code."""
    command = argparse.ArgumentParser(prog="python -m tests.benchmarks.quality", description=__doc__)
    command.add_argument(
        "--seeds", type=int, default=30, metavar="N", help="number of sample data sets, at least 2 (30)"
    )
    seeds = range(1, command.parse_args().seeds + 1)
    if len(seeds) < 2:
        command.error("a standard error needs at least 2 seeds")
    opened, closed = changing_report.measure_open(seeds), changing_report.measure_closed(seeds)
    os.environ.update(spark_exports())
    with tempfile.TemporaryDirectory() as folder:
        means = means_over_seeds(measured(Path(folder), seeds))
    for text in (
        changing_report.targets(opened, closed),
        section(means, len(seeds)),
        changing_report.section(opened, closed, len(seeds)),
    ):
        write(text, DOCUMENT)
    drawn = subprocess.run(
        [str(BENCH_PYTHON), "-m", "tests.benchmarks.quality.plot", str(PLOT)],
        input=json.dumps(points(means) | changing_report.points(opened, closed)),
        text=True,
        cwd=ROOT,
        check=False,
    )
    if drawn.returncode == 0:
        say(f"wrote {DOCUMENT.relative_to(ROOT)} and {PLOT.relative_to(ROOT)}")
    return drawn.returncode


def measured(folder: Path, seeds: Iterable[int]) -> list[Measured]:
    """Write daily counts to the folder, rank them with each list's rule and return the regret of each advertiser's list."""
    spark = spark_session("vitrina quality", Storage(raw_uri="file:///unused", lake_uri="file:///unused"))
    spark.sparkContext.setLogLevel("ERROR")

    def write_counts(volumes: Sequence[int], windows: Sequence[int]) -> DataFrame:
        uri = (folder / f"{len(windows)} windows").as_uri()
        with step(f"count the sample events of {max(windows)} days"):
            for seed in seeds:
                counts_of_days(spark, seed, volumes, windows).coalesce(1).write.mode("append").parquet(uri)
        return spark.read.parquet(uri).cache()

    def measure(name: str, counts: DataFrame, name_of: Callable[[str, int], str]) -> Iterator[Measured]:
        with step(name):
            for row in regrets(counts, lists()[name](counts)).collect():
                seed = row.advertiser_id.split("/")[1]
                for places in PLACES:
                    regret = row[f"regret_of_{places}"]
                    yield Measured(name_of(name, row.days), size_of(row.impressions), places, seed, regret)

    one_day, windows = write_counts(VOLUMES, (1,)), write_counts(VOLUMES[:-1], WINDOWS)
    found = [each for name in lists() for each in measure(name, one_day, lambda name, _: name)]
    found += [each for name in WINDOW_LISTS for each in measure(name, windows, window_name)]
    spark.stop()
    return found


def window_name(name: str, days: int) -> str:
    """Return the name of a list over a window of `days`."""
    return f"{name}, {days} day{'s' if days > 1 else ''}"


def section(means: dict[Key, Mean], seeds: int) -> str:
    """Return the section of the document with all tables."""
    volumes = ", ".join(f"{volume:,}" for volume in VOLUMES[:-1]) + f" and {VOLUMES[-1]:,}"
    lines = [
        "## Measured",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {seeds} seeds, each with days of {volumes} impressions of {ADVERTISERS}",
        "advertisers with 100 products each. Mean regret over seeds; the lowest in a column is bold.",
        "",
        *table(means, "one day", TABLE_LISTS),
    ]
    smaller = " or ".join(f"{volume:,}" for volume in VOLUMES[:-1])
    over_windows = [window_name(name, days) for name in WINDOW_LISTS for days in WINDOWS]
    lines += ["", f"Windows of days with {smaller} impressions:", "", *table(means, "windows", over_windows)]
    return "\n".join(lines)


def points(means: dict[Key, Mean]) -> dict[str, object]:
    """Return the data of the plot: one curve of (x, mean, error) per size, by weight and by window, and horizontal lines."""

    def level(name: str, places: int) -> dict[str, float]:
        return {size: means[name, size, places].mean for size in SIZES}

    def curves(names: dict[int, str], places: int) -> dict[str, list[tuple[float, ...]]]:
        return {size: [(x, *means[name, size, places]) for x, name in names.items()] for size in SIZES}

    by_weight = {weight: f"TopCTR, W = {weight}" for weight in WEIGHTS}
    return {
        "weights": {
            places: {"curves": curves(by_weight, places), "level": level(UNAVOIDABLE, places)} for places in PLACES
        },
        "windows": {
            weight: curves({days: window_name(f"TopCTR, W = {weight}", days) for days in WINDOWS}, TOP)
            for weight in (0, 20)
        },
    }


if __name__ == "__main__":
    sys.exit(main())
