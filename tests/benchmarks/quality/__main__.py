"""`make quality`: regret of the batch's lists against known true click rates, as a table and a plot in docs/quality.md."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from math import sqrt
from pathlib import Path
from statistics import mean, stdev
from typing import NamedTuple

from pyspark.sql import DataFrame

from devstack.stack import spark_exports
from devstack.state import ROOT
from devstack.steps import say, step
from spark_jobs import past
from spark_jobs.session import spark_session
from spark_jobs.settings import Storage
from tests.benchmarks.contestants import THEIR_PYTHON
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
from tests.benchmarks.report import write

DOCUMENT = ROOT / "docs" / "quality.md"
PLOT = ROOT / "docs" / "images" / "quality.png"
WINDOWS = (1, *sorted(past.WINDOWS))
OVER_WINDOWS = ("TopProduct", "TopCTR, W = 0", "TopCTR, W = 20", UNAVOIDABLE)
VOLUMES = (6_250, 62_500, 625_000)  # impressions a day of all advertisers; the middle one is that of `make sample`
SIZES = {"small": (0, 1_000), "middle": (1_000, 10_000), "large": (10_000, 10**9)}
"""Advertisers by their impressions of a day."""


class Measured(NamedTuple):
    """One list of one advertiser."""

    name: str
    size: str
    places: int
    seed: str
    regret: float


Key = tuple[str, str, int]
"""List, size, places."""


class Mean(NamedTuple):
    """A mean over seeds, and its standard error."""

    mean: float
    error: float


def main() -> int:
    """Run from the command line; return the exit code."""
    command = argparse.ArgumentParser(prog="python -m tests.benchmarks.quality", description=__doc__)
    command.add_argument(
        "--seeds", type=int, default=30, metavar="N", help="how many days of sample events, at least 2 (30)"
    )
    seeds = range(1, command.parse_args().seeds + 1)
    if len(seeds) < 2:
        command.error("a spread needs at least 2 seeds")
    os.environ.update(spark_exports())
    with tempfile.TemporaryDirectory() as folder:
        means = over_seeds(measured(Path(folder), seeds))
    write(section(means, len(seeds)), DOCUMENT)
    drawn = subprocess.run(
        [str(THEIR_PYTHON), "-m", "tests.benchmarks.quality.plot", str(PLOT)],
        input=json.dumps(points(means)),
        text=True,
        cwd=ROOT,
        check=False,
    )
    if drawn.returncode == 0:
        say(f"{DOCUMENT.relative_to(ROOT)} and {PLOT.relative_to(ROOT)} are written")
    return drawn.returncode


def measured(folder: Path, seeds: Iterable[int]) -> list[Measured]:
    """Make the days' counts in the folder, rank them in every way and return what each advertiser's list loses."""
    spark = spark_session("vitrina quality", Storage(raw_uri="file:///unused", lake_uri="file:///unused"))
    spark.sparkContext.setLogLevel("ERROR")

    def counted(volumes: Sequence[int], windows: Sequence[int]) -> DataFrame:
        kept = (folder / f"{len(windows)} windows").as_uri()
        with step(f"sample events of {max(windows)} days, counted"):
            for seed in seeds:
                counts_of_days(spark, seed, volumes, windows).coalesce(1).write.mode("append").parquet(kept)
        return spark.read.parquet(kept).cache()

    def held(name: str, counts: DataFrame, name_of: Callable[[str, int], str]) -> Iterator[Measured]:
        with step(name):
            for row in regrets(counts, lists()[name](counts)).collect():
                seed = row.advertiser_id.split("/")[1]
                for places in PLACES:
                    regret = row[f"regret_of_{places}"]
                    yield Measured(name_of(name, row.days), size_of(row.impressions), places, seed, regret)

    of_days, of_windows = counted(VOLUMES, (1,)), counted(VOLUMES[:-1], WINDOWS)
    found = [each for name in lists() for each in held(name, of_days, lambda name, _: name)]
    found += [each for name in OVER_WINDOWS for each in held(name, of_windows, over)]
    spark.stop()
    return found


def over(name: str, days: int) -> str:
    """Return the name of a list over so many days."""
    return f"{name}, {days} day{'s' if days > 1 else ''}"


def size_of(impressions: int) -> str:
    return next(size for size, (least, most) in SIZES.items() if least <= impressions < most)


def over_seeds(found: Iterable[Measured]) -> dict[Key, Mean]:
    """Return the mean regret and its standard error over seeds; within a seed, every advertiser weighs the same."""
    of_seed: dict[Key, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for each in found:
        of_seed[each.name, each.size, each.places][each.seed].append(each.regret)
    means = {key: [mean(regrets) for regrets in by_seed.values()] for key, by_seed in of_seed.items()}
    return {key: Mean(mean(each), stdev(each) / sqrt(len(each))) for key, each in means.items()}


def section(means: dict[Key, Mean], seeds: int) -> str:
    """Return the tables as a section of the document."""
    volumes = ", ".join(f"{volume:,}" for volume in VOLUMES[:-1]) + f" and {VOLUMES[-1]:,}"
    lines = [
        "## Measured",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {seeds} seeds, each with days of {volumes} impressions of {ADVERTISERS}",
        "advertisers with 100 products each. Mean regret and its standard error over seeds; the lowest of a column is bold.",
        "Sizes are impressions of an advertiser on the day.",
    ]
    for places in PLACES:
        lines += ["", *table(means, places, list(lists()))]
    smaller = " or ".join(f"{volume:,}" for volume in VOLUMES[:-1])
    lines += ["", f"Over windows, of days with {smaller} impressions; the rates do not change meanwhile."]
    for places in PLACES:
        lines += ["", *table(means, places, [over(name, days) for name in OVER_WINDOWS for days in WINDOWS])]
    return "\n".join(lines)


def table(means: dict[Key, Mean], places: int, names: Sequence[str]) -> list[str]:
    """Return the lines of one table: a row a list, a column a size."""
    rankings = [name for name in names if not name.startswith(UNAVOIDABLE)]
    lowest = {size: min(means[name, size, places].mean for name in rankings) for size in SIZES}

    def cell(name: str, size: str) -> str:
        found = means[name, size, places]
        words = f"{found.mean:.1%} ± {found.error:.1%}"
        return f"**{words}**" if round(found.mean, 3) == round(lowest[size], 3) else words

    heads = [
        f"{size}: {least:,} to {most:,}" if most < 10**9 else f"{size}: more" for size, (least, most) in SIZES.items()
    ]
    rows = [f"| {name} | {' | '.join(cell(name, size) for size in SIZES)} |" for name in names]
    return [f"| first {places} places | {' | '.join(heads)} |", "|---|" + "---|" * len(SIZES), *rows]


def points(means: dict[Key, Mean]) -> dict[str, object]:
    """Return what the plot shows: by places, and for windows, a curve a size as (x, mean, error), and a level."""

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
            weight: curves({days: over(f"TopCTR, W = {weight}", days) for days in WINDOWS}, TOP) for weight in (0, 20)
        },
    }


if __name__ == "__main__":
    sys.exit(main())
