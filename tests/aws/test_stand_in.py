"""conf/aws/stack.yaml for linters and for a stand-in of AWS; docs/deploy.md says how far that reaches."""

import subprocess

import pytest

from devstack.state import ROOT

pytestmark = pytest.mark.long  # the linters and the stand-in live in environments of their own


def test_cfn_lint_and_checkov_find_nothing():
    said = subprocess.run(["make", "lint-aws"], cwd=ROOT, capture_output=True, text=True, timeout=300)

    assert said.returncode == 0, said.stdout + said.stderr


def test_the_stack_is_created_and_says_where_things_are(created):
    assert created["status"] == "CREATE_COMPLETE"
    assert created["WebRepository"].endswith("/vitrina/web") and created["SparkRepository"].endswith("/vitrina/spark")


def test_the_database_is_private_and_encrypted(account, created):
    [database] = account("rds").describe_db_instances()["DBInstances"]

    assert (database["PubliclyAccessible"], database["StorageEncrypted"]) == (False, True)
    assert len(database["DBSubnetGroup"]["Subnets"]) == 2


def test_only_groups_of_the_stack_are_let_in(account, created):
    groups = [g for g in account("ec2").describe_security_groups()["SecurityGroups"] if g["GroupName"] != "default"]
    own = {group["GroupId"] for group in groups}
    doors = [rule for group in groups for rule in group["IpPermissions"]]

    assert len(groups) == 4
    assert [rule["IpRanges"] + rule["Ipv6Ranges"] for rule in doors if rule["IpRanges"] or rule["Ipv6Ranges"]] == []
    assert {pair["GroupId"] for rule in doors for pair in rule["UserIdGroupPairs"]} <= own


def test_the_bucket_is_encrypted(account, created):
    found = account("s3").get_bucket_encryption(Bucket=created["Bucket"])["ServerSideEncryptionConfiguration"]["Rules"]

    assert found[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_an_image_cannot_be_replaced_under_its_tag(account, created):
    repositories = account("ecr").describe_repositories()["repositories"]

    assert {repository["imageTagMutability"] for repository in repositories} == {"IMMUTABLE"}


def test_alarms_reach_the_address_that_was_given(account, created):
    assert [s["Endpoint"] for s in account("sns").list_subscriptions()["Subscriptions"]] == ["somebody@example.com"]
