"""Lists over several days, from the daily counts that earlier runs left in the lake."""

from datetime import date, timedelta

import pytest

from tests.conftest import DAY
from webapp.lists.selection import absent_days
from webapp.rankings.models import Advertiser, Run, TopProductWindow

pytestmark = pytest.mark.long

ON = date.fromisoformat(DAY)


def day(age):
    """The date `age` days before the ranked day."""
    return str(ON - timedelta(days=age))


def events(*visits):
    """Views by (product, day, times), and an impression of product `ad` on each of these days."""
    views = [("a", product, on) for product, on, times in visits for _ in range(times)]
    return {"views": views, "ads": [("a", "ad", "impression", on) for on in {row[2] for row in views}]}


def order_in(model, **of):
    return [row.product_id for row in model.objects.published().filter(date=ON, **of).order_by("rank")]


def newest():
    return Run.objects.published().newest()


def test_windows_need_no_raw_events_of_earlier_days_and_list_only_active_advertisers(night, raw):
    raw.fill(
        active=["a", "gone"], views=[("gone", "p", day(1)), ("a", "p", day(1))], ads=events(("p", day(1), 1))["ads"]
    )
    night("--day", day(1))
    raw.fill(**events(("q", day(0), 2)))  # the raw events of the day before are gone
    assert night("--no-lookback")

    assert order_in(TopProductWindow, days=7) == ["q", "p"]
    assert not Advertiser.objects.get(pk="gone").active
    assert set(TopProductWindow.objects.filter(date=ON).values_list("advertiser_id", flat=True)) == {"a"}


def test_a_day_without_counts_in_the_lake_is_absent_from_windows(night, raw):
    Run.objects.create(day=day(1), state="published", published_at=f"{DAY}T05:00Z", counts={"events": 2})
    raw.fill(**events(("p", day(0), 1), ("q", day(1), 2)))
    night("--no-lookback")

    assert order_in(TopProductWindow, days=7) == ["p"]
    assert absent_days(newest(), 7) == [ON - timedelta(days=age) for age in range(6, 0, -1)]


def test_the_ledger_records_how_the_lists_of_the_day_before_did(night, raw):
    def ads(product, on, impressions, clicks):
        return [("a", product, "impression", on)] * impressions + [("a", product, "click", on)] * clicks

    raw.fill(
        views=[("a", "seen", day(1)), ("a", "seen", day(0))],
        ads=[*ads("good", day(1), 2, 1), *ads("good", day(0), 10, 4), *ads("other", day(0), 20, 1)],
    )
    night("--day", day(1))
    before = newest()
    night("--no-lookback", "--allow-drop")

    card = newest().counts["scorecard_top_ctr"]
    assert card == {"of_run": before.pk, "impressions": 10, "clicks": 4, "other_impressions": 20, "other_clicks": 1}
    assert newest().counts["scorecard_top_product"]["other_clicks"] == 5
