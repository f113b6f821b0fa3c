"""Measure ExpectedCTR and its alternatives while rates change, and write what `make quality` says about it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import product
from math import ceil
from typing import Any

import numpy as np

from devstack.steps import step
from tests.benchmarks.quality.changing_lists import ALTERNATIVES, EXPECTED, EXPLORING, PLACES, RULES
from tests.benchmarks.quality.changing_rates import (
    CHANGES,
    LAKE_DAYS,
    REPLACED,
    closed_loop,
    market,
    open_loop,
    popularity,
    regret,
)
from tests.benchmarks.quality.expected_ctr import Array
from tests.benchmarks.quality.regret import ADVERTISERS
from tests.benchmarks.quality.summary import SIZES, VOLUMES, Mean, mean_of, size_of, table_of_cases

DAYS = 28
CLOSED_DAYS = 56
"""Days that are measured, after those of the lake; the closed loop is slower to show its effect."""
LENGTHS = (PLACES, 5)
CLOSED = ("constant", "redrawn weekly")
IN_TABLES = ("TopCTR, W = 20, 7 days", "TopCTR, W = 20, 28 days", EXPECTED, EXPLORING)
ACCEPTED_RATIO = 1.05

Daily = Mapping[tuple[str, str, int, str], Array]
"""The regret of each day by change, list name, places and size: (days, seeds), the mean over advertisers."""


def measure_open(seeds: Sequence[int]) -> Daily:
    """Return the regret of every list on days that it does not influence."""

    def of_volume(change: str, volume: int) -> dict[tuple[str, int], list[Array]]:
        found: dict[tuple[str, int], list[Array]] = {(name, places): [] for name in RULES for places in LENGTHS}
        for seen, rates in open_loop(market(change, volume, seeds, LAKE_DAYS + DAYS)):
            for name, rule in RULES.items():
                listed = rule(seen)
                for places in LENGTHS:
                    found[name, places].append(regret(listed, rates, places))
        return found

    return _by_size(CHANGES, of_volume)


def measure_closed(seeds: Sequence[int]) -> Daily:
    """Return the regret of every list on days on which it decides what is shown, with new products every week."""

    def of_volume(change: str, volume: int) -> dict[tuple[str, int], list[Array]]:
        truth = market(change, volume, seeds, LAKE_DAYS + CLOSED_DAYS, REPLACED)
        return {
            (name, PLACES): [regret(listed, rates, PLACES) for listed, rates, _ in closed_loop(truth, RULES[name])]
            for name in IN_TABLES
        }

    return _by_size(CLOSED, of_volume)


def _by_size(
    changes: Iterable[str], of_volume: Callable[[str, int], Mapping[tuple[str, int], list[Array]]]
) -> dict[tuple[str, str, int, str], Array]:
    """Measure all volumes, and average the advertisers of each size."""
    sizes = np.array([size_of(volume * share) for volume in VOLUMES for share in popularity(ADVERTISERS)])
    found = {}
    for change in changes:
        with step(f"rates: {change}"):
            volumes = [of_volume(change, volume) for volume in VOLUMES]
            for name, places in volumes[0]:
                regrets = np.concatenate([np.stack(each[name, places]) for each in volumes], axis=-1)
                for size in SIZES:
                    found[change, name, places, size] = regrets[..., sizes == size].mean(axis=-1)
    return found


def over_days(daily: Array) -> Mean:
    """Return the mean over the days, and its standard error over seeds."""
    return mean_of(daily.mean(axis=0).tolist())


def section(opened: Daily, closed: Daily, seeds: int) -> str:
    """Return the section with the tables of both loops."""
    lines = [
        "## Measured over days",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {seeds} seeds, the same volumes, {LAKE_DAYS} days of counts before the first list.",
        f"Mean regret of {DAYS} days' lists on the next day's rates. Lists do not influence what is shown.",
        "",
        *_table(opened, CHANGES, IN_TABLES[:-1]),  # exploring only pays where lists influence what is shown
        *(_largest_excess(opened, places) for places in LENGTHS),
        "",
        f"The closed loop: cumulative regret over {CLOSED_DAYS} days, as a share of the clicks of the best lists.",
        "",
        *_table(closed, CLOSED, IN_TABLES),
    ]
    return "\n".join(lines)


def _table(daily: Daily, changes: Iterable[str], names: Sequence[str]) -> list[str]:
    cases = {
        f"{change}, {size}": {name: over_days(daily[change, name, PLACES, size]) for name in names}
        for change in changes
        for size in SIZES
    }
    return table_of_cases(f"{PLACES} places", names, cases)


def _largest_excess(opened: Daily, places: int) -> str:
    def excess(case: tuple[str, str]) -> float:
        change, size = case
        regrets = {name: over_days(opened[change, name, places, size]).mean for name in (*ALTERNATIVES, EXPECTED)}
        return regrets.pop(EXPECTED) - min(regrets.values())

    worst = max(product(CHANGES, SIZES), key=excess)
    most = ceil(excess(worst) * 100)
    return f"In {places} places, {EXPECTED} loses less than {most} points against the best TopCTR ({', '.join(worst)})."


def targets(opened: Daily, closed: Daily) -> str:
    """Return the section that compares the measurements with the targets, which are for the first 20 places."""
    rows = [("1, constant", *(_compared_with_the_best(opened, size) for size in SIZES))]
    rows += [
        (f"2, {change}", *(_compared_with_all(opened, change, size) for size in ("small", "middle")), "no target")
        for change in CHANGES
        if change != "constant"
    ]
    rows += [(f"3, {change}", *(_explored(closed, change, size) for size in SIZES)) for change in CLOSED]
    lines = [
        "## Targets",
        "",
        f"ExpectedCTR's regret in the first {PLACES} places should be:",
        "",
        f"1. with constant rates, at most {ACCEPTED_RATIO} times that of the best TopCTR;",
        "2. with changing rates, lower than that of every TopCTR, by two standard errors;",
        "3. in the closed loop, lower with exploration than without.",
        "",
        "The table names the TopCTR that is hardest to beat. Differences are paired by seed, in points ± standard error.",
        "",
        f"| target, rates | {' | '.join(SIZES)} |",
        "|---|" + "---|" * len(SIZES),
    ]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _compared_with_the_best(opened: Daily, size: str) -> str:
    regrets = {name: over_days(opened["constant", name, PLACES, size]).mean for name in (*ALTERNATIVES, EXPECTED)}
    best = min(ALTERNATIVES, key=regrets.__getitem__)
    ratio = regrets[EXPECTED] / regrets[best]
    return f"{_verdict(ratio <= ACCEPTED_RATIO)}: {ratio:.2f} times {best}"


def _compared_with_all(opened: Daily, change: str, size: str) -> str:
    ours = opened[change, EXPECTED, PLACES, size]
    gains = {name: over_days(opened[change, name, PLACES, size] - ours) for name in ALTERNATIVES}
    hardest = min(gains, key=lambda name: gains[name].mean / gains[name].error)
    gain = gains[hardest]
    return f"{_verdict(gain.mean > 2 * gain.error)}: {_points(gain)} than {hardest}"


def _explored(closed: Daily, change: str, size: str) -> str:
    gain = over_days(closed[change, EXPECTED, PLACES, size] - closed[change, EXPLORING, PLACES, size])
    return f"{_verdict(gain.mean > 0)}: {_points(gain)}"


def _points(gain: Mean) -> str:
    return f"{abs(gain.mean) * 100:.2f} ± {gain.error * 100:.2f} {'lower' if gain.mean > 0 else 'higher'}"


def _verdict(is_met: bool) -> str:
    return "met" if is_met else "**missed**"


def points(opened: Daily, closed: Daily) -> dict[str, Any]:
    """Return the data of the plot: for each size, regret by change and list, and regret that adds up over the days."""
    shown = [name for name in RULES if name.startswith("TopCTR, W = 20") or name in (EXPECTED, EXPLORING)]
    by_change = {
        size: {name: [(change, *over_days(opened[change, name, PLACES, size])) for change in CHANGES] for name in shown}
        for size in SIZES
    }
    cumulative = {
        size: {
            name: np.cumsum(closed["redrawn weekly", name, PLACES, size].mean(axis=1)).tolist() for name in IN_TABLES
        }
        for size in SIZES
    }
    return {"changes": by_change, "closed loop": cumulative}
