"""Measure ExpectedCTR and its alternatives while rates change, and write what `make quality` says about it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
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
from tests.benchmarks.quality.summary import SIZES, VOLUMES, Mean, comparison, heading, mean_of, size_of

DAYS = 28
CLOSED_DAYS = 56
"""Days that are measured, after those of the lake; the closed loop is slower to show its effect."""
LENGTHS = (PLACES, 5)
CLOSED = ("constant", "redrawn weekly")
IN_CLOSED_LOOP = ("TopCTR, W = 20, 7 days", "TopCTR, W = 20, 28 days", EXPECTED, EXPLORING)
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
            for name in IN_CLOSED_LOOP
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
        f"{datetime.now(UTC):%Y-%m-%d}, {seeds} seeds, the same volumes and sizes, {LAKE_DAYS} days of counts before the",
        f"first list. Mean regret of {DAYS} days' lists on the next day's rates. Lists do not influence what is shown.",
    ]
    for places in LENGTHS:
        for size in SIZES:
            columns = {
                change: {name: over_days(opened[change, name, places, size]) for name in RULES} for change in CHANGES
            }
            lines += ["", *comparison(f"{heading(size)}, first {places} places", list(RULES), columns)]
    lines += [
        "",
        f"The closed loop: cumulative regret over {CLOSED_DAYS} days, as a share of the clicks of the best lists.",
    ]
    for change in CLOSED:
        columns = {
            heading(size): {name: over_days(closed[change, name, PLACES, size]) for name in IN_CLOSED_LOOP}
            for size in SIZES
        }
        lines += ["", *comparison(f"{change}, first {PLACES} places", IN_CLOSED_LOOP, columns)]
    return "\n".join(lines)


def targets(opened: Daily, closed: Daily) -> str:
    """Return the section that compares the measurements with the targets, which are for the first 20 places."""
    rows = [_ratio_row(opened, size) for size in SIZES]
    rows += [
        _lower_row(opened, change, size) for change in CHANGES if change != "constant" for size in ("small", "middle")
    ]
    rows += [_exploration_row(closed, change, size) for change in CLOSED for size in SIZES]
    head = ["| rates | advertisers | target | measured | |", "|---|---|---|---|---|"]
    lines = [
        "## Targets",
        "",
        f"Regret of the first {PLACES} places. Differences are paired by seed, in percentage points with their standard",
        "errors. The alternative named is the one that is hardest to beat.",
        "",
    ]
    return "\n".join([*lines, *head, *(f"| {' | '.join(row)} |" for row in rows)])


def _ratio_row(opened: Daily, size: str) -> tuple[str, ...]:
    regrets = {name: over_days(opened["constant", name, PLACES, size]).mean for name in (*ALTERNATIVES, EXPECTED)}
    best = min(ALTERNATIVES, key=regrets.__getitem__)
    ratio = regrets[EXPECTED] / regrets[best]
    target = f"at most {ACCEPTED_RATIO} times the best alternative"
    return "constant", size, target, f"{ratio:.2f} times {best}", _verdict(ratio <= ACCEPTED_RATIO)


def _lower_row(opened: Daily, change: str, size: str) -> tuple[str, ...]:
    ours = opened[change, EXPECTED, PLACES, size]
    gains = {name: over_days(opened[change, name, PLACES, size] - ours) for name in ALTERNATIVES}
    hardest = min(gains, key=lambda name: gains[name].mean / gains[name].error)
    gain = gains[hardest]
    target = "lower than every alternative by two standard errors"
    return change, size, target, f"{_points(gain)} than {hardest}", _verdict(gain.mean > 2 * gain.error)


def _exploration_row(closed: Daily, change: str, size: str) -> tuple[str, ...]:
    gain = over_days(closed[change, EXPECTED, PLACES, size] - closed[change, EXPLORING, PLACES, size])
    target = "closed loop: exploration lower than none"
    return change, size, target, f"{_points(gain)} than {EXPECTED}", _verdict(gain.mean > 0)


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
            name: np.cumsum(closed["redrawn weekly", name, PLACES, size].mean(axis=1)).tolist()
            for name in IN_CLOSED_LOOP
        }
        for size in SIZES
    }
    return {"changes": by_change, "closed loop": cumulative}
