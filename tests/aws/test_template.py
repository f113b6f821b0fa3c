"""What conf/aws/stack.yaml says of who may do what; test_stand_in.py creates it."""

import json

import pytest

from tests.aws.template import TEMPLATE, resources


def listed(value):
    return value if isinstance(value, list) else [value]


def rights(role):
    """Return what a role may: pairs of an action and a resource."""
    policies = [policy["PolicyDocument"] for policy in role.get("Policies", [])]
    statements = [statement for policy in policies for statement in policy["Statement"]]
    assert {statement["Effect"] for statement in statements} <= {"Allow"}
    return [(a, r) for s in statements for a in listed(s["Action"]) for r in listed(s["Resource"])]


def test_nobody_is_let_in_by_address():
    doors = [
        rule
        for group in resources("AWS::EC2::SecurityGroup").values()
        for rule in group.get("SecurityGroupIngress", [])
    ]
    doors += resources("AWS::EC2::SecurityGroupIngress").values()

    assert doors
    assert all("SourceSecurityGroupId" in rule and "CidrIp" not in rule for rule in doors)


def test_the_database_is_reached_by_job_and_web_alone():
    [database] = resources("AWS::RDS::DBInstance").values()
    doors = resources("AWS::EC2::SecurityGroup")["DatabaseGroup"]["SecurityGroupIngress"]

    assert database["VPCSecurityGroups"] == [{"Ref": "DatabaseGroup"}]
    assert [rule["SourceSecurityGroupId"] for rule in doors] == [{"Ref": "JobGroup"}, {"Ref": "WebGroup"}]
    assert {(rule["FromPort"], rule["ToPort"]) for rule in doors} == {(5432, 5432)}


def test_the_databases_subnets_have_no_way_to_the_internet():
    [subnets] = resources("AWS::RDS::DBSubnetGroup").values()
    tables = {
        a["SubnetId"]["Ref"]: a["RouteTableId"]["Ref"]
        for a in resources("AWS::EC2::SubnetRouteTableAssociation").values()
    }
    ways_out = {route["RouteTableId"]["Ref"] for route in resources("AWS::EC2::Route").values()}

    assert {tables[subnet["Ref"]] for subnet in subnets["SubnetIds"]} & ways_out == set()


def test_the_database_speaks_tls_or_nothing():
    [database] = resources("AWS::RDS::DBInstance").values()
    settings = resources("AWS::RDS::DBParameterGroup")[database["DBParameterGroupName"]["Ref"]]

    assert settings["Parameters"]["rds.force_ssl"] == "1"


def test_no_password_stands_in_the_template():
    for secret in resources("AWS::SecretsManager::Secret").values():
        assert "GenerateSecretString" in secret or "{{resolve:secretsmanager:" in secret["SecretString"]
    [database] = resources("AWS::RDS::DBInstance").values()
    assert database["MasterUserPassword"] == "{{resolve:secretsmanager:${OwnerPassword}}}"


@pytest.mark.parametrize("name", resources("AWS::IAM::Role"))
def test_only_logging_in_to_the_registry_is_allowed_for_everything(name):
    role = resources("AWS::IAM::Role")[name]

    assert {action for action, resource in rights(role) if resource == "*"} <= {"ecr:GetAuthorizationToken"}
    assert not [action for action, _ in rights(role) if "*" in action]


def test_the_job_writes_to_lake_and_logs_and_reads_one_secret():
    may = rights(resources("AWS::IAM::Role")["JobRole"])

    assert {resource for action, resource in may if action in ("s3:PutObject", "s3:DeleteObject")} == {
        "${Bucket.Arn}/lake/*",
        "${Bucket.Arn}/logs/*",
    }
    assert [resource for action, resource in may if action.startswith("secretsmanager:")] == [{"Ref": "BatchUrl"}]
    assert [
        action for action, resource in may if action == "s3:DeleteObject" and resource != "${Bucket.Arn}/lake/*"
    ] == []


def test_the_web_app_knows_neither_the_owners_nor_the_batchs_password():
    may = rights(resources("AWS::IAM::Role")["WebStart"])

    assert [r for action, r in may if action.startswith("secretsmanager:")] == [{"Ref": "WebUrl"}, {"Ref": "WebKey"}]


def test_no_secret_is_a_plain_variable_or_an_argument():
    containers = [c for task in resources("AWS::ECS::TaskDefinition").values() for c in task["ContainerDefinitions"]]
    containers += [web["PrimaryContainer"] for web in resources("AWS::ECS::ExpressGatewayService").values()]
    plain = {variable["Name"] for container in containers for variable in container["Environment"]}

    assert (
        plain & {"DATABASE_URL", "SECRET_KEY", "BATCH_PASSWORD", "WEB_PASSWORD", "DJANGO_SUPERUSER_PASSWORD"} == set()
    )
    assert "resolve" not in json.dumps(resources("AWS::Scheduler::Schedule"))


def test_the_night_starts_at_four_utc():
    night = resources("AWS::Scheduler::Schedule")["Nightly"]

    assert (night["ScheduleExpression"], night["ScheduleExpressionTimezone"]) == ("cron(0 4 * * ? *)", "UTC")


def test_silence_rings_the_freshness_alarm_and_the_words_it_waits_for_are_the_commands():
    [alarm] = resources("AWS::CloudWatch::Alarm").values()
    [words] = resources("AWS::Logs::MetricFilter").values()
    told = (TEMPLATE.parents[2] / "webapp/rankings/health.py").read_text()

    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["MetricName"] == words["MetricTransformations"][0]["MetricName"]
    assert words["FilterPattern"].strip('"') in told
