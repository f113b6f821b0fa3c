"""conf/emr and the stack agree: one release, one Python, the same request by hand and by schedule, valid for AWS."""

import json
import re
import tomllib
from itertools import pairwise

import boto3
import pytest
from botocore.validate import ParamValidator

from devstack.package import package
from devstack.s3 import REGION
from devstack.state import ROOT
from spark_jobs import nightly
from spark_jobs.session import ON_EVERY_CLUSTER
from tests.aws.template import resources, section
from tests.spark.test_versions import EMR

REQUEST = ROOT / "conf/emr/job-request.json"
STEP = ROOT / "conf/emr/step.json"
IMAGE = ROOT / "conf/emr/Dockerfile"
BOOTSTRAP = ROOT / "conf/emr/bootstrap.sh"
PYTHON = "/usr/bin/python3.11"
RELEASES = {"emr-spark-8.0.0": "4.0.2", "emr-spark-8.1.0": "4.1.1"}
"""The release of Spark in each release of EMR, from AWS's release guide."""


def validation_errors(service, operation, request):
    """Validate a request against boto3's model of the operation; an unknown member is an error too."""
    shape = boto3.client(service, region_name=REGION).meta.service_model.operation_model(operation).input_shape
    return ParamValidator().validate(request, shape).generate_report()


def with_cli_names(scheduled):
    """Rename the members of a scheduler request, which begin with a capital, to those that the AWS CLI uses."""
    if isinstance(scheduled, dict):
        return {name[0].lower() + name[1:]: with_cli_names(value) for name, value in scheduled.items()}
    return scheduled


def test_the_request_is_valid_for_emr_serverless():
    request = json.loads(REQUEST.read_text().replace("JOB_ROLE", "arn:aws:iam::123456789012:role/job"))

    assert validation_errors("emr-serverless", "StartJobRun", {**request, "clientToken": "token"}) == ""


def test_the_schedule_sends_the_same_request_as_a_run_by_hand():
    sent = with_cli_names(json.loads(resources("AWS::Scheduler::Schedule")["Nightly"]["Target"]["Input"]))
    by_hand = REQUEST.read_text()
    names = {"APPLICATION": "Application", "JOB_ROLE": "JobRole.Arn", "BUCKET": "Bucket", "TAG": "ImageTag"}
    for placeholder, name in names.items():
        by_hand = by_hand.replace(placeholder, f"${{{name}}}")

    assert sent.pop("clientToken") == "<aws.scheduler.execution-id>"
    assert sent == json.loads(by_hand)


def test_the_step_is_valid_for_emr():
    [step] = json.loads(STEP.read_text())
    jar = {"Jar": step["Jar"], "Args": step["Args"]}
    request = {"Name": step["Name"], "ActionOnFailure": step["ActionOnFailure"], "HadoopJarStep": jar}

    assert validation_errors("emr", "AddJobFlowSteps", {"JobFlowId": "j-1", "Steps": [request]}) == ""


@pytest.mark.parametrize("path", [REQUEST, STEP, BOOTSTRAP], ids=lambda path: path.name)
def test_every_file_they_use_is_deployed(path, tmp_path):
    written = {each.name for each in package(tmp_path / "dist")}
    used = set(re.findall(r"(?:/code/TAG|\$code)/([\w.]+)", path.read_text()))

    assert used
    assert used <= written | {"rds.pem"}  # conf/aws/deploy adds it


def test_no_secret_is_an_argument():
    for path in (REQUEST, STEP):
        assert not re.search(r"DATABASE_URL|PASSWORD|SECRET_KEY|ACCESS_KEY", path.read_text())


def test_nightly_accepts_the_arguments_of_the_step():
    [step] = json.loads(STEP.read_text())
    arguments = step["Args"][step["Args"].index("s3://BUCKET/code/TAG/nightly.py") + 1 :]

    assert nightly.parser().parse_args(arguments)


def settings_of_the_application():
    [defaults] = resources("AWS::EMRServerless::Application")["Application"]["RuntimeConfiguration"]
    return defaults["Properties"]


def settings_of_the_step():
    [step] = json.loads(STEP.read_text())
    return dict(value.split("=", 1) for option, value in pairwise(step["Args"]) if option == "--conf")


def test_stack_image_and_test_environment_have_the_same_release():
    release = section("Parameters")["EmrRelease"]["Default"]
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]

    assert f"ARG RELEASE={release}\n" in IMAGE.read_text()
    assert RELEASES[release] == EMR
    assert f"pyspark=={EMR}" in groups["emr"]
    assert f"pyspark>={EMR},<4.2" in groups["spark"]


def test_driver_executors_and_application_master_use_the_python_that_has_the_packages():
    application, step = settings_of_the_application(), settings_of_the_step()

    assert {name: value for name, value in application.items() if "PYTHON" in name} == {
        "spark.emr-serverless.driverEnv.PYSPARK_DRIVER_PYTHON": PYTHON,
        "spark.emr-serverless.driverEnv.PYSPARK_PYTHON": PYTHON,
        "spark.executorEnv.PYSPARK_PYTHON": PYTHON,
    }
    assert step["spark.yarn.appMasterEnv.PYSPARK_PYTHON"] == step["spark.executorEnv.PYSPARK_PYTHON"] == PYTHON
    for path in (IMAGE, BOOTSTRAP):
        assert set(re.findall(r"(\S*python\S*) -m pip install", path.read_text())) == {PYTHON}


def test_the_image_imports_the_job_before_it_is_complete():
    assert f'{PYTHON} -c "import boto3, spark_jobs.nightly"' in IMAGE.read_text()


@pytest.mark.parametrize("settings", [settings_of_the_application, settings_of_the_step])
def test_emr_changes_no_setting_of_the_session_and_has_no_comet(settings):
    """The session sets them on every cluster, so neither EMR's configuration nor conf/spark-defaults.conf repeats them."""
    names = settings().keys()

    assert names & ON_EVERY_CLUSTER.keys() == set()
    assert [
        name for name in names if "comet" in name.lower() or name in ("spark.plugins", "spark.shuffle.manager")
    ] == []
    assert not set(re.findall(r"^spark\S+", (ROOT / "conf/spark-defaults.conf").read_text(), re.MULTILINE)) & {
        *ON_EVERY_CLUSTER
    }


def test_a_run_fits_into_the_application_and_the_quota_of_a_new_account_and_others_wait():
    application, settings = resources("AWS::EMRServerless::Application")["Application"], settings_of_the_application()
    executors, cores = settings["spark.dynamicAllocation.maxExecutors"], settings["spark.executor.cores"]
    needed = int(settings["spark.driver.cores"]) + int(executors) * int(cores)

    assert needed <= int(application["MaximumCapacity"]["Cpu"].removesuffix(" vCPU")) <= 16
    assert application["SchedulerConfiguration"]["MaxConcurrentRuns"] == 1


def test_the_zones_are_parameters_and_those_without_emr_serverless_are_refused():
    subnets = resources("AWS::EC2::Subnet").values()
    [*allowed] = section("Rules")["ZonesWithEmrServerless"]["Assertions"]

    assert sorted(subnet["AvailabilityZoneId"]["Ref"] for subnet in subnets) == ["ZoneA", "ZoneA", "ZoneB", "ZoneB"]
    assert [rule["Assert"]["Fn::Contains"] for rule in allowed] == [
        [[f"use1-az{number}" for number in (1, 2, 4, 5, 6)], {"Ref": zone}] for zone in ("ZoneA", "ZoneB")
    ]
