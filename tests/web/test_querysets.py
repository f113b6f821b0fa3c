"""The verbs of the querysets."""

import pytest

from tests.web.conftest import YESTERDAY, days_ago, make_advertiser, make_list, make_run
from webapp.rankings.models import Advertiser, Run, TopProduct

pytestmark = pytest.mark.django_db


def test_published_rows_are_those_of_the_days_published_run():
    for state in ["superseded", "published", "running"]:
        make_list(make_run(state=state), "A", state)

    assert [item.product_id for item in TopProduct.objects.published().for_advertiser("A")] == ["published"]


def test_the_newest_run_is_the_one_of_the_newest_day():
    newest = make_run()
    make_run(days_ago(1))

    assert Run.objects.published().newest() == newest


def test_no_advertiser_has_an_id_with_a_nul():
    make_advertiser()

    assert not Advertiser.objects.named("A\0").exists()


@pytest.mark.parametrize(("day", "found"), [(None, days_ago(1)), (YESTERDAY, None), (days_ago(3), days_ago(3))])
def test_the_published_run_of_a_day_or_of_the_newest_day(day, found):
    make_run(state="running")
    for age in [1, 3]:
        make_run(days_ago(age))
    run = Run.objects.find_published(day)

    assert (run and run.day) == found
