"""Means over seeds, by size of advertiser, and the tables that show them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from statistics import mean, stdev
from typing import NamedTuple

from tests.benchmarks.quality.regret import PLACES, UNAVOIDABLE

VOLUMES = (6_250, 62_500, 625_000)  # impressions per day of all advertisers; `make sample` has the middle one
SIZES = {"small": (0, 1_000), "middle": (1_000, 10_000), "large": (10_000, 10**9)}
"""Sizes of advertisers, as ranges of impressions per day."""


class Measured(NamedTuple):
    """The regret of one advertiser's list."""

    name: str
    size: str
    places: int
    seed: str
    regret: float


Key = tuple[str, str, int]
"""List name, size, places."""


class Mean(NamedTuple):
    """A mean over seeds with its standard error."""

    mean: float
    error: float


def size_of(impressions: float) -> str:
    return next(size for size, (least, most) in SIZES.items() if least <= impressions < most)


def means_over_seeds(found: Iterable[Measured]) -> dict[Key, Mean]:
    """Return the mean regret and its standard error over seeds; within a seed, all advertisers have the same weight."""
    regrets_by_seed: dict[Key, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for each in found:
        regrets_by_seed[each.name, each.size, each.places][each.seed].append(each.regret)
    return {key: mean_of([mean(regrets) for regrets in each.values()]) for key, each in regrets_by_seed.items()}


def mean_of(by_seed: Sequence[float]) -> Mean:
    return Mean(mean(by_seed), stdev(by_seed) / sqrt(len(by_seed)))


def table(means: dict[Key, Mean], corner: str, names: Sequence[str]) -> list[str]:
    """Return the lines of one table: one row per list, one column per number of places and size."""
    columns = {
        f"{places} places, {size}": {name: means[name, size, places] for name in names}
        for places in PLACES
        for size in SIZES
    }
    return comparison(corner, names, columns)


def comparison(corner: str, names: Sequence[str], columns: Mapping[str, Mapping[str, Mean]]) -> list[str]:
    """Return the lines of a table with one row per list, and of its largest standard error.

    The lowest regret in a column is bold, if a ranking has it.
    """
    rankings = [name for name in names if not name.startswith(UNAVOIDABLE)]
    lowest = {column: min(means[name].mean for name in rankings) for column, means in columns.items()}

    def cell(name: str, column: str) -> str:
        regret = columns[column][name].mean
        return f"**{regret:.1%}**" if round(regret, 3) == round(lowest[column], 3) else f"{regret:.1%}"

    rows = [f"| {name} | {' | '.join(cell(name, column) for column in columns)} |" for name in names]
    error = max(found.error for means in columns.values() for found in means.values())
    head = [f"| {corner} | {' | '.join(columns)} |", "|---|" + "---|" * len(columns)]
    return [*head, *rows, "", f"Standard errors: at most {error * 100:.1f} points."]
