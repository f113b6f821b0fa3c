"""The Wilson interval of a click rate."""

import pytest

from webapp.rankings.wilson import wilson


# The first four are in R. G. Newcombe, "Two-sided confidence intervals for the single proportion: comparison of seven
# methods", Statistics in Medicine 17 (1998), table I.
@pytest.mark.parametrize(
    ("clicks", "impressions", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (1, 1, 0.2065, 1.0000),
        (900, 1000, 0.8798, 0.9171),
    ],
)
def test_the_interval_matches_published_values(clicks, impressions, low, high):
    assert wilson(clicks, impressions) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@pytest.mark.parametrize("impressions", [1, 7, 1000, 10**9])
def test_an_interval_stays_between_0_and_1(impressions):
    ends = [*wilson(0, impressions), *wilson(impressions, impressions)]

    assert 0 <= min(ends) < max(ends) <= 1


def test_clicks_beyond_the_impressions_are_ignored():
    assert wilson(3, 2) == wilson(2, 2)
