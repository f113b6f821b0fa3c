"""Network access, permissions and secrets in conf/aws/stack.yaml; test_stand_in.py creates the stack."""

import json
import re

import pytest

from tests.aws.template import TEMPLATE, resources, section
from webapp.operations.pruning import LEAST_DAYS

CALLS_OF_THE_DAG = {"GetApplication", "StartApplication", "StartJobRun", "GetJobRun", "CancelJobRun"}
"""What the operator of conf/schedule/airflow/vitrina_emr.py calls, read in its source."""


def listed(value):
    return value if isinstance(value, list) else [value]


def permissions(role):
    """Return what a role allows, as pairs of action and resource."""
    policies = [policy["PolicyDocument"] for policy in role.get("Policies", [])]
    statements = [statement for policy in policies for statement in policy["Statement"]]
    assert {statement["Effect"] for statement in statements} <= {"Allow"}
    return [(a, r) for s in statements for a in listed(s["Action"]) for r in listed(s["Resource"])]


def test_no_ingress_rule_allows_an_ip_address():
    rules = [
        rule
        for group in resources("AWS::EC2::SecurityGroup").values()
        for rule in group.get("SecurityGroupIngress", [])
    ]
    rules += resources("AWS::EC2::SecurityGroupIngress").values()

    assert rules
    assert all("SourceSecurityGroupId" in rule and "CidrIp" not in rule for rule in rules)


def test_only_job_and_web_can_connect_to_the_database():
    [database] = resources("AWS::RDS::DBInstance").values()
    rules = resources("AWS::EC2::SecurityGroup")["DatabaseGroup"]["SecurityGroupIngress"]

    assert database["VPCSecurityGroups"] == [{"Ref": "DatabaseGroup"}]
    assert [rule["SourceSecurityGroupId"] for rule in rules] == [{"Ref": "JobGroup"}, {"Ref": "WebGroup"}]
    assert {(rule["FromPort"], rule["ToPort"]) for rule in rules} == {(5432, 5432)}


def test_the_databases_subnets_have_no_route_to_the_internet():
    [subnets] = resources("AWS::RDS::DBSubnetGroup").values()
    tables = {
        a["SubnetId"]["Ref"]: a["RouteTableId"]["Ref"]
        for a in resources("AWS::EC2::SubnetRouteTableAssociation").values()
    }
    internet_tables = {route["RouteTableId"]["Ref"] for route in resources("AWS::EC2::Route").values()}

    assert {tables[subnet["Ref"]] for subnet in subnets["SubnetIds"]} & internet_tables == set()


def test_the_database_requires_tls():
    [database] = resources("AWS::RDS::DBInstance").values()
    settings = resources("AWS::RDS::DBParameterGroup")[database["DBParameterGroupName"]["Ref"]]

    assert settings["Parameters"]["rds.force_ssl"] == "1"


def test_the_template_contains_no_password():
    for secret in resources("AWS::SecretsManager::Secret").values():
        assert "GenerateSecretString" in secret or "{{resolve:secretsmanager:" in secret["SecretString"]
    [database] = resources("AWS::RDS::DBInstance").values()
    assert database["MasterUserPassword"]["If"][2] == "{{resolve:secretsmanager:${OwnerPassword}}}"


@pytest.mark.parametrize("name", resources("AWS::IAM::Role"))
def test_no_role_has_wildcard_permissions_except_the_registry_login(name):
    role = resources("AWS::IAM::Role")[name]

    assert {action for action, resource in permissions(role) if resource == "*"} <= {"ecr:GetAuthorizationToken"}
    assert not [action for action, _ in permissions(role) if "*" in action]


def test_the_job_writes_to_lake_and_logs_and_reads_one_secret():
    allowed = permissions(resources("AWS::IAM::Role")["JobRole"])

    assert {resource for action, resource in allowed if action in ("s3:PutObject", "s3:DeleteObject")} == {
        "${Bucket.Arn}/lake/*",
        "${Bucket.Arn}/logs/*",
    }
    assert [resource for action, resource in allowed if action.startswith("secretsmanager:")] == [{"Ref": "BatchUrl"}]
    assert [
        action for action, resource in allowed if action == "s3:DeleteObject" and resource != "${Bucket.Arn}/lake/*"
    ] == []


def test_the_web_app_cannot_read_the_passwords_of_owner_and_batch():
    allowed = permissions(resources("AWS::IAM::Role")["WebStart"])

    assert [r for action, r in allowed if action.startswith("secretsmanager:")] == [
        {"Ref": "WebUrl"},
        {"Ref": "WebKey"},
    ]


def test_no_secret_is_a_plain_environment_variable_or_an_argument():
    containers = [c for task in resources("AWS::ECS::TaskDefinition").values() for c in task["ContainerDefinitions"]]
    containers += [web["PrimaryContainer"] for web in resources("AWS::ECS::ExpressGatewayService").values()]
    plain = {variable["Name"] for container in containers for variable in container["Environment"]}

    assert (
        plain & {"DATABASE_URL", "SECRET_KEY", "BATCH_PASSWORD", "WEB_PASSWORD", "DJANGO_SUPERUSER_PASSWORD"} == set()
    )
    assert "resolve" not in json.dumps(resources("AWS::Scheduler::Schedule"))


def test_the_nightly_job_starts_at_four_utc():
    nightly = resources("AWS::Scheduler::Schedule")["Nightly"]

    assert (nightly["ScheduleExpression"], nightly["ScheduleExpressionTimezone"]) == ("cron(0 4 * * ? *)", "UTC")


def test_either_the_schedule_or_airflow_starts_the_night():
    nightly = resources("AWS::Scheduler::Schedule")["Nightly"]
    [policy] = resources("AWS::IAM::ManagedPolicy").values()

    assert nightly["State"] == {"If": ["IsStartedByAirflow", "DISABLED", "ENABLED"]}
    assert section("Parameters")["NightlyBy"]["Default"] == "schedule"
    assert section("Resources")["AirflowPolicy"]["Condition"] == "IsStartedByAirflow"
    assert section("Outputs")["AirflowPolicy"] == {"Condition": "IsStartedByAirflow", "Value": {"Ref": "AirflowPolicy"}}
    assert {action for action, _ in permissions({"Policies": [policy]})} == {
        *(f"emr-serverless:{call}" for call in CALLS_OF_THE_DAG),
        "iam:PassRole",
    }
    assert [r for a, r in permissions({"Policies": [policy]}) if a == "iam:PassRole"] == [{"GetAtt": "JobRole.Arn"}]


def test_a_failed_freshness_check_and_a_missing_one_both_count_as_zero():
    alarm = resources("AWS::CloudWatch::Alarm")["Overdue"]
    check = resources("AWS::ECS::TaskDefinition")["Freshness"]["ContainerDefinitions"][0]
    [success] = resources("AWS::Logs::MetricFilter").values()
    [metric] = success["MetricTransformations"]
    fresh = alarm["Metrics"][1]["MetricStat"]
    command = (TEMPLATE.parents[2] / "webapp/operations/health.py").read_text()

    assert (metric["MetricValue"], metric["DefaultValue"]) == ("1", 0)
    assert success["FilterPattern"].strip('"') in command
    assert check["LogConfiguration"]["Options"]["awslogs-group"] == success["LogGroupName"] == {"Ref": "FreshnessLog"}
    assert alarm["Metrics"][0]["Expression"] == "FILL(fresh, 0)"
    assert (fresh["Metric"]["MetricName"], fresh["Stat"]) == (metric["MetricName"], "Minimum")
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert alarm["TreatMissingData"] == "breaching"


def test_every_alarm_and_every_failed_run_is_mailed():
    alarms = resources("AWS::CloudWatch::Alarm")
    [rule] = resources("AWS::Events::Rule").values()

    assert {*alarms} == {"Overdue", "DatabaseIsFull", "DatabaseIsBusy", "WebFails", "WebIsUnhealthy"}
    assert [alarm["AlarmActions"] for alarm in alarms.values()] == [[{"Ref": "Alerts"}]] * len(alarms)
    assert rule["EventPattern"]["detail"] == {
        "applicationId": [{"Ref": "Application"}],
        "state": ["FAILED", "CANCELLED"],
    }
    assert rule["Targets"][0]["Arn"] == {"Ref": "Alerts"}


def test_emr_serverless_which_knows_no_exit_codes_does_not_repeat_a_refused_day():
    assert "RetryPolicy" not in resources("AWS::Scheduler::Schedule")["Nightly"]["Target"]["Input"]


def test_old_days_are_pruned_every_week_and_nothing_in_the_bucket_but_events_and_counts_stays_forever():
    prune = resources("AWS::Scheduler::Schedule")["Prune"]["Target"]
    [overridden] = json.loads(prune["Input"])["containerOverrides"]
    rules = resources("AWS::S3::Bucket")["Bucket"]["LifecycleConfiguration"]["Rules"]
    keep_days = section("Parameters")["KeepDays"]

    assert overridden["command"][2:] == ["prune_runs", "--keep", "2", "--days", "${KeepDays}"]
    assert keep_days["MinValue"] == LEAST_DAYS
    assert {rule["Prefix"] for rule in rules if "ExpirationInDays" in rule} == {
        "logs/",
        "lake/scratch/",
        "lake/rejects/",
    }
    assert [rule["NoncurrentVersionExpiration"] for rule in rules if rule.get("ExpiredObjectDeleteMarker")] == [
        {"NoncurrentDays": 7}
    ]


def test_connections_verify_the_database_with_the_certificates_in_both_images():
    [path] = re.findall(r"^sslmode=verify-full&sslrootcert=(.*)$", section("Parameters")["DatabaseTls"]["Default"])

    assert f"COPY rds.pem {path}\n" in (TEMPLATE.parents[1] / "emr/Dockerfile").read_text()
    assert f"COPY rds.pem {path}\\n" in (TEMPLATE.parent / "deploy").read_text()
    assert f"tee {path} " in (TEMPLATE.parents[1] / "emr/bootstrap.sh").read_text()


def test_there_is_one_web_task_because_each_counts_requests_by_itself():
    [web] = resources("AWS::ECS::ExpressGatewayService").values()

    assert web["ScalingTarget"] == {"MinTaskCount": 1, "MaxTaskCount": 1}


def test_job_code_and_images_have_one_tag_and_only_migrations_come_before():
    tasks = resources("AWS::ECS::TaskDefinition")
    images = {name: task["ContainerDefinitions"][0]["Image"] for name, task in tasks.items()}
    images["Web"] = resources("AWS::ECS::ExpressGatewayService")["Web"]["PrimaryContainer"]["Image"]
    images["Application"] = resources("AWS::EMRServerless::Application")["Application"]["ImageConfiguration"][
        "ImageUri"
    ]
    code = re.findall(r"code/([^/]+)/", resources("AWS::Scheduler::Schedule")["Nightly"]["Target"]["Input"])

    assert {name: image.rpartition(":")[2] for name, image in images.items()} == {
        "Web": "${ImageTag}", "Application": "${ImageTag}", "Freshness": "${ImageTag}", "Manage": "${ManageTag}",
    }  # fmt: skip
    assert code == ["${ImageTag}"] * 2


def test_the_template_fits_into_a_request():
    """CloudFormation takes a larger one only from S3."""
    assert TEMPLATE.stat().st_size <= 51_200
