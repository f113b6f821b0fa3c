"""Late events, ranges that go on where they stopped, and a dry run that says what would change."""

from contextlib import closing
from datetime import date

import pytest

from spark_jobs.warehouse import Warehouse
from tests.conftest import ADS, DAY, VIEWS
from webapp.rankings.models import Run, TopProduct

pytestmark = pytest.mark.long

DAYS = ["2026-11-17", "2026-11-18", "2026-11-19", DAY]
THREE_BEFORE = ("--from", DAYS[0], "--to", DAYS[2])


def rows(days, product="p", times=1):
    return {
        "views": [("a", product, day) for day in days] * times,
        "ads": [("a", product, "impression", day) for day in days],
    }


def runs():
    """Every run as (day of the month, state), in the order they were opened."""
    return [(run.day.day, run.state) for run in Run.objects.order_by("id")]


@pytest.fixture
def three_days(night, raw):
    """Three published days before DAY, from flat files that hold DAY as well."""
    raw.fill(**rows(DAYS))
    night(*THREE_BEFORE)


def test_a_night_publishes_an_earlier_day_again_when_its_events_came_late(night, raw, three_days):
    late = rows(DAYS)
    late["views"] += [("a", "late", DAYS[1])]
    raw.fill(**late)
    assert night()

    assert runs() == [(17, "published"), (18, "superseded"), (19, "published"), (20, "published"), (18, "published")]
    assert set(
        TopProduct.objects.of(Run.objects.published().get(day=DAYS[1])).values_list("product_id", flat=True)
    ) == {
        "p",
        "late",
    }


def test_a_night_leaves_earlier_days_alone_when_only_other_days_of_the_file_changed(night, raw, three_days):
    raw.fill(**rows(DAYS, times=1), active=["a"]).put(
        "product_views.csv", VIEWS + "".join(f"a,p,{day}\n" for day in reversed(DAYS))
    )
    night()

    assert runs() == [(17, "published"), (18, "published"), (19, "published"), (20, "published")]


def test_no_lookback_leaves_late_events_unread(night, raw, three_days):
    raw.fill(**rows(DAYS, times=2))
    night("--no-lookback")

    assert runs() == [(17, "published"), (18, "published"), (19, "published"), (20, "published")]


def test_a_night_looks_back_as_far_as_it_is_told(night, raw, three_days):
    raw.fill(**rows(DAYS, times=2))
    night(LOOKBACK_DAYS="1")

    assert runs()[3:] == [(20, "published"), (19, "published")]


def test_a_day_is_final_when_no_night_looks_back_at_it_any_more(night, raw, three_days):
    night()

    assert dict(Run.objects.published().values_list("day__day", "final")) == {17: True, 18: False, 19: False, 20: False}


def test_an_earlier_day_whose_events_are_gone_stays_as_it_is(night, raw, three_days):
    raw.fill(**rows([DAY]))

    assert night()
    assert runs() == [(17, "published"), (18, "published"), (19, "published"), (20, "published")]


def test_an_earlier_day_that_was_refused_is_published_once_the_rest_of_it_arrives(night, raw):
    raw.fill(views=[("a", "p", DAYS[2])], ads=[("a", "p", "impression", DAY)])
    night("--day", DAYS[2])
    raw.fill(**rows(DAYS[2:]))
    night("--day", DAY)

    assert runs() == [(19, "refused"), (20, "published"), (19, "published")]


def test_an_earlier_day_that_was_refused_is_not_tried_again_as_long_as_nothing_arrives(night, raw):
    raw.fill(views=[("a", "p", DAYS[2])], ads=[])
    night("--day", DAYS[2])
    raw.put("ads_views.csv", f"{ADS}a,p,impression,{DAY}\n").put(
        "product_views.csv", f"{VIEWS}a,p,{DAYS[2]}\na,p,{DAY}\n"
    )
    night("--day", DAY)

    assert runs() == [(19, "refused"), (20, "published")]


def test_a_broken_file_of_an_earlier_day_does_not_keep_the_asked_day_from_being_published(night, raw, caplog):
    raw.fill()
    for name, header, row in (("product_views", VIEWS, "a,p,{}"), ("ads_views", ADS, "a,p,impression,{}")):
        (raw.folder / f"{name}.csv").unlink()
        for day in DAYS[2:]:
            raw.put(f"{name}/date={day}/part.csv", header + row.format(day) + "\n")
    night("--day", DAYS[2])
    raw.put(f"product_views/date={DAYS[2]}/more.csv", "no header that would do\n")

    assert night()
    assert runs() == [(19, "published"), (20, "published")]
    assert f"not looking back at {DAYS[2]}: " in caplog.text


def test_an_earlier_day_that_another_run_holds_is_left_to_it(night, raw, three_days, database):
    raw.fill(**rows(DAYS, times=2))
    with closing(Warehouse(database)) as other:
        other.hold([date.fromisoformat(DAYS[1])])
        night()

    assert runs()[3:] == [(20, "published"), (17, "published"), (19, "published")]


def test_a_range_leaves_days_alone_whose_input_is_unchanged(night, raw, three_days, capsys):
    capsys.readouterr()
    assert night(*THREE_BEFORE)

    assert runs() == [(17, "published"), (18, "published"), (19, "published")]
    assert capsys.readouterr().out.count('"state": "unchanged"') == 3


def test_a_range_goes_on_where_it_was_stopped(night, raw, database):
    raw.fill(**rows(DAYS))
    night("--from", DAYS[0], "--to", DAYS[1])
    with closing(Warehouse(database)) as killed:
        killed.hold([date.fromisoformat(DAYS[2])])
        killed.open_runs([date.fromisoformat(DAYS[2])], "test", "test", {})
    night("--from", DAYS[0], "--to", DAY)

    assert runs() == [(17, "published"), (18, "published"), (19, "failed"), (19, "published"), (20, "published")]


@pytest.mark.parametrize("option", [("--force",), ("--top", "1"), ("--ctr-prior-weight", "20")])
def test_a_range_does_days_again_when_forced_or_asked_for_other_lists(night, raw, three_days, option):
    night(*THREE_BEFORE, *option)

    assert runs()[3:] == [(17, "published"), (18, "published"), (19, "published")]


def test_a_dry_run_says_what_would_change(night, raw, caplog):
    raw.fill(views=[("a", p, DAY) for p in "xxyyyz"], ads=[("a", "x", "impression", DAY)])
    night()
    raw.fill(views=[("a", p, DAY) for p in "xxxxyyyn"], ads=[("a", "x", "impression", DAY)])
    caplog.clear()
    night("--dry-run")

    assert "  top_product: 1 entered, 1 left, 2 moved" in caplog.messages
    assert "  top_ctr: 0 entered, 0 left, 0 moved" in caplog.messages
    assert "  advertiser a: 4 products" in caplog.messages
    assert runs() == [(20, "published")]
