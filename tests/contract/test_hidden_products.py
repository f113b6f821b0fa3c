"""Hidden products are left out before ranking, so that lists keep their length."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from tests.conftest import DAY
from webapp.curation.models import HiddenProduct
from webapp.rankings.models import Advertiser, Run, TopCTR, TopProduct

pytestmark = pytest.mark.long

TODAY = datetime.now(UTC).date()


@pytest.fixture
def hide(transactional_db):
    """A function that hides a product of advertiser `a`, until a day."""
    user = User.objects.create(username="operator")
    advertiser, _ = Advertiser.objects.get_or_create(advertiser_id="a")

    def hide(product, until=TODAY, **columns):
        return HiddenProduct.objects.create(
            advertiser=advertiser, product_id=product, reason="sold out", until=until, hidden_by=user, **columns
        )

    return hide


@pytest.fixture
def three_products(raw):
    """A day of products x, y and z of two advertisers, x the best."""
    visits = {"x": 3, "y": 2, "z": 1}
    raw.fill(
        active=["a", "b"],
        views=[
            (advertiser, product, DAY) for advertiser in "ab" for product, times in visits.items() for _ in range(times)
        ],
        ads=[(advertiser, product, "impression", DAY) for advertiser in "ab" for product in visits],
    )


def list_of(model, advertiser="a"):
    return list(model.objects.published().for_advertiser(advertiser).best_first().values_list("rank", "product_id"))


def test_a_hidden_product_gives_its_place_to_the_next_and_is_counted(night, three_products, hide):
    hide("x")
    night("--top", "2")

    assert list_of(TopProduct) == [(1, "y"), (2, "z")]
    assert list_of(TopCTR) == [(1, "y"), (2, "z")]
    assert list_of(TopProduct, "b") == [(1, "x"), (2, "y")]  # the same product id of another advertiser
    counts = Run.objects.get().counts
    assert (counts["hidden_products"], counts["products"], counts["top_product"]) == (1, 6, 4)


def test_a_product_that_is_no_longer_hidden_is_ranked_again(night, three_products, hide):
    hide("x", until=TODAY - timedelta(days=1))
    hide("y", unhidden_at=datetime(2026, 11, 21, tzinfo=UTC), unhidden_by=User.objects.get())
    night()

    assert list_of(TopProduct) == [(1, "x"), (2, "y"), (3, "z")]


def test_an_id_with_quotes_and_commas_can_be_hidden(night, raw, hide):
    odd = 'p "1", é'
    raw.fill(views=[("a", "plain", DAY)], ads=[("a", "plain", "impression", DAY)])
    quoted = '"p ""1"", é"'
    raw.put("product_views.csv", f"advertiser_id,product_id,date\na,plain,{DAY}\na,{quoted},{DAY}\na,{quoted},{DAY}\n")
    hide(odd)
    night()

    assert list_of(TopProduct) == [(1, "plain")]
