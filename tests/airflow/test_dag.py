"""conf/schedule/airflow in a real Airflow 3: both DAGs are parsed, and the one for a machine with Spark is executed."""

import pytest

from spark_jobs.ranking.registry import MODELS
from spark_jobs.steps import STEPS
from tests.conftest import DAY
from tests.contract.test_spark_submit import ACTIVE, ADS, VIEWS
from webapp.rankings.models import Run, TopProduct

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

NIGHT = "2026-11-21T04:00:00+00:00"
DESCRIBE = """
import json, os, pathlib
from airflow.dag_processing.dagbag import BundleDagBag
folder = pathlib.Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
bag = BundleDagBag(dag_folder=folder, bundle_path=folder, bundle_name="dags-folder")
assert not bag.import_errors, bag.import_errors
print(json.dumps({
    name: {
        "order": {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks},
        "retries": sorted({task.retries for task in dag.tasks}),
        "reports failures": all(task.on_failure_callback for task in dag.tasks),
        "schedule": [dag.timetable.expression, str(dag.timetable.timezone)],
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
    }
    for name, dag in bag.dags.items()
}))
"""


def test_both_dags_are_parsed_and_run_the_same_steps_at_the_same_time(bare_airflow):
    dags = bare_airflow.evaluate(DESCRIBE)

    assert dags["vitrina"] == {
        "order": {
            "prepare": sorted(MODELS),
            **{model: ["publish"] for model in MODELS},
            "publish": [],
        },
        "retries": [2],
        "reports failures": True,
        "schedule": ["0 4 * * *", "UTC"],
        "catchup": True,
        "max_active_runs": 1,
    }
    assert dags["vitrina"]["order"].keys() == set(STEPS)
    assert dags == {"vitrina": dags["vitrina"], "vitrina_emr": dags["vitrina"]}


def test_airflow_runs_every_step_and_reports_a_refused_day_without_a_retry(airflow, bucket, chat):
    bucket(advertiser_ids=ACTIVE, product_views=VIEWS, ads_views=ADS)
    ended = airflow.run("airflow", "dags", "test", "vitrina", NIGHT)

    assert airflow.task_states() == dict.fromkeys(STEPS, ("success", 1)), ended.stdout + ended.stderr
    published = Run.objects.published().get()
    assert str(published.day) == DAY
    assert list(TopProduct.objects.of(published).order_by("rank").values_list("product_id", flat=True)) == ["p", "q"]

    assert chat[0] == []

    bucket(ads_views=ADS.splitlines(keepends=True)[0])
    airflow.run("airflow", "dags", "test", "vitrina", NIGHT)

    assert airflow.task_states() == {**dict.fromkeys(STEPS, ("success", 1)), "publish": ("failed", 1)}
    assert Run.objects.published().get() == published
    assert f"ads_views has no rows of {DAY}" in Run.objects.latest("id").message
    assert [message.partition(" Its log:")[0] for message in chat[0]] == [
        f"Vitrina: the step publish of {DAY} has failed."
    ]
