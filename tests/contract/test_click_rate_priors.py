"""ExpectedCTR of unusual advertisers agrees with plain Python, including the prior."""

import random
from collections import defaultdict
from datetime import date, timedelta

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from spark_jobs.lake import COUNTS
from spark_jobs.ranking.expected_ctr import EXPECTED_CTR
from spark_jobs.ranking.windows import with_history
from spark_jobs.settings import RankingParameters
from tests.conftest import DAY
from tests.contract.oracle import click_rate_priors, decayed_counts, expected_ctr_of_counts
from tests.contract.test_oracle import EXPECTED, assert_same_rates

ON = date.fromisoformat(DAY)
RUNS = {ON - timedelta(days=1): 1, ON: 2}
"""Two days are ranked at once."""

KINDS = {
    "one product": lambda pick: [(pick.randint(1, 500), pick.randint(0, 5))],
    "no clicks": lambda pick: [(pick.randint(1, 50), 0) for _ in range(5)],
    "clicks alone": lambda pick: [(0, pick.randint(1, 5)) for _ in range(3)],
    "always clicked": lambda pick: [(n, n) for n in pick.choices(range(1, 9), k=4)],
    "more clicks than impressions": lambda pick: [(pick.randint(1, 3), pick.randint(0, 9)) for _ in range(6)],
    "identical rates": lambda pick: [(10 * n, n) for n in pick.choices(range(1, 40), k=8)],
    "shown once each": lambda pick: [(1, pick.randint(0, 1)) for _ in range(12)],
    "one dominates": lambda pick: [(10**9, 10**7), *[(pick.randint(1, 20), pick.randint(0, 1)) for _ in range(9)]],
    "clearly different": lambda pick: [(1000, pick.choice([1, 100, 500])) for _ in range(10)],
    "many products": lambda pick: [(pick.randint(0, 30), pick.choice([0, 0, 0, 1])) for _ in range(60)],
}


@st.composite
def counts_by_day(draw):
    """One to three advertisers of each of some kinds: (impressions, clicks) by advertiser and product, for several days."""
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=8))
    pick = random.Random(draw(st.integers(0, 2**32)))  # noqa: S311  # hypothesis shrinks the seed, not 200 rows
    by_day: dict[str, tuple[dict, dict]] = defaultdict(lambda: ({}, {}))
    for day in RUNS:
        by_day[str(day)]
    for place, kind in enumerate(kinds):
        for age in pick.choices(range(30), k=pick.randint(1, 4)):
            shown, clicked = by_day[str(ON - timedelta(days=age))]
            for product, (impressions, clicks) in enumerate(KINDS[kind](pick)):
                key = f"{place} {kind}", f"p{product}"
                shown[key], clicked[key] = impressions, clicks
    return dict(by_day)


@settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # each example takes seconds, so failing ones are not shrunk
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(by_day=counts_by_day(), half_life=st.sampled_from([0.5, 3.3, 7.0, 365.0]))
def test_unusual_advertisers_are_ranked_as_in_plain_python(spark, by_day, half_life):
    rows = [
        (date.fromisoformat(day), *key, 0, shown[key], clicked[key])
        for day, (shown, clicked) in by_day.items()
        for key in shown
    ]
    advertisers = sorted({row[1] for row in rows})
    active = {day: advertisers[: len(advertisers) - n] for n, day in enumerate(RUNS)}  # the last one is active once
    pairs = spark.createDataFrame(
        [(day, each) for day in RUNS for each in active[day]], "date date, advertiser_id string"
    )
    counts = spark.createDataFrame(rows, f"date date, {COUNTS}")
    products = with_history(counts, RUNS, pairs, half_life).selectExpr("*", "false as hidden").cache()

    for day in RUNS:
        of_day = products.where(products.date == day)
        priors = (
            of_day.where("decayed_impressions > 0").select("advertiser_id", "prior_mean", "prior_weight").distinct()
        )
        expected_priors = click_rate_priors(decayed_counts(active[day], by_day, str(day), half_life))
        assert {row[0]: row[1:] for row in priors.collect()} == expected_priors
        ranked = EXPECTED_CTR.rank(of_day, 20, RankingParameters())
        found = ranked.selectExpr("advertiser_id", "rank", f"'{day}'", "product_id", *EXPECTED).collect()
        expected = expected_ctr_of_counts(active[day], by_day, str(day), half_life=half_life)
        assert_same_rates(sorted(map(tuple, found)), expected)
    products.unpersist()
