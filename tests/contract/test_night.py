"""A night against the tables that Django's migrations make: what is published, superseded, refused or left alone."""

import gzip
import threading
from collections import Counter
from contextlib import closing
from datetime import date

import psycopg2
import pytest

from spark_jobs.runs import Failed
from spark_jobs.warehouse import DayIsHeld, Warehouse
from tests.conftest import DAY, VIEWS, a_day_of_events
from webapp.rankings.models import Advertiser, Run, TopCTR, TopProduct

ON = date.fromisoformat(DAY)


def lists_of(run):
    """Return all rows of both rankings of a run, without what a rerun may change."""
    return [
        list(model.objects.of(run).order_by("advertiser_id", "rank").values_list("advertiser_id", "rank", *columns))
        for model, columns in (
            (TopProduct, ("date", "product_id", "views")),
            (TopCTR, ("date", "product_id", "clicks", "impressions", "ctr", "score")),
        )
    ]


def test_a_night_publishes_both_rankings(night, raw):
    raw.fill(**a_day_of_events())
    assert night()

    [product], [rate] = TopProduct.objects.published(), TopCTR.objects.published()
    assert (product.advertiser_id, product.product_id, product.rank, product.views) == ("a", "p", 1, 1)
    assert (rate.advertiser_id, rate.product_id, rate.rank, rate.clicks, rate.impressions) == ("a", "p", 1, 1, 1)
    assert rate.ctr == 1.0
    assert f"{product.date:%Y-%m-%d}" == DAY


def test_the_ledger_says_what_was_run_and_counted(night, raw):
    raw.fill(
        active=["a", "b"], views=[("a", "p", DAY), ("idle", "p", DAY), ("a", "", DAY)], ads=a_day_of_events()["ads"]
    )
    night("--top", "5", "--ctr-prior-weight", "20", MAX_REJECTED_SHARE="0.34", MIN_IMPRESSIONS="1")

    run = Run.objects.get()
    assert (run.state, str(run.day), run.parameters["top"]) == ("published", DAY, 5)
    assert (run.parameters["ctr_prior_weight"], run.parameters["min_impressions"]) == (20, 1)
    assert run.code_version and run.spark_version
    assert run.published_at and run.finished_at
    assert run.counts == {
        "read": {"product_views": 3, "ads_views": 2},
        "rejected": {"bad_product_id": 1},
        "rejected_share": {"product_views": 0.333333, "ads_views": 0.0, "advertiser_ids": 0.0},
        "inactive": 1,
        "active_advertisers": 2,
        "hidden_products": 0,
        "events": 3,
        "products": 1,
        "views": 1,
        "impressions": 1,
        "clicks": 1,
        "listed_advertisers": 1,
        "top_product": 1,
        "top_ctr": 1,
        "trending": 0,
        "top_product_window": 2,
        "top_ctr_window": 2,
        "usual_events": None,
    }


def test_the_counts_of_a_run_are_parquet_in_the_lake(night, raw, spark, tmp_path):
    raw.fill(**a_day_of_events())
    night()

    folder = f"file://{tmp_path}/lake/counts/date={DAY}/run={Run.objects.get().id}"
    assert [tuple(row) for row in spark.read.parquet(folder).collect()] == [("a", "p", 1, 1, 1)]


def test_the_same_day_run_twice_gives_the_same_rows_and_one_published_run(night, raw):
    tied = [(f"p{n}", n % 3) for n in range(30)]
    raw.fill(
        views=[("a", product, DAY) for product, _ in tied],
        ads=[("a", product, kind, DAY) for product, clicks in tied for kind in ["impression"] + ["click"] * clicks],
    )
    night()
    night()

    first, second = Run.objects.order_by("id")
    assert (first.state, second.state) == ("superseded", "published")
    assert lists_of(first) == lists_of(second)
    assert len(lists_of(second)[0]) == len(lists_of(second)[1]) == 20


def test_a_product_below_the_minimum_of_impressions_is_in_top_product_alone(night, raw):
    raw.fill(
        views=[("a", "seldom", DAY)],
        ads=[("a", "seldom", "impression", DAY)] + [("a", "often", "impression", DAY)] * 2,
    )
    assert night("--min-impressions", "2")

    assert [row.product_id for row in TopProduct.objects.published()] == ["seldom"]
    assert [row.product_id for row in TopCTR.objects.published()] == ["often"]


def test_advertisers_follow_the_newest_list(night, raw):
    raw.fill(active=["a", "b"], **a_day_of_events())
    night()
    raw.fill(active=["a", "c"], **a_day_of_events())
    night()

    assert dict(Advertiser.objects.values_list("advertiser_id", "active")) == {"a": True, "b": False, "c": True}


def test_an_older_day_does_not_change_who_is_active(night, raw):
    raw.fill(active=["a"], **a_day_of_events())
    night()
    raw.fill(active=["a", "gone"], **a_day_of_events("2026-11-19"))
    night("--from", "2026-11-19", "--to", "2026-11-19")

    assert dict(Advertiser.objects.values_list("advertiser_id", "active")) == {"a": True, "gone": False}
    assert f"{Advertiser.objects.get(pk='a').last_active_on:%F}" == DAY


def test_a_range_publishes_each_of_its_days(night, raw):
    raw.fill(
        views=[("a", f"p{n}", f"2026-11-{day}") for day in (18, 19, 20) for n in range(day - 17)],
        ads=[("a", "p", "impression", f"2026-11-{day}") for day in (18, 19, 20)],
    )
    assert night("--from", "2026-11-18", "--to", "2026-11-20")

    days = Run.objects.published().order_by("day")
    assert [(run.day.day, TopProduct.objects.of(run).count()) for run in days] == [(18, 1), (19, 2), (20, 3)]


@pytest.mark.parametrize(
    ("files", "finding"),
    [
        ({}, f"product_views has no rows of {DAY}; ads_views has no rows of {DAY}"),
        ({"views": [("a", "p", DAY)]}, f"ads_views has no rows of {DAY}; top_ctr has no rows"),
        ({"active": [], **a_day_of_events()}, "the list of active advertisers is empty"),
        ({"active": ["b"], **a_day_of_events()}, "top_product has no rows; top_ctr has no rows"),
    ],
)
def test_a_day_with_something_missing_is_refused_and_says_what(night, raw, files, finding):
    raw.fill(**files)
    assert not night()

    run = Run.objects.get()
    assert run.state == "refused"
    assert finding in run.message


def test_a_refused_day_leaves_the_last_good_run_published(night, raw):
    raw.fill(**a_day_of_events())
    night()
    raw.fill()
    night()

    assert [run.state for run in Run.objects.order_by("id")] == ["published", "refused"]


def test_a_refused_day_in_a_range_does_not_keep_the_next_from_being_published(night, raw):
    raw.fill(**a_day_of_events())

    assert not night("--from", "2026-11-19", "--to", DAY)
    assert [(run.day.day, run.state) for run in Run.objects.order_by("day")] == [(19, "refused"), (20, "published")]


def test_under_half_of_the_usual_events_are_refused_unless_allowed(night, raw):
    raw.fill(views=[("a", "p", "2026-11-19")] * 10, ads=[("a", "p", "impression", "2026-11-19")] * 10)
    night("--from", "2026-11-19", "--to", "2026-11-19")
    raw.fill(**a_day_of_events())

    assert not night()
    assert (
        Run.objects.latest("id").message == "3 events are under 50% of the usual 20; if that is right, use --allow-drop"
    )
    assert night("--allow-drop")


def test_a_dry_run_leaves_nothing_behind(night, raw, tmp_path):
    raw.fill(**a_day_of_events())
    assert night("--dry-run")

    assert not Run.objects.exists()
    assert not TopProduct.objects.exists()
    assert not Advertiser.objects.exists()
    assert not [path for path in (tmp_path / "lake").rglob("*") if path.is_file()]


def test_a_dry_run_of_a_bad_day_says_so_and_leaves_nothing_behind(night, raw):
    raw.fill()

    assert not night("--dry-run")
    assert not Run.objects.exists()


def test_a_failed_run_is_in_the_ledger_with_its_reason_and_without_rows(night, raw):
    raw.fill().put("product_views.csv", "advertiser_id,date\n")
    with pytest.raises(Failed):
        night()

    run = Run.objects.get()
    assert (run.state, TopProduct.objects.count()) == ("failed", 0)
    assert "has no column 'product_id'" in run.message


def test_a_truncated_gzip_fails_the_run_and_is_named(night, raw):
    raw.fill(**a_day_of_events())
    (raw.folder / "product_views.csv").unlink()
    whole = gzip.compress((VIEWS + "".join(f"a,p{n},{DAY}\n" for n in range(100_000))).encode())
    raw.put("product_views.csv.gz", whole[: len(whole) // 2])
    with pytest.raises(Failed):
        night()

    message = Run.objects.get().message
    assert "product_views.csv.gz" in message
    assert "Unexpected end" in message


def test_a_day_that_another_run_holds_is_left_alone(night, raw, database):
    raw.fill(**a_day_of_events())
    with closing(Warehouse(database)) as other:
        other.hold([ON])
        run = other.open_runs([ON], "test", "test", {})[ON]

        with pytest.raises(DayIsHeld, match=f"another run holds {DAY} \\(run {run}, started "):
            night()


def test_a_run_whose_process_died_is_marked_failed_by_the_next_and_its_rows_go(night, raw, database):
    raw.fill(**a_day_of_events())
    with closing(Warehouse(database)) as dead:
        dead.hold([ON])
        run = dead.open_runs([ON], "test", "test", {})[ON]
        TopProduct.objects.create(run_id=run, date=ON, advertiser_id="a", product_id="p", rank=1, views=1)
    night()

    assert Run.objects.get(pk=run).state == "failed"
    assert not TopProduct.objects.filter(run_id=run).exists()


def test_a_reader_who_never_stops_asking_sees_a_whole_list_at_every_moment_of_a_rerun(night, raw, database):
    raw.fill(views=[("a", f"p{n}", DAY) for n in range(5)], ads=[("a", "p", "impression", DAY)])
    night()
    seen: Counter[tuple[tuple[int, int], ...]] = Counter()
    stop = threading.Event()

    def read():
        with closing(psycopg2.connect(**database.libpq_parameters)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            while not stop.is_set():
                cursor.execute(
                    "select run_id, count(*) from top_product join run on run.id = run_id"
                    " where run.state = 'published' group by run_id"
                )
                seen[tuple(cursor.fetchall())] += 1
                stop.wait(0.005)

    reader = threading.Thread(target=read)
    reader.start()
    night()
    stop.set()
    reader.join()

    first, second = Run.objects.order_by("id").values_list("id", flat=True)
    assert set(seen) <= {((first, 5),), ((second, 5),)}
    assert seen[(first, 5),] > 10
