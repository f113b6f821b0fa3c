"""A range is ranked together, with the same results as its days one by one."""

from datetime import date

import pytest

from spark_jobs import night as night_module
from spark_jobs.runs import Failed
from spark_jobs.warehouse import publication
from tests.conftest import DAY
from tests.contract.test_steps import rows_of
from webapp.rankings.models import Run, TopProductWindow, Trending

pytestmark = pytest.mark.long

DAYS = ["2026-11-18", "2026-11-19", DAY]
RANGE = ("--from", DAYS[0], "--to", DAY)
REFUSED = DAYS[1]


@pytest.fixture
def three_days(raw):
    """Days on which two advertisers' products rise, appear and disappear; each has a rejected line."""
    views, ads = [], []
    for n, day in enumerate(DAYS):
        for whose in ("a", "b"):
            views += [(whose, "rises", day)] * (1 + 9 * n) + [(whose, f"only-{n}", day)] * 3
            ads += [(whose, "rises", "impression", day)] * 5 + [(whose, "rises", "click", day)] * n
        views += [("a", "", day)]
    raw.fill(active=["a", "b"], views=views, ads=ads)
    return raw


@pytest.fixture
def without_ads_on_the_second(three_days):
    """The audit refuses the second day."""
    kept = [line for line in (three_days.folder / "ads_views.csv").read_text().splitlines() if REFUSED not in line]
    return three_days.put("ads_views.csv", "\n".join(kept) + "\n")


def rows_by_day():
    """Return each published day's rows and counts, without those that differ between runs."""
    return {
        str(run.day): {
            **rows_of(run),
            "run": {name: number for name, number in run.counts.items() if not name.startswith("scorecard")},
        }
        for run in Run.objects.published()
    }


def one_by_one(night, days=DAYS):
    return [night("--from", day, "--to", day, "--force", MAX_REJECTED_SHARE="1") for day in days]


def test_a_range_has_the_same_rows_and_counts_as_its_days_one_by_one(night, three_days):
    assert night(*RANGE, MAX_REJECTED_SHARE="1")
    together = rows_by_day()
    assert all(one_by_one(night))

    assert together == rows_by_day()
    assert len(together) == len(DAYS)
    assert all(together[DAY].values())


def test_a_refused_day_is_not_in_the_history_of_later_days_of_its_range(night, without_ads_on_the_second):
    assert not night(*RANGE, MAX_REJECTED_SHARE="1")
    together = rows_by_day()
    assert one_by_one(night) == [True, False, True]

    assert together == rows_by_day()
    assert sorted(together) == [DAYS[0], DAY]
    refused = Run.objects.filter(day=REFUSED).earliest("id")
    assert not TopProductWindow.objects.filter(run__day__gt=REFUSED, product_id="only-1").exists()
    assert all(REFUSED not in run.inputs["lake"] for run in Run.objects.exclude(pk=refused.pk))


def test_a_long_range_runs_in_parts_and_each_part_is_history_of_the_next(night, three_days, monkeypatch):
    monkeypatch.setattr(night_module, "DAYS_AT_ONCE", 2)
    assert night(*RANGE, MAX_REJECTED_SHARE="1")

    last = Run.objects.get(day=DAY)
    assert last.inputs["lake"] == {str(run.day): run.pk for run in Run.objects.exclude(pk=last.pk)}
    assert Trending.objects.of(last).exists()


def test_a_failure_keeps_published_days_and_fails_the_rest_of_the_range(night, three_days, monkeypatch):
    publish = publication.publish

    def fail_on_the_second_day(warehouse, run, day, *rest):
        if day == date.fromisoformat(DAYS[1]):
            raise OSError("no more")
        publish(warehouse, run, day, *rest)

    monkeypatch.setattr(publication, "publish", fail_on_the_second_day)
    with pytest.raises(Failed, match="no more"):
        night(*RANGE, MAX_REJECTED_SHARE="1")

    assert list(Run.objects.order_by("day").values_list("state", "message")) == [
        ("published", ""),
        *[("failed", "no more")] * 2,
    ]
    assert not TopProductWindow.objects.filter(run__state="failed").exists()
