"""What every registered model declares about itself."""

from itertools import product

import pytest

from tests.web.conftest import DEFAULTS
from webapp.rankings.models import RANKINGS, WINDOWED, AdvertiserCounts
from webapp.rankings.models.counts import AdvertiserDay, ProductCounts

MODELS = pytest.mark.parametrize("model", RANKINGS.values())


@MODELS
def test_the_score_that_orders_a_list_is_one_of_its_scores(model):
    assert model.ordering_score in model.scores


@MODELS
def test_a_model_declares_every_reason_for_an_absence(model):
    found = set()
    for views, impressions, past_views, past_days in product([0, 1, 9], [0, 1, 9], [0, 7], [0, 7]):
        day = AdvertiserDay(0, 0, past_days, DEFAULTS | {"min_impressions": 5})
        absence = model.absence(ProductCounts("p", views, impressions, 0, past_views, 0, impressions), day)
        found |= {absence.reason} if absence else set()
    absence = model.absence_of_lists({})
    found |= {absence.reason} if absence else set()

    assert found == set(model.absence_reasons)


@pytest.mark.parametrize(("name", "window_model"), WINDOWED.items())
def test_a_list_over_several_days_has_the_scores_of_its_model(name, window_model):
    assert (window_model.scores, window_model.ordering_score) == (RANKINGS[name].scores, RANKINGS[name].ordering_score)


def test_the_numbers_of_a_product_are_named_in_the_order_of_the_json():
    counts = ProductCounts("p", *range(len(AdvertiserCounts.PRODUCT_NUMBERS)))

    assert [getattr(counts, name) for name in AdvertiserCounts.PRODUCT_NUMBERS] == [0, 1, 2, 3, 4, 5]
