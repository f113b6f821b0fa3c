"""The permissions of the job's role are enough for a run, on a moto server that enforces keys and policies."""

import json

import boto3
import pytest

from devstack.s3 import REGION, S3
from tests.aws.template import resources
from tests.contract.test_spark_submit import ACTIVE, ADS, VIEWS
from webapp.rankings.models import Run

CALLS_WITHOUT_AUTH = 7  # moto enforces keys after this many calls: one creates the bucket, six are made by the fixture


@pytest.fixture
def s3_with_policy(tmp_path):
    """The endpoint and the keys of a moto server with raw events, whose only user has the policy of the job's role."""
    server = S3(tmp_path / "strict", bucket="vitrina")
    endpoint = server.start(INITIAL_NO_AUTH_ACTION_COUNT=str(CALLS_WITHOUT_AUTH))
    try:
        for name, content in (("advertiser_ids", ACTIVE), ("product_views", VIEWS), ("ads_views", ADS)):
            server.client().put_object(Bucket="vitrina", Key=f"raw/{name}.csv", Body=content)
        [policy] = resources("AWS::IAM::Role")["JobRole"]["Policies"]
        document = policy["PolicyDocument"]
        # To delete several objects at once, AWS checks the permission for each object, but moto checks it for the bucket.
        document["Statement"].append({"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": "${Bucket.Arn}"})
        filled = json.dumps(document).replace('{"GetAtt": "Bucket.Arn"}', '"${Bucket.Arn}"')
        filled = filled.replace("${Bucket.Arn}", "arn:aws:s3:::vitrina").replace(
            '{"Ref": "BatchUrl"}', '"arn:aws:secret"'
        )
        iam = boto3.client("iam", endpoint_url=endpoint, region_name=REGION)
        iam.create_user(UserName="job")
        iam.put_user_policy(UserName="job", PolicyName="job", PolicyDocument=filled)
        key = iam.create_access_key(UserName="job")["AccessKey"]
        yield {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }
    finally:
        server.stop()


@pytest.mark.long
def test_the_permissions_of_the_jobs_role_are_enough_for_a_run(spark_submit, s3_with_policy):
    code, _, output = spark_submit(RAW_URI="s3a://vitrina/raw", LAKE_URI="s3a://vitrina/lake", **s3_with_policy)

    assert code == 0, output
    assert Run.objects.published().count() == 1


@pytest.mark.long
def test_the_job_cannot_write_outside_its_folders(spark_submit, s3_with_policy):
    code, _, output = spark_submit(RAW_URI="s3a://vitrina/raw", LAKE_URI="s3a://vitrina/elsewhere", **s3_with_policy)

    assert code == 1
    assert "403" in output or "Forbidden" in output
