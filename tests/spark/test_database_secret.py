"""DATABASE_URL from AWS Secrets Manager; moto's server, which is the tests' S3, has one too."""

import boto3
import pytest

from devstack.s3 import REGION
from spark_jobs.database_secret import with_secrets
from spark_jobs.settings import ConfigurationError


@pytest.fixture
def secret(stack):
    """The ARN of a secret whose text is a database's URL."""
    manager = boto3.client("secretsmanager", endpoint_url=stack.s3.endpoint(), region_name=REGION)
    made = manager.create_secret(Name="batch", SecretString="postgres://batch:word@db/vitrina")
    yield made["ARN"]
    manager.delete_secret(SecretId=made["ARN"], ForceDeleteWithoutRecovery=True)


def test_the_secret_that_is_named_is_the_url(secret):
    found = with_secrets({"DATABASE_SECRET": secret, "AWS_REGION": REGION})

    assert found["DATABASE_URL"] == "postgres://batch:word@db/vitrina"


def test_a_url_that_is_given_wins():
    given = {"DATABASE_SECRET": "no-such-secret", "DATABASE_URL": "postgres://a:b@c/d"}

    assert with_secrets(given) == given


def test_a_secret_that_cannot_be_read_is_named():
    with pytest.raises(
        ConfigurationError, match=r"DATABASE_SECRET is 'no-such-secret', which cannot be read: .*NotFound"
    ):
        with_secrets({"DATABASE_SECRET": "no-such-secret", "AWS_REGION": REGION})
