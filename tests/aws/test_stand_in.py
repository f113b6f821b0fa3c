"""conf/aws/stack.yaml passes the linters and can be created on moto; docs/deploy.md lists what this covers."""

import subprocess

import pytest

from devstack.state import ROOT

pytestmark = pytest.mark.long  # the linters and moto need separate environments


def test_cfn_lint_and_checkov_find_nothing():
    done = subprocess.run(["make", "lint-aws"], cwd=ROOT, capture_output=True, text=True, timeout=300)

    assert done.returncode == 0, done.stdout + done.stderr


def test_the_stack_is_created_with_its_outputs(created):
    assert created["status"] == "CREATE_COMPLETE"
    assert created["WebRepository"].endswith("/vitrina/web") and created["SparkRepository"].endswith("/vitrina/spark")


def test_the_database_is_private_and_encrypted(account, created):
    [database] = account("rds").describe_db_instances()["DBInstances"]

    assert (database["PubliclyAccessible"], database["StorageEncrypted"]) == (False, True)
    assert len(database["DBSubnetGroup"]["Subnets"]) == 2


def test_only_the_stacks_own_security_groups_are_allowed_in(account, created):
    groups = [g for g in account("ec2").describe_security_groups()["SecurityGroups"] if g["GroupName"] != "default"]
    own = {group["GroupId"] for group in groups}
    rules = [rule for group in groups for rule in group["IpPermissions"]]

    assert len(groups) == 4
    assert [rule["IpRanges"] + rule["Ipv6Ranges"] for rule in rules if rule["IpRanges"] or rule["Ipv6Ranges"]] == []
    assert {pair["GroupId"] for rule in rules for pair in rule["UserIdGroupPairs"]} <= own


def test_the_bucket_is_encrypted(account, created):
    found = account("s3").get_bucket_encryption(Bucket=created["Bucket"])["ServerSideEncryptionConfiguration"]["Rules"]

    assert found[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"


def test_image_tags_are_immutable(account, created):
    repositories = account("ecr").describe_repositories()["repositories"]

    assert {repository["imageTagMutability"] for repository in repositories} == {"IMMUTABLE"}


def test_alerts_go_to_the_given_address(account, created):
    assert [s["Endpoint"] for s in account("sns").list_subscriptions()["Subscriptions"]] == ["somebody@example.com"]
