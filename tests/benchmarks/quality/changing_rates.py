"""Simulated days in which click rates change and lists decide what is shown, for all seeds and advertisers at once.

Rates and popularity follow the same distributions as in spark_jobs/sample_data.py. Arrays have the axes
(days, seeds, advertisers, products).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.random import Generator, default_rng

from tests.benchmarks.quality.changing_lists import EMPTY, PLACES, Rule, Seen
from tests.benchmarks.quality.expected_ctr import Array

ADVERTISERS, PRODUCTS = 20, 100
LAKE_DAYS = 28
"""Days of counts that a list may depend on; so many days pass before the first list is measured."""
WEEK = 7
REDRAWN = 0.2
"""Share of products with a new rate every week: a rate holds for five weeks on average."""
STEP = 0.1
"""Standard deviation of a day's step on the logit scale: a rate of 2 % is between 1.2 % and 3.4 % four weeks later."""
BURST_STARTS, BURST_DAYS, BURST_FACTOR = 0.01, 4, 3.0
"""Chance per product and day of a burst, how long it lasts, and by what it multiplies the rate."""
REPLACED = 0.05
"""Share of products that new ones replace every week in the closed loop."""
TO_LISTED = 0.8
"""Share of the impressions that go evenly to the places of the list in the closed loop."""


def constant(start: Array, days: int, random: Generator) -> Array:
    """Return the same rates every day: (days, advertisers, products)."""
    return np.broadcast_to(start, (days, *start.shape))


def redrawn_weekly(start: Array, days: int, random: Generator) -> Array:
    """Replace the rates of some products at the start of each week."""
    rates = [start]
    for day in range(1, days):
        is_redrawn = (random.random(start.shape) < REDRAWN) & (day % WEEK == 0)
        rates.append(np.where(is_redrawn, draw_rates(random), rates[-1]))
    return np.stack(rates)


def random_walk(start: Array, days: int, random: Generator) -> Array:
    """Let each rate take a small step every day, up or down, on the logit scale."""
    steps = random.normal(0, STEP, (days, *start.shape))
    logits = np.log(start / (1 - start)) + np.cumsum(steps, axis=0)
    return 1 / (1 + np.exp(-logits))


def bursts(start: Array, days: int, random: Generator) -> Array:
    """Multiply the rates of some products for a few days."""
    begins = random.random((days + BURST_DAYS, *start.shape)) < BURST_STARTS
    is_burst = np.logical_or.reduce([begins[BURST_DAYS - age : days + BURST_DAYS - age] for age in range(BURST_DAYS)])
    return np.where(is_burst, start * BURST_FACTOR, start)


CHANGES: dict[str, Callable[[Array, int, Generator], Array]] = {
    "constant": constant,
    "redrawn weekly": redrawn_weekly,
    "random walk": random_walk,
    "bursts": bursts,
}


def draw_rates(random: Generator) -> Array:
    """Return the rates of all products: 0.002 to 0.1, skewed to the low end, as in sample data."""
    return 0.002 + 0.098 * random.random((ADVERTISERS, PRODUCTS)) ** 6


def popularity(count: int) -> Array:
    """Return the share of each number from 0 on: about proportional to 1/(k+1), as in sample data."""
    number = np.arange(count)
    return np.log((number + 2) / (number + 1)) / np.log(count + 1)


@dataclass(frozen=True)
class Market:
    """The truth about all products of some seeds, in one volume."""

    volume: int
    rates: Array
    is_new: Array
    """Whether the product has replaced another one on that day: it was never shown, and its rate is independent."""
    product_ids: Array
    seeds: Sequence[int]

    @property
    def by_popularity(self) -> Array:
        """Expected impressions per day: (advertisers, products)."""
        return self.volume * popularity(ADVERTISERS)[:, None] * popularity(PRODUCTS)

    def randoms(self, purpose: str) -> list[Generator]:
        """Return one generator for each seed, so that a seed has the same events beside any others."""
        return [default_rng([seed, self.volume, crc32(purpose.encode())]) for seed in self.seeds]


def market(change: str, volume: int, seeds: Sequence[int], days: int, replaced: float = 0.0) -> Market:
    """Draw the rates of all days; `replaced` is the share of products that new ones replace every week."""
    rates, is_new, ids = [], [], []
    for seed in seeds:
        random = default_rng([seed, volume])
        start = draw_rates(random)
        ids.append(random.permuted(np.broadcast_to(np.arange(PRODUCTS), start.shape), axis=-1))
        is_first_of_week = (np.arange(days) % WEEK == 0) & (np.arange(days) > 0)
        new = (random.random((days, *start.shape)) < replaced) & is_first_of_week[:, None, None]
        changing = CHANGES[change](start, days, random)
        rates.append(_with_new_products(changing, new, CHANGES[change], random) if replaced else changing)
        is_new.append(new)
    return Market(volume, np.stack(rates, axis=1), np.stack(is_new, axis=1), np.stack(ids), tuple(seeds))


def _with_new_products(
    rates: Array, is_new: Array, change: Callable[[Array, int, Generator], Array], random: Generator
) -> Array:
    """Give new products their own rates, from the day on which they replace others."""
    rates = rates.copy()
    for day in np.flatnonzero(is_new.any(axis=(1, 2))).tolist():
        fresh = change(draw_rates(random), len(rates) - day, random)
        rates[day:] = np.where(is_new[day], fresh, rates[day:])
    return rates


def open_loop(truth: Market) -> Iterator[tuple[Seen, Array]]:
    """Yield what each day's lists may depend on, and the rates of the next day, on which they are served."""
    days = len(truth.rates)
    randoms = enumerate(truth.randoms("events"))
    counts = [_events(truth.by_popularity, truth.rates[:, place], random) for place, random in randoms]
    clicks, impressions = (np.stack(each, axis=1) for each in zip(*counts, strict=True))
    exploring = truth.randoms("exploration")
    for day in range(LAKE_DAYS, days):
        yield _seen(truth, clicks[:day], impressions[:day], exploring), truth.rates[day]


def closed_loop(truth: Market, rule: Rule) -> Iterator[tuple[Array, Array, Array]]:
    """Yield each day's list, rates and impressions, once the rule's lists decide what is shown.

    Until then, impressions follow popularity. Then TO_LISTED of them go evenly to the places of yesterday's list, and the
    rest, also that of empty places, by popularity.
    """
    clicks, impressions = (np.zeros(truth.rates.shape, dtype=np.int64) for _ in range(2))
    randoms, exploring = truth.randoms("closed loop"), truth.randoms("exploration")
    for day, rates in enumerate(truth.rates):
        if truth.is_new[day].any():
            clicks[:day, truth.is_new[day]] = impressions[:day, truth.is_new[day]] = 0
        expected = np.broadcast_to(truth.by_popularity, rates.shape)
        if day >= LAKE_DAYS:
            listed = rule(_seen(truth, clicks[:day], impressions[:day], exploring))
            expected = shown(listed, truth.by_popularity)
        for place, random in enumerate(randoms):
            clicks[day, place], impressions[day, place] = _events(expected[place], rates[place], random)
        if day >= LAKE_DAYS:
            yield listed, rates, impressions[day]


def shown(listed: Array, by_popularity: Array) -> Array:
    """Return the expected impressions of a day on which lists are shown: (seeds, advertisers, products)."""
    of_advertiser = by_popularity.sum(axis=-1, keepdims=True)
    is_listed = (np.arange(PRODUCTS)[:, None] == listed[..., None, :]).any(axis=-1)
    to_listed = TO_LISTED * is_listed / PLACES
    rest = np.maximum(0, 1 - to_listed.sum(axis=-1, keepdims=True))
    return to_listed * of_advertiser + rest * by_popularity


def regret(listed: Array, rates: Array, places: int) -> Array:
    """Return the share of clicks that the first places lose against the best products: (seeds, advertisers).

    As in regret.py, every place is shown equally often and an empty place gets no clicks.
    """
    first = listed[..., :places]
    clicks = np.where(first == EMPTY, 0, np.take_along_axis(rates, first, axis=-1)).sum(axis=-1)
    best = np.sort(rates, axis=-1)[..., -places:].sum(axis=-1)
    return 1 - clicks / best


def _events(expected: Array, rates: Array, random: Generator) -> tuple[Array, Array]:
    """Draw clicks and impressions."""
    impressions = random.poisson(expected, rates.shape)
    return random.binomial(impressions, rates), impressions


def _seen(truth: Market, clicks: Array, impressions: Array, exploring: Sequence[Generator]) -> Seen:
    chances = np.stack([random.random((ADVERTISERS, PRODUCTS)) for random in exploring])
    return Seen(clicks[-LAKE_DAYS:], impressions[-LAKE_DAYS:], truth.product_ids, chances)
