"""The estimator of ExpectedCTR in numpy, written independently of the job's, for many nights at once.

Arrays of products have the axes (..., advertisers, products) and arrays of advertisers the axes (..., advertisers). Each
element of the leading axes is a night of its own, with its own prior. docs/ranking.md explains the model.

Source of the prior: J. C. Kleinman, "Proportions with Extraneous Variance: Single and Independent Samples", Journal of
the American Statistical Association 68 (1973), 46-54, method of moments for the beta-binomial. Source of the interval:
E. Paulson, "An Approximate Normalization of the Analysis of Variance Distribution", Annals of Mathematical Statistics
13 (1942), 233-235.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

UNIT = 2**20
"""Weights are whole numbers of 1/UNIT, so that sums are exact in any order."""
HALF_LIFE_DAYS = 7.0
EVIDENCE = 20
"""An advertiser's own correlation counts as much as that of all advertisers if it has this many products."""
UNKNOWN_CORRELATION = 1 / 21
LEAST_GAIN = 0.001
"""Per impression; with less, nearly every product was shown once, and differences between products say nothing."""
CORRELATIONS = (1 / 10001, 1 / 3)
MEANS = (1e-9, 1 - 1e-9)
Z = 1.959963984540054
"""The quantile of the normal distribution that has 2.5 % above it."""


class Decayed(NamedTuple):
    """Counts in which each day weighs less than the next: clicks, impressions, and impressions by squared weights."""

    clicks: Array
    impressions: Array
    squares: Array


class Prior(NamedTuple):
    """The Beta distribution of an advertiser's rates: its mean, and its weight in impressions."""

    mean: Array
    weight: Array


class Estimate(NamedTuple):
    """The posterior of each product's rate: its mean and the ends of the 95 % credible interval; n is 0 if not ranked."""

    impressions: Array
    score: Array
    low: Array
    high: Array


def expected_ctr(clicks: Array, impressions: Array, half_life: float = HALF_LIFE_DAYS) -> Estimate:
    """Estimate the rates from daily counts with the axes (days, ..., advertisers, products), the oldest day first."""
    counts = decayed(clicks, impressions, half_life)
    mean, weight = (each[..., None] for each in priors(counts))
    a = weight * mean + counts.clicks
    b = weight * (1 - mean) + counts.impressions - counts.clicks
    score = a / (weight + counts.impressions)
    return Estimate(counts.impressions, score, interval_end(a, b, -Z), interval_end(a, b, Z))


def decayed(clicks: Array, impressions: Array, half_life: float) -> Decayed:
    """Add up the days; clicks are at most as many as impressions."""
    ages = np.arange(len(clicks))[::-1]
    weights = np.round(UNIT * 2.0 ** (-ages / half_life)).astype(np.int64)
    shown = impressions.astype(np.int64)
    n = np.tensordot(weights, shown, axes=1) / UNIT
    c = np.tensordot(weights, clicks.astype(np.int64), axes=1) / UNIT
    m = np.tensordot(np.round(weights**2 / UNIT).astype(np.int64), shown, axes=1) / UNIT
    return Decayed(np.minimum(c, n), n, m)


def priors(products: Decayed) -> Prior:
    """Return each advertiser's prior; it is shrunk towards all advertisers of the night where one has little evidence."""
    advertisers = Decayed(*(each.sum(axis=-1) for each in products))
    ranked = (products.impressions > 0).sum(axis=-1)
    excess, gain = _moments(products)
    of_all = _ratio(excess.sum(axis=-1), gain.sum(axis=-1), UNKNOWN_CORRELATION)[..., None]
    own = (ranked * _ratio(excess, gain, 0) + EVIDENCE * of_all) / (ranked + EVIDENCE)
    weight = np.round(1 / np.clip(np.where(gain > 0, own, of_all), *CORRELATIONS) - 1, 3)

    overall = (advertisers.clicks.sum(axis=-1) + 0.5) / (advertisers.impressions.sum(axis=-1) + 1)
    between = np.clip(_ratio(*_moments(advertisers), UNKNOWN_CORRELATION), *CORRELATIONS)
    shrinkage = 1 / between - 1
    mean = (advertisers.clicks + (shrinkage * overall)[..., None]) / (advertisers.impressions + shrinkage[..., None])
    return Prior(np.clip(np.round(mean, 9), *MEANS), weight)


def _moments(units: Decayed) -> tuple[Array, Array]:
    """Return by how much the rates of the last axis differ more than equal ones would, and what a correlation of 1 adds.

    Their ratio is the intraclass correlation, 1 / (1 + weight). Both are 0 where nothing can be said.
    """
    c, n, m = units
    clicks, impressions = c.sum(axis=-1), n.sum(axis=-1)
    if_equal = _ratio(m, n, 0).sum(axis=-1) - _ratio(m.sum(axis=-1), impressions, 0)
    gain = impressions - _ratio((n**2).sum(axis=-1), impressions, 0) - if_equal
    spread = _ratio(c**2, n, 0).sum(axis=-1) - _ratio(clicks**2, impressions, 0)
    rate = _ratio(clicks, impressions, 0)
    excess = _ratio(spread, rate * (1 - rate), 0) - if_equal
    is_informative = (rate > 0) & (rate < 1) & (gain > LEAST_GAIN * impressions)
    return np.where(is_informative, excess, 0.0), np.where(is_informative, gain, 0.0)


def _ratio(above: Array, below: Array, otherwise: float) -> Array:
    """Divide where the divisor is positive."""
    is_positive = below > 0
    return np.where(is_positive, above / np.where(is_positive, below, 1.0), otherwise)


def interval_end(a: Array, b: Array, z: float) -> Array:
    """Return the quantile of Beta(a, b) that the normal distribution has at z, by Paulson's approximation."""
    is_swapped = b < a
    first, second = np.where(is_swapped, b, a), np.where(is_swapped, a, b)
    z_there = np.where(is_swapped, -z, z)
    u, v = 1 / (9 * first), 1 / (9 * second)
    inside = (1 - v) ** 2 * u + (1 - u) ** 2 * v - z**2 * u * v
    root = ((1 - u) * (1 - v) + z_there * np.sqrt(np.maximum(0, inside))) / ((1 - v) ** 2 - z**2 * v)
    odds = first * np.maximum(0, root) ** 3
    quantile = odds / (second + odds)
    return np.where(is_swapped, 1 - quantile, quantile)
