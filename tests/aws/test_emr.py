"""conf/emr: a night by hand, as AWS's own models of its requests see it, and as the stack's schedule sends it."""

import json
import re

import boto3
import pytest
from botocore.validate import ParamValidator

from devstack.package import package
from devstack.s3 import REGION
from devstack.state import ROOT
from spark_jobs import nightly
from tests.aws.template import resources

REQUEST = ROOT / "conf/emr/job-request.json"
STEP = ROOT / "conf/emr/step.json"


def complaints(service, operation, request):
    """Return what AWS's model of an operation finds wrong with a request; an unknown member is wrong."""
    shape = boto3.client(service, region_name=REGION).meta.service_model.operation_model(operation).input_shape
    return ParamValidator().validate(request, shape).generate_report()


def as_the_cli_writes(scheduled):
    """Return a request with its members as the command line names them: the scheduler's begin with a capital."""
    if isinstance(scheduled, dict):
        return {name[0].lower() + name[1:]: as_the_cli_writes(value) for name, value in scheduled.items()}
    return scheduled


def test_the_request_is_one_that_emr_serverless_knows():
    request = json.loads(REQUEST.read_text().replace("JOB_ROLE", "arn:aws:iam::123456789012:role/job"))

    assert complaints("emr-serverless", "StartJobRun", {**request, "clientToken": "token"}) == ""


def test_the_schedule_sends_the_request_of_a_night_by_hand():
    sent = as_the_cli_writes(json.loads(resources("AWS::Scheduler::Schedule")["Nightly"]["Target"]["Input"]))
    by_hand = REQUEST.read_text()
    for placeholder, name in (("APPLICATION", "Application"), ("JOB_ROLE", "JobRole.Arn"), ("BUCKET", "Bucket")):
        by_hand = by_hand.replace(placeholder, f"${{{name}}}")

    assert sent.pop("clientToken") == "<aws.scheduler.execution-id>"
    assert sent == json.loads(by_hand)


def test_the_step_is_one_that_emr_knows():
    [step] = json.loads(STEP.read_text())
    jar = {"Jar": step["Jar"], "Args": step["Args"]}
    as_sent = {"Name": step["Name"], "ActionOnFailure": step["ActionOnFailure"], "HadoopJarStep": jar}

    assert complaints("emr", "AddJobFlowSteps", {"JobFlowId": "j-1", "Steps": [as_sent]}) == ""


@pytest.mark.parametrize("path", [REQUEST, STEP, ROOT / "conf/emr/bootstrap.sh"], ids=lambda path: path.name)
def test_every_object_that_is_named_is_made_by_make_package(path, tmp_path):
    made = {each.name for each in package(tmp_path / "dist")}
    named = set(re.findall(r"/code/([\w.]+)", path.read_text()))

    assert named
    assert named <= made


def test_no_secret_is_an_argument():
    for path in (REQUEST, STEP):
        assert not re.search(r"DATABASE_URL|PASSWORD|SECRET_KEY|ACCESS_KEY", path.read_text())


def test_the_arguments_of_the_steps_job_are_understood():
    [step] = json.loads(STEP.read_text())
    after_the_script = step["Args"][step["Args"].index("s3://BUCKET/code/nightly.py") + 1 :]

    assert nightly.parser().parse_args(after_the_script)
