"""The nightly job against the tables of Django's migrations: what is published, superseded, refused or unchanged."""

import gzip
from contextlib import closing
from datetime import date

import pytest

from spark_jobs import runs
from spark_jobs.failures import SPARK_HAS_ENDED
from spark_jobs.runs import Failed
from spark_jobs.warehouse import DayIsHeld, Warehouse, ledger, locks, publication
from tests.conftest import DAY, VIEWS, a_day_of_events
from webapp.rankings.models import Advertiser, ExpectedCTR, Run, TopCTR, TopProduct

ON = date.fromisoformat(DAY)


def lists_of(run):
    """Return the rows of a run in three tables, without the columns that a rerun changes."""
    return [
        list(model.objects.of(run).order_by("advertiser_id", "rank").values_list("advertiser_id", "rank", *columns))
        for model, columns in (
            (TopProduct, ("date", "product_id", "views")),
            (TopCTR, ("date", "product_id", "clicks", "impressions", "ctr", "score")),
            (ExpectedCTR, ("date", "product_id", *ExpectedCTR.scores)),
        )
    ]


def test_the_nightly_job_publishes_lists_of_several_models_and_keeps_the_counts_in_the_lake(
    night, raw, spark, tmp_path
):
    raw.fill(**a_day_of_events())
    assert night()

    [product], [rate] = TopProduct.objects.published(), TopCTR.objects.published()
    assert (product.advertiser_id, product.product_id, product.rank, product.views) == ("a", "p", 1, 1)
    assert (rate.advertiser_id, rate.product_id, rate.rank, rate.clicks, rate.impressions) == ("a", "p", 1, 1, 1)
    assert rate.ctr == 1.0
    assert f"{product.date:%Y-%m-%d}" == DAY
    folder = f"file://{tmp_path}/lake/counts/date={DAY}/run={Run.objects.get().id}"
    stored = spark.read.parquet(folder)
    assert [tuple(row) for row in stored.collect()] == [("a", "p", 1, 1, 1)]
    assert len(stored.inputFiles()) == 1


def test_the_ledger_records_parameters_and_counts(night, raw):
    raw.fill(
        active=["a", "b"], views=[("a", "p", DAY), ("idle", "p", DAY), ("a", "", DAY)], ads=a_day_of_events()["ads"]
    )
    night("--top", "5", CTR_PRIOR_WEIGHT="20", MIN_IMPRESSIONS="1", HALF_LIFE_DAYS="3.5", MAX_REJECTED_SHARE="0.34")

    run = Run.objects.get()
    assert (run.state, str(run.day), run.parameters["top"]) == ("published", DAY, 5)
    parameters = [run.parameters[name] for name in ("ctr_prior_weight", "min_impressions", "half_life_days")]
    assert parameters == [20, 1, 3.5]
    assert run.code_version and run.spark_version
    assert run.published_at and run.finished_at
    assert run.counts == {
        "read": {"product_views": 3, "ads_views": 2},
        "rejected": {"bad_product_id": 1},
        "rejected_examples": {"bad_product_id": f"a,,{DAY}"},
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
        "expected_ctr": 1,
        "top_product_window": 2,
        "top_ctr_window": 2,
        "lists": 7,
        "usual_events": None,
    }


def test_a_rerun_gives_the_same_rows_and_supersedes_the_first_run(night, raw):
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
    assert [len(rows) for rows in lists_of(second)] == [20, 20, 20]


@pytest.fixture
def publish(database):
    """A function that publishes a day without lists, with its active advertisers, as a run of its own does."""

    def publish(day, active):
        with closing(Warehouse(database)) as warehouse:
            [run] = ledger.open_runs(warehouse, [day], "test", "test", {}).values()
            publication.publish(warehouse, run, day, {}, active)

    return publish


def test_advertisers_are_active_if_the_newest_day_lists_them(night, raw, publish):
    publish(ON, ["a", "b"])
    raw.fill(active=["a", "c"], **a_day_of_events())
    night()

    assert dict(Advertiser.objects.values_list("advertiser_id", "active")) == {"a": True, "b": False, "c": True}


def test_an_older_day_does_not_change_who_is_active(night, raw, publish):
    publish(ON, ["a"])
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
def test_a_day_with_missing_input_is_refused_with_its_reason(night, raw, files, finding):
    raw.fill(**files)
    assert not night()

    run = Run.objects.get()
    assert run.state == "refused"
    assert finding in run.message


def test_after_a_refused_day_the_rest_of_a_range_is_published(night, raw):
    raw.fill(**a_day_of_events())

    assert not night("--from", "2026-11-19", "--to", DAY)
    assert [(run.day.day, run.state) for run in Run.objects.order_by("day")] == [(19, "refused"), (20, "published")]


def test_less_than_half_of_the_usual_events_is_refused_unless_a_drop_is_allowed(night, raw):
    Run.objects.create(day="2026-11-19", state="published", published_at=f"{DAY}T05:00Z", counts={"events": 20})
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


def test_a_dry_run_of_a_bad_day_fails_the_audit_and_leaves_nothing_behind(night, raw):
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


def test_a_run_fails_even_if_the_jvm_ends_while_its_error_is_described(night, raw, monkeypatch):
    def describe(error):
        raise ConnectionRefusedError("the JVM has ended")

    monkeypatch.setattr(runs, "in_one_line", describe)
    with pytest.raises(Failed):
        night()

    assert Run.objects.get().state == "failed"
    assert Run.objects.get().message == SPARK_HAS_ENDED


def test_a_truncated_gzip_file_fails_the_run_and_is_named(night, raw):
    raw.fill(**a_day_of_events())
    (raw.folder / "product_views.csv").unlink()
    whole = gzip.compress((VIEWS + "".join(f"a,p{n},{DAY}\n" for n in range(100_000))).encode())
    raw.put("product_views.csv.gz", whole[: len(whole) // 2])
    with pytest.raises(Failed):
        night()

    message = Run.objects.get().message
    assert "product_views.csv.gz" in message
    assert "Unexpected end" in message


def test_a_day_that_another_run_holds_cannot_be_run(night, raw, database):
    raw.fill(**a_day_of_events())
    with closing(Warehouse(database)) as other:
        locks.lock_day(other, ON)
        run = ledger.open_runs(other, [ON], "test", "test", {})[ON]

        with pytest.raises(DayIsHeld, match=f"another run holds {DAY} \\(run {run}, started "):
            night()


def test_the_next_run_fails_a_dead_one_and_deletes_its_rows(night, raw, database):
    raw.fill(**a_day_of_events())
    with closing(Warehouse(database)) as dead:
        locks.lock_day(dead, ON)
        run = ledger.open_runs(dead, [ON], "test", "test", {})[ON]
        TopProduct.objects.create(run_id=run, date=ON, advertiser_id="a", product_id="p", rank=1, views=1)
    night()

    dead_run = Run.objects.get(pk=run)
    assert (dead_run.state, dead_run.message) == ("failed", "the process died without reporting")
    assert not TopProduct.objects.filter(run_id=run).exists()
