"""The lists that are compared while click rates change: TopCTR over three windows, and ExpectedCTR."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from tests.benchmarks.quality.expected_ctr import HALF_LIFE_DAYS, Array, Estimate, expected_ctr

PLACES = 20
EXPLORED = 5
"""Places that are explored, as with ?explore=5."""
EMPTY = -1
"""The number that an empty place has instead of a product's."""


class Seen(NamedTuple):
    """What a list may depend on. Daily counts have the axes (days, seeds, advertisers, products), the oldest day first."""

    clicks: Array
    impressions: Array
    product_ids: Array
    """Numbers in the order of the ids, which break ties: (seeds, advertisers, products)."""
    chances: Array
    """The random numbers of the day that exploration draws by: (seeds, advertisers, products)."""


Rule = Callable[[Seen], Array]
"""Returns the numbers of the listed products, best first: (seeds, advertisers, PLACES); EMPTY where there is none."""


def top_ctr(days: int, weight: float, seen: Seen) -> Array:
    """Rank by clicks per impression over the last days, smoothed by the weight as in spark_jobs/ranking/top_ctr.py."""
    clicks, impressions = (each[-days:].sum(axis=0, dtype=np.int64) for each in (seen.clicks, seen.impressions))
    all_clicks, all_impressions = (each.sum(axis=-1, keepdims=True) for each in (clicks, impressions))
    if weight:
        above, below = clicks * all_impressions + weight * all_clicks, (impressions + weight) * all_impressions
    else:
        above, below = clicks, impressions
    return _best_first(above / np.maximum(below, 1), impressions, seen.product_ids)


def by_expected_ctr(half_life: float, explored: int, seen: Seen) -> Array:
    """Rank by the posterior mean of each product's rate; the last `explored` places go to products drawn by chance."""
    estimate = expected_ctr(seen.clicks, seen.impressions, half_life)
    listed = _best_first(estimate.score, estimate.impressions, seen.product_ids)
    return explore(listed, estimate, seen.chances, explored) if explored else listed


def explore(listed: Array, estimate: Estimate, chances: Array, places: int) -> Array:
    """Give the last places to unlisted products whose interval reaches above the last listed score, all equally likely.

    A product that was not shown within the window has no interval and cannot be drawn. If fewer products than places
    can be drawn, the listed ones keep the places that are left.
    """
    last_score = np.take_along_axis(estimate.score, listed[..., -1:], axis=-1)
    can_be_drawn = (estimate.impressions > 0) & (estimate.high > last_score) & (listed[..., -1:] != EMPTY)
    is_listed = (np.arange(chances.shape[-1])[:, None] == listed[..., None, :]).any(axis=-1)
    can_be_drawn &= ~is_listed
    keys = np.where(can_be_drawn, chances, np.inf)
    drawn = np.argsort(keys, axis=-1)[..., :places]
    is_drawn = np.take_along_axis(can_be_drawn, drawn, axis=-1)
    # The first one drawn takes the last place, so that the best of the listed products stay.
    last = np.where(is_drawn, drawn, listed[..., -places:][..., ::-1])[..., ::-1]
    return np.concatenate([listed[..., :-places], last], axis=-1)


def _best_first(score: Array, impressions: Array, product_ids: Array) -> Array:
    """Return the first products by score, then by impressions, then by id; those that were not shown are not listed."""
    by_score = np.where(impressions > 0, score, -np.inf)
    order = np.lexsort((product_ids, -impressions, -by_score), axis=-1)[..., :PLACES]
    return np.where(np.take_along_axis(impressions, order, axis=-1) > 0, order, EMPTY)


EXPECTED, EXPLORING = "ExpectedCTR", f"ExpectedCTR, explore={EXPLORED}"
ALTERNATIVES: dict[str, Rule] = {
    f"TopCTR, W = {weight}, {days} day{'s' if days > 1 else ''}": partial(top_ctr, days, weight)
    for weight in (0, 20)
    for days in (1, 7, 28)
}
RULES: dict[str, Rule] = {
    **ALTERNATIVES,
    EXPECTED: partial(by_expected_ctr, HALF_LIFE_DAYS, 0),
    EXPLORING: partial(by_expected_ctr, HALF_LIFE_DAYS, EXPLORED),
}
