"""DATABASE_URL from AWS Secrets Manager, which the moto server of the tests also provides."""

import boto3
import pytest

from devstack.s3 import REGION
from spark_jobs.settings import ConfigurationError, with_secrets


@pytest.fixture
def secret(stack):
    """The ARN of a secret that holds the URL of a database."""
    manager = boto3.client("secretsmanager", endpoint_url=stack.s3.endpoint(), region_name=REGION)
    made = manager.create_secret(Name="batch", SecretString="postgres://batch:word@db/vitrina")
    yield made["ARN"]
    manager.delete_secret(SecretId=made["ARN"], ForceDeleteWithoutRecovery=True)


def test_the_secret_becomes_database_url(secret):
    found = with_secrets({"DATABASE_SECRET": secret, "AWS_REGION": REGION})

    assert found["DATABASE_URL"] == "postgres://batch:word@db/vitrina"


def test_database_url_overrides_the_secret():
    given = {"DATABASE_SECRET": "no-such-secret", "DATABASE_URL": "postgres://a:b@c/d"}

    assert with_secrets(given) == given


def test_an_unreadable_secret_is_named():
    with pytest.raises(
        ConfigurationError, match=r"DATABASE_SECRET is 'no-such-secret', which cannot be read: .*NotFound"
    ):
        with_secrets({"DATABASE_SECRET": "no-such-secret", "AWS_REGION": REGION})
