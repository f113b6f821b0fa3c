"""The interval that a click rate comes with."""

import pytest

from webapp.rankings.intervals import wilson


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
def test_the_interval_is_wilsons(clicks, impressions, low, high):
    assert wilson(clicks, impressions) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@pytest.mark.parametrize("impressions", [1, 7, 1000, 10**9])
def test_no_end_of_an_interval_lies_beyond_what_a_rate_can_be(impressions):
    ends = [*wilson(0, impressions), *wilson(impressions, impressions)]

    assert 0 <= min(ends) < max(ends) <= 1


def test_more_clicks_than_impressions_count_as_one_for_each():
    assert wilson(3, 2) == wilson(2, 2)
