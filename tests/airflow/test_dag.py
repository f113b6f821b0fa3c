"""conf/schedule/airflow by a real Airflow 3 in an environment of its own: parsed, and dag runs executed to their ends."""

import json
import os
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from devstack.state import ROOT
from spark_jobs.steps import STEPS
from tests.conftest import DAY
from tests.contract.test_spark_submit import ACTIVE, ADS, VIEWS
from webapp.rankings.models import Run, TopProduct

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

NIGHT = "2026-11-21T04:00:00+00:00"
DAG = ROOT / "conf/schedule/airflow/vitrina.py"
ITS_PROGRAMS = ROOT / ".venv-airflow" / "bin"
ASK = """
import json, os
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
dag = bag.get_dag("vitrina")
print(json.dumps({
    "errors": bag.import_errors,
    "order": {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks},
    "retries": sorted({task.retries for task in dag.tasks}),
    "schedule": [dag.timetable.expression, str(dag.timetable.timezone)],
    "catchup": dag.catchup,
    "at_once": dag.max_active_runs,
}))
"""


class Airflow:
    """An Airflow with a folder and a SQLite of its own, the DAG in it with a first night before the one that is run."""

    def __init__(self, folder: Path, **environment: str) -> None:
        dags = folder / "dags"
        dags.mkdir()
        (dags / DAG.name).write_text(DAG.read_text().replace("datetime(2026, 11, 25,", "datetime(2026, 11, 20,"))
        self.database = folder / "airflow.db"
        self.environment = {
            **os.environ,
            **environment,
            "PATH": "/usr/bin:/bin",  # a worker need not know of the checkout's programs
            "VITRINA_HOME": str(ROOT),
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.database}",
        }
        self.environment.pop("PYTHONPATH", None)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ITS_PROGRAMS / command[0], *command[1:]],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    def became(self) -> dict[str, tuple[str, int]]:
        """Return by task of the last dag run its state, and how often it was tried."""
        with closing(sqlite3.connect(self.database)) as database:
            rows = database.execute(
                "select task_id, task_instance.state, try_number from task_instance join dag_run using (dag_id, run_id)"
                " where dag_run.id = (select max(id) from dag_run)"
            )
            return {task: (state, tries) for task, state, tries in rows}


@pytest.fixture
def airflow(tmp_path, url, prefix):
    assert ITS_PROGRAMS.exists(), "there is no Airflow here; `make .venv-airflow/ready` makes its environment"
    airflow = Airflow(tmp_path, DATABASE_URL=url, RAW_URI=f"{prefix}/raw", LAKE_URI=f"{prefix}/lake")
    made = airflow.run("airflow", "db", "migrate")
    assert made.returncode == 0, made.stderr
    return airflow


def test_airflow_runs_the_night_and_a_refused_one_is_not_tried_again(airflow, bucket):
    asked = airflow.run("python", "-c", ASK)
    found = json.loads(asked.stdout.splitlines()[-1])

    assert found == {
        "errors": {},
        "order": {
            "prepare": ["top_ctr", "top_product", "trending"],
            **{model: ["publish"] for model in ("top_product", "top_ctr", "trending")},
            "publish": [],
        },
        "retries": [2],
        "schedule": ["0 4 * * *", "UTC"],
        "catchup": True,
        "at_once": 1,
    }
    assert found["order"].keys() == set(STEPS)

    bucket(advertiser_ids=ACTIVE, product_views=VIEWS, ads_views=ADS)
    said = airflow.run("airflow", "dags", "test", "vitrina", NIGHT)

    assert airflow.became() == dict.fromkeys(STEPS, ("success", 1)), said.stdout + said.stderr
    published = Run.objects.published().get()
    assert str(published.day) == DAY
    assert list(TopProduct.objects.of(published).order_by("rank").values_list("product_id", flat=True)) == ["p", "q"]

    bucket(ads_views=ADS.splitlines(keepends=True)[0])
    airflow.run("airflow", "dags", "test", "vitrina", NIGHT)

    assert airflow.became() == {**dict.fromkeys(STEPS, ("success", 1)), "publish": ("failed", 1)}
    assert Run.objects.published().get() == published
    assert f"ads_views has no rows of {DAY}" in Run.objects.latest("id").message
