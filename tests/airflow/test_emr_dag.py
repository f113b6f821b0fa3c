"""The DAG for EMR Serverless in a real Airflow 3, with a stand-in for the service that runs the packaged job."""

import json

import pytest

from devstack.package import package
from devstack.state import ROOT
from spark_jobs import nightly
from spark_jobs.ranking.registry import MODELS
from spark_jobs.steps import STEPS
from tests.airflow.emr_serverless import APPLICATION, BUCKET, ROLE, TAG, EmrServerless
from tests.airflow.test_dag import NIGHT
from tests.conftest import DAY
from tests.contract.test_spark_submit import ACTIVE, ADS, VIEWS
from webapp.rankings.models import Run, TopProduct

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

HOW_FAILURES_ARE_RAISED = """
import json, os, sys
sys.path.append(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
from vitrina_emr import step
raised = {}
for ending in ("ExitCode: 1. Last few exceptions:", "ExitCode: 2.", "ExitCode: 3.", "ExitCode: 4.", "ExitCode: 137.", ""):
    try:
        step("prepare").execute_complete({}, {"status": "failure", "message": f"Serverless Job failed: FAILED - {ending}"})
    except Exception as error:
        raised[ending.partition(".")[0]] = type(error).__name__
print(json.dumps(raised))
"""


@pytest.fixture
def emr_serverless(airflow, url, prefix, tmp_path, chat):
    """The stand-in, with the packaged job. Airflow knows it, and its variables, from the environment."""
    package(tmp_path / "code")
    places = {"DATABASE_URL": url, "RAW_URI": f"{prefix}/raw", "LAKE_URI": f"{prefix}/lake"}
    service = EmrServerless(tmp_path / "code", places)
    airflow.environment |= {
        "AWS_ENDPOINT_URL_EMR_SERVERLESS": service.address(),
        "AWS_DEFAULT_REGION": "us-east-1",
        "AIRFLOW_VAR_VITRINA_APPLICATION": APPLICATION,
        "AIRFLOW_VAR_VITRINA_JOB_ROLE": ROLE,
        "AIRFLOW_VAR_VITRINA_BUCKET": BUCKET,
        "AIRFLOW_VAR_VITRINA_ALERT_URL": airflow.environment.pop("VITRINA_ALERT_URL"),
    }
    yield service
    service.stop()


def the_request_by_hand():
    """Return conf/emr/job-request.json, filled in; the application's id is part of the address."""
    text = (ROOT / "conf/emr/job-request.json").read_text()
    for placeholder, value in {"JOB_ROLE": ROLE, "BUCKET": BUCKET, "TAG": TAG}.items():
        text = text.replace(placeholder, value)
    request = json.loads(text)
    del request["applicationId"]
    return request


def test_every_step_is_a_job_run_and_a_refused_day_is_reported_without_a_retry(airflow, emr_serverless, bucket, chat):
    bucket(advertiser_ids=ACTIVE, product_views=VIEWS, ads_views=ADS)
    ended = airflow.run("airflow", "dags", "test", "vitrina_emr", NIGHT)

    assert airflow.task_states() == dict.fromkeys(STEPS, ("success", 1)), ended.stdout + ended.stderr
    published = Run.objects.published().get()
    assert list(TopProduct.objects.of(published).order_by("rank").values_list("product_id", flat=True)) == ["p", "q"]
    assert chat[0] == []

    asked_for = [
        request["jobDriver"]["sparkSubmit"].pop("entryPointArguments")
        for request in emr_serverless.requests
        if request.pop("clientToken")
    ]
    assert sorted(asked_for) == sorted(["--day", DAY, "--step", step] for step in STEPS)
    assert emr_serverless.requests == [the_request_by_hand()] * len(STEPS)

    bucket(ads_views=ADS.splitlines(keepends=True)[0])
    airflow.run("airflow", "dags", "test", "--mark-success-pattern", "|".join(MODELS), "vitrina_emr", NIGHT)

    assert airflow.task_states() == {**dict.fromkeys(STEPS, ("success", 1)), "publish": ("failed", 1)}
    assert Run.objects.published().get() == published
    assert [message.partition(" Its log:")[0] for message in chat[0]] == [
        f"Vitrina: the step publish of {DAY} has failed."
    ]


def test_failures_are_retried_except_a_refused_day_and_wrong_options(bare_airflow):
    assert bare_airflow.evaluate(HOW_FAILURES_ARE_RAISED) == {
        f"ExitCode: {nightly.FAILED}": "AirflowException",
        f"ExitCode: {nightly.MISCONFIGURED}": "AirflowFailException",
        f"ExitCode: {nightly.REFUSED}": "AirflowFailException",
        f"ExitCode: {nightly.HELD}": "AirflowException",
        "ExitCode: 137": "AirflowException",
        "": "AirflowException",
    }
