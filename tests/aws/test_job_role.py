"""The job's role has enough: a night with its policy alone, on a moto that asks for keys and looks at policies."""

import json

import boto3
import pytest

from devstack.s3 import REGION, S3
from tests.aws.template import resources
from tests.contract.test_spark_submit import ACTIVE, ADS, VIEWS
from webapp.rankings.models import Run

UNASKED = 7  # calls that moto lets pass before it asks for keys: the bucket's, and those of the fixture below


@pytest.fixture
def strict(tmp_path):
    """A moto whose bucket `vitrina` has raw events, and whose only user has the job's policy; its endpoint and the keys."""
    server = S3(tmp_path / "strict", bucket="vitrina")
    endpoint = server.start(INITIAL_NO_AUTH_ACTION_COUNT=str(UNASKED))
    try:
        for name, content in (("advertiser_ids", ACTIVE), ("product_views", VIEWS), ("ads_views", ADS)):
            server.client().put_object(Bucket="vitrina", Key=f"raw/{name}.csv", Body=content)
        [policy] = resources("AWS::IAM::Role")["JobRole"]["Policies"]
        document = policy["PolicyDocument"]
        # AWS asks this of each object of a deletion of many; moto asks it of the bucket, where for AWS it says nothing.
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
def test_a_night_needs_no_more_of_s3_than_the_jobs_role_has(spark_submit, strict):
    code, _, said = spark_submit(RAW_URI="s3a://vitrina/raw", LAKE_URI="s3a://vitrina/lake", **strict)

    assert code == 0, said
    assert Run.objects.published().count() == 1


@pytest.mark.long
def test_outside_its_folders_the_job_is_refused(spark_submit, strict):
    code, _, said = spark_submit(RAW_URI="s3a://vitrina/raw", LAKE_URI="s3a://vitrina/elsewhere", **strict)

    assert code == 1
    assert "403" in said or "Forbidden" in said
