"""The job's one secret, read from AWS Secrets Manager where a deployment names it instead of giving it."""

from collections.abc import Mapping

from spark_jobs.settings import ConfigurationError


def with_secrets(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return the environment, its DATABASE_URL read from the secret that DATABASE_SECRET names, unless one is given.

    ConfigurationError if the secret cannot be read.
    """
    name = environment.get("DATABASE_SECRET")
    if not name or environment.get("DATABASE_URL"):
        return environment
    try:
        import boto3  # only here: where DATABASE_URL is given, the job does without
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        raise ConfigurationError("DATABASE_SECRET is read with boto3, which is not installed here") from None
    patience = Config(connect_timeout=10, read_timeout=10, retries={"total_max_attempts": 3})
    try:
        manager = boto3.client("secretsmanager", region_name=environment.get("AWS_REGION") or None, config=patience)
        secret = manager.get_secret_value(SecretId=name)
    except (BotoCoreError, ClientError) as error:
        raise ConfigurationError(f"DATABASE_SECRET is '{name}', which cannot be read: {error}") from None
    return {**environment, "DATABASE_URL": secret.get("SecretString", "")}
