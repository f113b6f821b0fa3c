"""The part of `make quality` in which click rates change over days, and its own estimator of ExpectedCTR."""

import numpy as np
import pytest

from tests.benchmarks.quality.changing_lists import EMPTY, PLACES, RULES, Seen, explore, top_ctr
from tests.benchmarks.quality.changing_rates import (
    BURST_DAYS,
    BURST_FACTOR,
    CHANGES,
    LAKE_DAYS,
    REDRAWN,
    TO_LISTED,
    closed_loop,
    market,
    open_loop,
    popularity,
    regret,
    shown,
)
from tests.benchmarks.quality.changing_report import measure_closed, measure_open, points, section, targets
from tests.benchmarks.quality.expected_ctr import Decayed, Estimate, Z, decayed, expected_ctr, interval_end, priors

DAYS = LAKE_DAYS + 2


def one_day(clicks, impressions):
    """Products' counts of one day, which is as old as the ranked one."""
    c, n = np.array(clicks, dtype=float), np.array(impressions, dtype=float)
    return Decayed(c, n, n)


def test_a_day_counts_half_as_much_after_each_half_life_and_a_product_has_at_most_as_many_clicks_as_impressions():
    clicks, impressions = np.array([[[2, 9]], [[1, 0]]]), np.array([[[4, 2]], [[6, 0]]])

    assert [each.tolist() for each in decayed(clicks, impressions, 1.0)] == [[[2, 1]], [[8, 1]], [[7, 0.5]]]


def test_the_prior_of_one_advertiser_is_as_computed_by_hand():
    mean, weight = priors(one_day([[1, 3]], [[10, 10]]))

    # rate 0.2, spread 0.2 / 0.16 = 1.25, of which 1 by chance; a correlation of 1 adds 9; so it is 0.25 / 9 = 1 / 36.
    assert weight.tolist() == [35]
    # One advertiser says nothing about others: 20 impressions at (4 + 1/2) / (20 + 1) are added to its own.
    assert mean.tolist() == [pytest.approx((4 + 20 * 4.5 / 21) / 40, abs=1e-9)]


def test_the_priors_of_two_advertisers_are_shrunk_towards_each_other_as_computed_by_hand():
    mean, weight = priors(one_day([[1, 3], [0, 4]], [[10, 10], [10, 10]]))

    together = (0.25 + 4) / 18
    assert weight.tolist() == [
        pytest.approx(1 / ((2 * own + 20 * together) / 22) - 1, abs=1e-3) for own in (0.25 / 9, 4 / 9)
    ]
    # Both have the same rate, which gives the smallest correlation that is allowed.
    assert mean.tolist() == [pytest.approx((4 + 10000 * 8.5 / 41) / 10020, abs=1e-9)] * 2


def test_without_clicks_the_weight_is_20_and_each_night_has_its_own_prior():
    none, other = [[0, 0]], [[1, 3]]
    mean, weight = priors(one_day([none, other], [[[10, 10]], [[10, 10]]]))

    assert weight.tolist() == [[20], [35]]
    assert mean[0].tolist() == [pytest.approx(20 * 0.5 / 21 / 40, abs=1e-9)]


@pytest.mark.parametrize("b", [1, 9, 99, 9_999])
def test_an_interval_contains_95_percent_of_the_posterior(b):
    low, high = (
        interval_end(np.array([1.0, b]), np.array([b, 1.0]), -Z),
        interval_end(np.array([1.0]), np.array([b]), Z),
    )

    # The distribution function of Beta(1, b) is 1 - (1 - x)^b, and that of Beta(b, 1) is x^b.
    assert 1 - (1 - low[0]) ** b == pytest.approx(0.025, abs=0.0125)
    assert low[1] ** b == pytest.approx(0.025, abs=0.0125)
    assert 1 - (1 - high[0]) ** b == pytest.approx(0.975, abs=0.0125)


def test_the_score_is_the_posterior_mean_and_lies_within_its_interval():
    found = expected_ctr(np.array([[[1, 3, 0]]]), np.array([[[10, 10, 0]]]))
    (mean,), (weight,) = priors(one_day([[1, 3]], [[10, 10]]))

    scores = [(weight * mean + c) / (weight + n) for c, n in [(1, 10), (3, 10), (0, 0)]]
    assert found.score[0].tolist() == pytest.approx(scores)
    assert (found.low < found.score).all() and (found.score < found.high).all()


def test_top_ctr_ranks_shown_products_by_ratio_then_impressions_then_id():
    clicks, impressions = [[9, 0, 0, 0, 0], [1, 1, 2, 1, 0]], [[9, 0, 0, 0, 0], [4, 2, 4, 2, 0]]
    days = np.array([clicks, impressions])[:, :, None, None]
    seen = Seen(days[0], days[1], np.array([[[0, 3, 2, 1, 4]]]), np.zeros((1, 1, 5)))

    assert top_ctr(1, 0, seen)[0, 0].tolist() == [2, 3, 1, 0, EMPTY]
    assert top_ctr(2, 0, seen)[0, 0].tolist() == [0, 2, 3, 1, EMPTY]
    # 20 impressions at the advertiser's 14 / 21 make 2 of 4 less than 1 of 2.
    assert top_ctr(2, 20, seen)[0, 0].tolist() == [0, 3, 1, 2, EMPTY]


def test_exploration_gives_the_last_places_to_products_whose_interval_reaches_above_the_last_score():
    score = np.array([[[0.5, 0.4, 0.3, 0.2, 0.2, 0.1, 0.1]]])
    high = np.array([[[1, 1, 1, 0.31, 0.29, 0.9, 0.9]]])
    impressions = np.array([[[1, 1, 1, 1, 1, 1, 0]]])
    chances = np.array([[[0.1, 0.1, 0.1, 0.2, 0.1, 0.1, 0.0]]])
    listed = np.array([[[0, 1, 2]]])
    estimate = Estimate(impressions, score, score, high)

    assert explore(listed, estimate, chances, 1)[0, 0].tolist() == [0, 1, 5]
    assert explore(listed, estimate, chances, 2)[0, 0].tolist() == [0, 3, 5]
    assert explore(listed, estimate, chances, 3)[0, 0].tolist() == [0, 3, 5]


@pytest.mark.parametrize("change", CHANGES)
def test_a_seed_has_the_same_events_whenever_and_beside_whichever_others_it_is_drawn(change):
    (alone, _), *_ = open_loop(market(change, 6_250, [2], DAYS))
    (together, _), *_ = open_loop(market(change, 6_250, [1, 2], DAYS))

    assert alone.clicks.sum() > 0
    for mine, both in zip(alone, together, strict=True):
        assert (mine[..., 0, :, :] == both[..., 1, :, :]).all()


def test_rates_change_as_often_and_as_much_as_they_should():
    rates = {change: market(change, 6_250, [1], 57).rates[:, 0] for change in CHANGES}
    is_changed = {change: each[1:] != each[:-1] for change, each in rates.items()}
    logits = np.log(rates["random walk"] / (1 - rates["random walk"]))

    assert not is_changed["constant"].any()
    assert np.flatnonzero(is_changed["redrawn weekly"].any(axis=(1, 2))).tolist() == [*range(6, 56, 7)]
    assert is_changed["redrawn weekly"][6].mean() == pytest.approx(REDRAWN, abs=0.03)
    assert (logits[56] - logits[28]).std() == pytest.approx(0.53, abs=0.04)
    ratio = rates["bursts"] / rates["constant"]
    assert sorted(set(ratio.round(9).flat)) == [1, BURST_FACTOR]
    assert (ratio > 1).mean() == pytest.approx(1 - 0.99**BURST_DAYS, abs=0.01)


def test_days_have_the_requested_impressions_and_clicks_at_the_rates():
    truth = market("constant", 62_500, [1], DAYS)
    seen, rates = next(open_loop(truth))

    assert seen.impressions.sum() / LAKE_DAYS == pytest.approx(62_500, rel=0.01)
    assert seen.clicks.sum() == pytest.approx((seen.impressions * rates).sum(), rel=0.02)
    assert popularity(100).sum() == pytest.approx(1)


def test_the_best_list_has_regret_0_and_an_empty_one_has_regret_1():
    rates = market("random walk", 6_250, [1, 2], 2).rates[1]
    best = np.argsort(-rates, axis=-1)[..., :PLACES]

    for places in (PLACES, 5):
        assert regret(best, rates, places) == pytest.approx(np.zeros((2, 20)))
        assert (regret(np.full_like(best, EMPTY), rates, places) == 1).all()
    assert (regret(best[..., ::-1], rates, 5) > 0.2).all()


def test_in_the_closed_loop_listed_products_get_their_share():
    truth = market("constant", 625_000, [1], LAKE_DAYS + 1)
    ((listed, _, impressions),) = closed_loop(truth, RULES["ExpectedCTR"])
    place = popularity(100)[listed].sum(axis=-1)
    share = np.take_along_axis(impressions, listed, axis=-1).sum(axis=-1) / impressions.sum(axis=-1)

    assert share == pytest.approx(TO_LISTED + (1 - TO_LISTED) * place, abs=0.02)


def test_places_that_are_empty_leave_their_impressions_to_the_others_by_popularity():
    listed = np.full((1, 1, PLACES), EMPTY)
    listed[..., :10] = np.arange(10, 20)
    found = shown(listed, np.full((1, 100), 2.0))[0, 0]

    assert found[:10].tolist() == pytest.approx([200 * 0.6 / 100] * 10)
    assert found[10:20].tolist() == pytest.approx([200 * (0.04 + 0.6 / 100)] * 10)


def test_a_new_product_has_no_history_and_its_own_rate():
    truth = market("constant", 625_000, [1], LAKE_DAYS + 8, replaced=0.5)
    histories = []

    def remember(seen):
        histories.append(seen.impressions.sum(axis=0))
        return RULES["ExpectedCTR"](seen)

    assert len(list(closed_loop(truth, remember))) == 8
    is_new = truth.is_new[LAKE_DAYS + 7]

    assert is_new.mean() == pytest.approx(0.5, abs=0.05)
    assert histories[7][is_new].max() == 0
    assert histories[7][~is_new].min() > 0
    assert (truth.rates[LAKE_DAYS + 7] != truth.rates[LAKE_DAYS + 6])[is_new].all()


def test_the_report_has_all_tables_and_says_which_targets_are_missed(monkeypatch):
    for name in ("DAYS", "CLOSED_DAYS"):
        monkeypatch.setattr(f"tests.benchmarks.quality.changing_report.{name}", 1)
    opened, closed = measure_open([1, 2]), measure_closed([1, 2])

    assert section(opened, closed, 2).count("| ExpectedCTR |") == 1 + 1
    assert targets(opened, closed).count("| met: ") + targets(opened, closed).count("| **missed**: ") == 3 + 6 + 6
    assert {size: len(curves) for size, curves in points(opened, closed)["changes"].items()} == {
        "small": 5,
        "middle": 5,
        "large": 5,
    }
