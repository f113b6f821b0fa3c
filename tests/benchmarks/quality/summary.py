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


Cases = Mapping[str, Mapping[str, Mean]]
"""What the same lists are compared in: the means by list name, by case."""


def table(means: dict[Key, Mean], corner: str, names: Sequence[str]) -> list[str]:
    """Return the lines of one table: one row per list, one column per number of places and size."""
    cases = {
        f"{places} places, {size}": {name: means[name, size, places] for name in names}
        for places in PLACES
        for size in SIZES
    }
    texts = [_texts(each) for each in cases.values()]
    return _lines([corner, *cases], [[name, *(each[name] for each in texts)] for name in names], cases)


def table_of_cases(corner: str, names: Sequence[str], cases: Cases) -> list[str]:
    """Return the lines of one table: one row per case, one column per list."""
    return _lines([corner, *names], [[case, *_texts(means).values()] for case, means in cases.items()], cases)


def _texts(means: Mapping[str, Mean]) -> dict[str, str]:
    """Return the regret of each list as text; the lowest is bold, if a ranking has it."""
    lowest = min(round(found.mean, 3) for name, found in means.items() if not name.startswith(UNAVOIDABLE))

    def text(regret: float) -> str:
        return f"**{regret:.1%}**" if round(regret, 3) == lowest else f"{regret:.1%}"

    return {name: text(found.mean) for name, found in means.items()}


def _lines(head: Sequence[str], rows: Iterable[Sequence[str]], cases: Cases) -> list[str]:
    error = max(found.error for means in cases.values() for found in means.values())
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return [lines[0], "|---" * len(head) + "|", *lines[1:], "", f"Standard errors: at most {error * 100:.1f} points."]
