"""ExpectedCTR: what it ranks and in which order, the prior of each advertiser, and the credible interval."""

from datetime import date, timedelta
from math import exp, lgamma, log, log1p

import pytest

from spark_jobs.lake import COUNTS
from spark_jobs.ranking.click_rate_prior import UNITS
from spark_jobs.ranking.expected_ctr import EXPECTED_CTR
from spark_jobs.ranking.windows import with_history
from spark_jobs.settings import RankingParameters

ON = date(2026, 11, 20)
POSTERIOR = (
    "advertiser_id string, product_id string, impressions bigint, clicks bigint, decayed_impressions bigint, "
    "decayed_clicks bigint, prior_mean double, prior_weight double"
)


@pytest.fixture
def products(spark):
    """A function that makes products from (product_id, days ago, impressions, clicks) by advertiser."""

    def make(half_life_days=7, **of_advertisers):
        rows = [
            (ON - timedelta(days=age), advertiser, product, 0, impressions, clicks)
            for advertiser, counts in of_advertisers.items()
            for product, age, impressions, clicks in counts
        ]
        active = spark.createDataFrame([(ON, each) for each in of_advertisers], "date date, advertiser_id string")
        return with_history(spark.createDataFrame(rows, f"date date, {COUNTS}"), {ON: 1}, active, half_life_days)

    return make


@pytest.fixture
def posterior(spark):
    """A function that ranks one product with this prior and these decayed counts, and returns its row."""

    def rank(mean, weight, clicks=0.0, impressions=1.0):
        units = round(impressions * UNITS), round(clicks * UNITS)
        return ranked(spark.createDataFrame([("a", "p", 0, 0, *units, mean, float(weight))], POSTERIOR))[0]

    return rank


def ranked(products):
    return EXPECTED_CTR.rank(products, 20, RankingParameters()).orderBy("advertiser_id", "rank").collect()


def order_of(products):
    return [row.product_id for row in ranked(products)]


def priors(products):
    rows = products.select("advertiser_id", "prior_mean", "prior_weight").distinct().collect()
    return {advertiser: (mean, weight) for advertiser, mean, weight in rows}


def test_counts_lose_half_of_their_weight_in_each_half_life(products):
    [row] = ranked(products(a=[("p", 0, 8, 1), ("p", 7, 8, 4), ("p", 14, 8, 0), ("p", 28, 800, 800)]))

    assert (row.impressions, row.clicks) == (8, 1)
    assert (row.decayed_impressions, row.decayed_clicks, row.ctr) == (8 + 4 + 2, 1 + 2, 3 / 14)


def test_the_half_life_is_a_parameter(products):
    [row] = ranked(products(a=[("p", 7, 8, 4)], half_life_days=3.5))

    assert (row.impressions, row.decayed_impressions, row.decayed_clicks) == (0, 2, 1)


def test_clicks_are_at_most_as_many_as_impressions(products):
    [row] = ranked(products(a=[("p", 0, 2, 3)]))

    assert (row.clicks, row.decayed_clicks, row.ctr) == (3, 2, 1)


def test_a_product_that_was_not_shown_in_28_days_is_not_ranked(products):
    assert order_of(products(a=[("old", 28, 9, 1), ("clicked", 0, 0, 1), ("shown", 27, 1, 0)])) == ["shown"]


def test_a_proven_product_comes_before_a_lucky_one(products):
    others = [(f"p{n}", 0, 1000, 10) for n in range(20)]

    assert order_of(products(a=[("lucky", 0, 1, 1), ("proven", 0, 1000, 200), *others]))[:2] == ["proven", "lucky"]


def test_yesterdays_clicks_count_more_than_those_of_three_weeks_ago(products):
    counts = [
        (product, age, 100, 5 if age == clicked else 1)
        for product, clicked in [("then", 21), ("now", 1)]
        for age in (1, 21)
    ]

    assert order_of(products(a=counts)) == ["now", "then"]


def test_equal_scores_put_the_product_with_more_impressions_first_and_then_go_by_product_id(spark):
    at_the_mean = [("a", "few", 4, 1), ("a", "b", 8, 2), ("a", "c", 8, 2)]
    rows = [(*key, 0, 0, n * UNITS, c * UNITS, 0.25, 4.0) for *key, n, c in at_the_mean]

    assert order_of(spark.createDataFrame(rows, POSTERIOR)) == ["b", "c", "few"]


def test_the_score_adds_the_priors_clicks_and_impressions(posterior):
    row = posterior(0.25, 20, clicks=3, impressions=12)

    assert (row.ctr, row.score) == (3 / 12, (20 * 0.25 + 3) / (20 + 12))


@pytest.mark.parametrize(("clicks", "least", "most"), [((10, 510), 2, 3), ((100, 100), 10_000, 10_000)])
def test_the_prior_of_different_products_weighs_little_and_that_of_equal_ones_much(products, clicks, least, most):
    [(_, weight)] = priors(products(a=[(f"p{n}", 0, 1000, clicks[n % 2]) for n in range(40)])).values()

    assert least <= weight <= most


def test_an_advertiser_with_few_products_is_drawn_towards_the_weight_of_all(products):
    found = priors(
        products(
            many=[(f"p{n}", 0, 1000, (10, 510)[n % 2]) for n in range(40)],
            few=[(f"p{n}", 0, 1000, 100) for n in range(2)],
        )
    )

    assert found["many"][1] < found["few"][1] < 20


def test_an_advertiser_with_one_product_has_the_weight_of_all_advertisers(products):
    found = priors(products(many=[(f"p{n}", 0, 1000, 10 * n) for n in range(20)], one=[("p", 0, 1000, 10)]))
    [of_many] = priors(products(many=[(f"p{n}", 0, 1000, 10 * n) for n in range(20)])).values()

    assert found["one"][1] == of_many[1]


def test_an_advertiser_on_its_first_day_has_nearly_the_rate_of_all(products):
    old = {f"old{n}": [(f"p{n}", age, 1000, 95 + n) for n in range(10) for age in range(9)] for n in range(5)}
    mean, _ = priors(products(**old, new=[("p", 0, 1, 1)]))["new"]

    assert mean == pytest.approx(0.1, rel=0.05)


def test_without_any_clicks_the_prior_is_half_a_click_and_unknown_differences(products):
    assert priors(products(a=[("p", 0, 40, 0), ("q", 0, 59, 0)])) == {"a": (round(20 * 0.5 / 100 / (99 + 20), 9), 20)}


def test_products_that_were_shown_once_each_say_nothing_about_their_differences(products):
    """Of old impressions, rounded weights leave a difference near 0, which must not be divided by."""
    found = priors(products(a=[(f"p{n}", n, 1, n % 2) for n in range(1, 13)]))

    assert found["a"][1] == 20


def test_an_advertiser_without_impressions_has_no_prior(products):
    assert priors(products(a=[("p", 0, 0, 1)])) == {"a": (None, None)}


def test_inactive_advertisers_do_not_change_the_priors(spark, products):
    counts = {"a": [("p", 0, 40, 4), ("q", 0, 40, 8)], "gone": [("p", 0, 4000, 4)]}
    rows = [(ON, each, product, 0, shown, clicked) for each, of in counts.items() for product, _, shown, clicked in of]
    active = spark.createDataFrame([(ON, "a")], "date date, advertiser_id string")
    found = with_history(spark.createDataFrame(rows, f"date date, {COUNTS}"), {ON: 1}, active, 7)

    assert priors(found) == priors(products(a=counts["a"]))


def probabilities_of_the_ends(posterior, a, b):
    """Return the exact cumulative probabilities of the interval of Beta(a, b); an impression so old is nearly none."""
    old = 1 / UNITS
    row = posterior(a / (a + b - old), a + b - old, impressions=old)
    return beta_probability(row.score_low, a, b), beta_probability(row.score_high, a, b)


@pytest.mark.parametrize(
    ("a", "b", "error"),
    [(1, 1, 0.012), (1, 50, 0.012), (50, 2, 0.012), (3, 3, 0.005), (30, 40, 2e-4), (400, 19_600, 2e-5)],
)
def test_the_interval_leaves_a_fortieth_of_the_posterior_on_each_side(posterior, a, b, error):
    low, high = probabilities_of_the_ends(posterior, a, b)

    assert low == pytest.approx(0.025, abs=error)
    assert high == pytest.approx(0.975, abs=error)


@pytest.mark.parametrize(("a", "b"), [(0.1, 1.9), (0.2, 60), (0.6, 3)])
def test_the_interval_of_less_than_a_click_begins_at_0(posterior, a, b):
    low, high = probabilities_of_the_ends(posterior, a, b)

    assert low == 0
    assert high == pytest.approx(0.975, abs=0.012)


def test_the_interval_of_nearly_certain_clicks_ends_at_1(posterior):
    low, high = probabilities_of_the_ends(posterior, 30, 0.5)

    assert low == pytest.approx(0.025, abs=0.012)
    assert high == 1


@pytest.mark.parametrize(
    ("mean", "clicks", "impressions"), [(1e-9, 0, 1e6), (1 - 1e-9, 1e6, 1e6), (1e-9, 0, 1), (0.5, 1e9, 1e9)]
)
def test_the_interval_stays_between_0_and_1_where_a_rate_is_nearly_certain(posterior, mean, clicks, impressions):
    row = posterior(mean, 2, clicks, impressions)

    assert 0 <= row.score_low <= row.score_high <= 1


def beta_probability(x, a, b):
    """Return the cumulative probability of Beta(a, b): the incomplete beta function, by its continued fraction.

    Source: W. Press and others, "Numerical Recipes", 3rd edition, section 6.4.
    """
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_probability(1 - x, b, a)
    if x <= 0:
        return 0.0
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, 10_000):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + numerator * d)
            c = 1 + numerator / c
            fraction *= c * d
        if abs(c * d - 1) < 1e-12:
            break
    return fraction * exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
