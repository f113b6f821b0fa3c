"""A night in steps: together they publish what a whole night does, and a scheduler may repeat each."""

from contextlib import closing
from datetime import date

import pytest
from django.contrib.auth.models import User
from django.db import connection

from spark_jobs import nightly, steps
from spark_jobs.settings import ConfigurationError, Storage
from spark_jobs.steps import PREPARE, PUBLISH, STEPS, NotPrepared, Steps
from spark_jobs.warehouse import RUN_TABLES, DayIsHeld, Warehouse
from tests.conftest import DAY, a_day_of_events
from webapp.curation.models import HiddenProduct
from webapp.rankings.models import Run, TopProduct

ON, BEFORE = date.fromisoformat(DAY), "2026-11-19"
MODEL_STEPS = [step for step in STEPS if step not in (PREPARE, PUBLISH)]


@pytest.fixture
def step(spark, database, raw, tmp_path):
    """A function that does one step of the day in this process and tells whether the day is not refused."""

    def do(name, *arguments):
        options = nightly.options_from(nightly.parser().parse_args(["--day", DAY, "--step", name, *arguments]), {})
        with closing(Warehouse(database)) as warehouse:
            steps.hold(warehouse, name, ON)
            return Steps(spark, warehouse, Storage(raw.uri, (tmp_path / "lake").as_uri()), options).run()

    return do


@pytest.fixture
def other(database):
    """Another process's Warehouse."""
    with closing(Warehouse(database)) as warehouse:
        yield warehouse


def rows_of(run):
    """Return by table all that a run has in it, without the numbers of rows and run."""
    with connection.cursor() as cursor:
        rows = {}
        for table in RUN_TABLES:
            cursor.execute(f"select to_jsonb(t) - 'id' - 'run_id' from {table} as t where run_id = %s", [run.pk])
            rows[table] = sorted(str(row) for (row,) in cursor.fetchall())
    return rows


def states():
    return list(Run.objects.order_by("id").values_list("state", flat=True))


def test_the_steps_publish_what_a_whole_night_does_also_when_each_is_done_twice(night, step, raw):
    events = a_day_of_events(BEFORE), a_day_of_events()
    views = [
        ("a", product, on)
        for on, most in ((BEFORE, 3), (DAY, 40))
        for n, product in enumerate("pqr")
        for _ in range(n * most)
    ]
    raw.fill(
        active=["a", "b"],
        views=[*events[0]["views"], *events[1]["views"], *views, ("b", "x", DAY), ("idle", "p", DAY)],
        ads=[*events[0]["ads"], *events[1]["ads"], ("b", "x", "impression", DAY), ("a", "p", "click", BEFORE)],
    )
    night("--day", BEFORE)
    user = User.objects.create_user("ops")
    HiddenProduct.objects.create(
        advertiser_id="a", product_id="q", reason="sold out", until="2999-01-01", hidden_by=user
    )
    night("--no-lookback")
    whole = Run.objects.published().get(day=ON)
    step(PREPARE)
    HiddenProduct.objects.all().delete()  # what prepare took for hidden is so for the whole run
    for name in [*MODEL_STEPS, *reversed(MODEL_STEPS), PUBLISH, PUBLISH]:
        assert step(name)
    stepwise = Run.objects.published().get(day=ON)

    assert stepwise.pk != whole.pk
    assert all(rows_of(whole).values())
    assert rows_of(stepwise) == rows_of(whole)
    assert stepwise.counts == whole.counts
    assert stepwise.parameters == whole.parameters
    assert stepwise.inputs == whole.inputs


@pytest.mark.parametrize("name", ["top_ctr", PUBLISH])
def test_a_step_without_its_prepare_says_so(step, name):
    with pytest.raises(NotPrepared, match=f"{DAY} has no run that waits for {name}; run --step prepare first"):
        step(name)


def test_a_step_with_other_options_than_its_prepare_says_which(step, raw):
    raw.fill(**a_day_of_events())
    step(PREPARE)

    with pytest.raises(ConfigurationError, match="was prepared with top 20 and not 5; all its steps take the same"):
        step("top_product", "--top", "5")
    assert states() == ["running"]


@pytest.mark.long
def test_a_day_that_publish_refuses_stays_refused_and_readers_keep_what_they_had(night, step, raw):
    raw.fill(**a_day_of_events())
    night()
    raw.fill(views=a_day_of_events()["views"])
    for name in (PREPARE, *MODEL_STEPS):
        assert step(name)

    assert not step(PUBLISH)
    assert states() == ["published", "refused"]
    assert f"ads_views has no rows of {DAY}" in Run.objects.latest("id").message
    assert "handed_on" not in Run.objects.latest("id").counts


@pytest.mark.long
def test_a_step_that_was_left_out_keeps_the_day_from_being_published(step, raw):
    raw.fill(**a_day_of_events())
    step(PREPARE)
    step("top_product")

    assert not step(PUBLISH)
    assert "top_ctr has 0 rows and 1 were ranked" in Run.objects.get().message


@pytest.mark.long
@pytest.mark.parametrize("anew", ["a whole night", PREPARE])
def test_whoever_begins_the_day_anew_gives_up_a_chain_that_was_half_done(night, step, raw, tmp_path, anew):
    raw.fill(**a_day_of_events())
    step(PREPARE)
    step("top_product")
    given_up = Run.objects.get()
    step(PREPARE) if anew == PREPARE else night()
    given_up.refresh_from_db()

    assert (given_up.state, given_up.message) == ("failed", "given up between two steps: the day was begun anew")
    assert "handed_on" not in given_up.counts
    assert not TopProduct.objects.of(given_up).exists()
    assert not [path for path in (tmp_path / "lake").rglob(f"run={given_up.pk}/*") if path.is_file()]


@pytest.mark.long
def test_a_prepare_that_fails_fails_its_run(step, raw):
    raw.fill().put("product_views.csv", "advertiser_id,date\n")
    with pytest.raises(nightly.Failed):
        step(PREPARE)

    assert states() == ["failed"]


@pytest.mark.long
def test_a_model_that_fails_leaves_the_run_to_be_tried_again(step, raw, tmp_path):
    raw.fill(**a_day_of_events())
    step(PREPARE)
    [counts] = (tmp_path / "lake" / "counts").glob("date=*/run=*/*.parquet")
    whole = counts.read_bytes()
    counts.write_bytes(b"damaged")
    with pytest.raises(nightly.Failed):
        step("top_product")
    counts.write_bytes(whole)

    assert states() == ["running"]
    for name in (*MODEL_STEPS, PUBLISH):
        assert step(name)


def test_models_work_side_by_side_and_nothing_else_of_the_day_meanwhile(step, night, raw, other):
    raw.fill(**a_day_of_events())
    step(PREPARE)
    other.hold_table("top_product", ON)

    assert step("top_ctr")
    for refused in ("top_product", PREPARE, PUBLISH):
        with pytest.raises(DayIsHeld, match=f"another run holds {DAY}"):
            step(refused)
    with pytest.raises(DayIsHeld):
        night()


@pytest.mark.long
def test_no_step_begins_while_a_night_is_at_work(step, raw, other):
    raw.fill(**a_day_of_events())
    step(PREPARE)
    other.hold_as_it_is(ON)

    for name in (PREPARE, "top_ctr", PUBLISH):
        with pytest.raises(DayIsHeld):
            step(name)


@pytest.mark.long
@pytest.mark.parametrize("arguments", [["--day", "2026-11-21"], ["--day", DAY, "--dry-run"]])
def test_a_night_that_looks_back_or_runs_dry_leaves_a_chain_alone(night, step, raw, arguments):
    raw.fill(**a_day_of_events())
    night()
    both = (a_day_of_events(), a_day_of_events("2026-11-21"))
    raw.fill(**{kind: both[0][kind] * 2 + both[1][kind] for kind in ("views", "ads")})
    step(PREPARE)
    if "--dry-run" in arguments:
        with pytest.raises(DayIsHeld):
            night(*arguments)
    else:
        assert night(*arguments, LOOKBACK_DAYS="3")

    assert [run.state for run in Run.objects.on(ON).order_by("id")] == ["published", "running"]


@pytest.mark.parametrize(
    "others", [["--from", DAY, "--to", DAY], ["--day", DAY, "--dry-run"], ["--day", DAY, "--replay"]]
)
def test_a_step_is_of_one_day_and_of_a_run_that_is_kept(others, capsys):
    with pytest.raises(SystemExit) as end:
        nightly.options_from(nightly.parser().parse_args(["--step", PREPARE, *others]), {})

    assert end.value.code == 2
    assert "--step is of one day and a run that is kept" in capsys.readouterr().err


@pytest.mark.long  # six spark-submits; tests/airflow does the same by Airflow
def test_steps_by_spark_submit_side_by_side_publish(start_job, put):
    events = a_day_of_events()
    put("advertiser_ids.csv", "advertiser_id\na\n")
    put(
        "product_views.csv",
        "advertiser_id,product_id,date\n" + "".join(f"{','.join(row)}\n" for row in events["views"]),
    )
    put(
        "ads_views.csv", "advertiser_id,product_id,type,date\n" + "".join(f"{','.join(row)}\n" for row in events["ads"])
    )

    assert start_job("--step", "top_ctr").wait().code == 1
    assert start_job("--step", PREPARE).wait().code == 0
    at_once = [start_job("--step", name) for name in MODEL_STEPS]
    assert [job.wait().code for job in at_once] == [0, 0, 0]
    code, report, said = start_job("--step", PUBLISH).wait()
    assert (code, report["state"]) == (0, "published"), said
