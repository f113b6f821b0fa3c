"""A run in steps: together they publish what a whole run does, and each can be repeated."""

from contextlib import closing
from datetime import date

import pytest
from django.contrib.auth.models import User
from django.db import connection

from devstack.postgres import BATCH
from spark_jobs import nightly
from spark_jobs.job import Job
from spark_jobs.settings import ConfigurationError, Storage
from spark_jobs.steps import PREPARE, PUBLISH, STEPS, NotPrepared, run_step
from spark_jobs.warehouse import RUN_TABLES, DayIsHeld, Warehouse, locks
from tests.conftest import DAY, a_day_of_events
from webapp.curation.models import HiddenProduct
from webapp.rankings.models import Run, TopProduct

ON, BEFORE = date.fromisoformat(DAY), "2026-11-19"
MODEL_STEPS = [step for step in STEPS if step not in (PREPARE, PUBLISH)]


@pytest.fixture
def step(spark, database, raw, tmp_path):
    """A function that does one step of the day in this process and returns False if the audit refuses the day."""

    def do(name, *arguments):
        options = nightly.options_from(nightly.parser().parse_args(["--day", DAY, "--step", name, *arguments]), {})
        with closing(Warehouse(database)) as warehouse:
            nightly.lock(warehouse, options)
            return run_step(Job(spark, warehouse, Storage(raw.uri, (tmp_path / "lake").as_uri()), options))

    return do


@pytest.fixture
def other(database):
    """The connection of another process."""
    with closing(Warehouse(database)) as warehouse:
        yield warehouse


def rows_of(run):
    """Return a run's rows by table, without the ids of rows and run."""
    with connection.cursor() as cursor:
        rows = {}
        for table in RUN_TABLES:
            cursor.execute(f"select to_jsonb(t) - 'id' - 'run_id' from {table} as t where run_id = %s", [run.pk])
            rows[table] = sorted(str(row) for (row,) in cursor.fetchall())
    return rows


def states():
    return list(Run.objects.order_by("id").values_list("state", flat=True))


@pytest.mark.long
def test_the_steps_publish_what_a_whole_run_does_even_if_each_is_repeated(night, step, raw):
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
    HiddenProduct.objects.all().delete()  # the run keeps to what was hidden at prepare
    for name in [*MODEL_STEPS, *reversed(MODEL_STEPS), PUBLISH, PUBLISH]:
        assert step(name)
    stepwise = Run.objects.published().get(day=ON)

    assert stepwise.pk != whole.pk
    assert all(rows_of(whole).values())
    assert rows_of(stepwise) == rows_of(whole)
    assert stepwise.counts == whole.counts
    assert stepwise.parameters == whole.parameters
    assert stepwise.inputs == whole.inputs
    assert [each["stage"] for each in stepwise.stages] == [
        *("read raw files", "prepare", "count", *MODEL_STEPS, *reversed(MODEL_STEPS), "audit", "publish")
    ]


def test_what_the_steps_must_agree_on_is_in_the_inputs_while_the_run_is_prepared(step, raw):
    raw.fill(**a_day_of_events())
    step(PREPARE)

    run = Run.objects.get()
    assert run.inputs["prepared"] == {"active": ["a"], "hidden": []}
    assert "prepared" not in run.counts


@pytest.mark.parametrize("name", ["top_ctr", PUBLISH])
def test_a_step_before_prepare_fails(step, name):
    with pytest.raises(NotPrepared, match=f"{DAY} has no prepared run for {name}; run --step prepare first"):
        step(name)


def test_a_step_with_other_options_than_prepare_names_them(step, raw):
    raw.fill(**a_day_of_events())
    step(PREPARE)

    with pytest.raises(ConfigurationError, match="was prepared with top 20, not 5; all steps need the same options"):
        step("top_product", "--top", "5")
    assert states() == ["running"]


@pytest.mark.long
def test_a_day_refused_by_publish_keeps_its_published_lists(night, step, raw):
    raw.fill(**a_day_of_events())
    night()
    raw.fill(views=a_day_of_events()["views"])
    for name in (PREPARE, *MODEL_STEPS):
        assert step(name)

    assert not step(PUBLISH)
    assert states() == ["published", "refused"]
    assert f"ads_views has no rows of {DAY}" in Run.objects.latest("id").message
    assert "prepared" not in Run.objects.latest("id").inputs


@pytest.mark.long
def test_publish_refuses_the_day_if_a_step_is_missing(step, raw):
    raw.fill(**a_day_of_events())
    step(PREPARE)
    step("top_product")

    assert not step(PUBLISH)
    assert "top_ctr has 0 rows but 1 were ranked" in Run.objects.get().message


@pytest.mark.long
@pytest.mark.parametrize("restart", ["a whole run", PREPARE])
def test_starting_the_day_again_abandons_its_prepared_run_and_closes_dead_runs_of_other_days(
    night, step, raw, tmp_path, restart
):
    raw.fill(**a_day_of_events())
    step(PREPARE)
    step("top_product")
    abandoned = Run.objects.get()
    dead = Run.objects.create(day="2026-10-01", state="running")
    step(PREPARE) if restart == PREPARE else night()
    abandoned.refresh_from_db()
    dead.refresh_from_db()

    assert (abandoned.state, abandoned.message) == ("failed", "abandoned between two steps: the day was started again")
    assert (dead.state, dead.message) == ("failed", "the process died without reporting")
    assert "prepared" not in abandoned.inputs
    assert not TopProduct.objects.of(abandoned).exists()
    assert not [path for path in (tmp_path / "lake").rglob(f"run={abandoned.pk}/*") if path.is_file()]


@pytest.mark.long
def test_a_failing_prepare_fails_its_run(step, raw):
    raw.fill().put("product_views.csv", "advertiser_id,date\n")
    with pytest.raises(nightly.Failed):
        step(PREPARE)

    assert states() == ["failed"]


@pytest.mark.long
def test_a_failing_model_step_can_be_retried(step, raw):
    raw.fill(**a_day_of_events())
    step(PREPARE)
    with connection.cursor() as cursor:
        cursor.execute(f"revoke insert on top_product from {BATCH}")
        try:
            with pytest.raises(nightly.Failed, match="permission denied"):
                step("top_product")
        finally:
            cursor.execute(f"grant insert on top_product to {BATCH}")

    assert states() == ["running"]
    for name in (*MODEL_STEPS, PUBLISH):
        assert step(name)


def test_model_steps_run_at_once_and_exclude_everything_else_of_the_day(step, night, raw, other):
    raw.fill(**a_day_of_events())
    step(PREPARE)
    locks.lock_table(other, "top_product", ON)

    assert step("top_ctr")
    for excluded in ("top_product", PREPARE, PUBLISH):
        with pytest.raises(DayIsHeld, match=f"another run holds {DAY}"):
            step(excluded)
    with pytest.raises(DayIsHeld):
        night()


@pytest.mark.long
def test_no_step_starts_while_a_run_is_at_work(step, raw, other):
    raw.fill(**a_day_of_events())
    step(PREPARE)
    locks.lock_day(other, ON)

    for name in (PREPARE, "top_ctr", PUBLISH):
        with pytest.raises(DayIsHeld):
            step(name)


@pytest.mark.long
@pytest.mark.parametrize("arguments", [["--day", "2026-11-21"], ["--day", DAY, "--dry-run"]])
def test_a_lookback_or_a_dry_run_leaves_a_prepared_run_alone(night, step, raw, arguments):
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
def test_a_step_cannot_be_combined_with_ranges_dry_runs_and_replays(others, capsys):
    with pytest.raises(SystemExit) as end:
        nightly.options_from(nightly.parser().parse_args(["--step", PREPARE, *others]), {})

    assert end.value.code == 2
    assert "--step cannot be combined with" in capsys.readouterr().err
