"""The settings of a deployment, from environment variables.

Uses the standard library, and boto3 for DATABASE_SECRET, so that a bad value is reported before Spark starts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

MOST_EVIDENCE = 1_000_000


class ConfigurationError(ValueError):
    """A variable or option has a bad value: one sentence that names it and says what is valid."""


@dataclass(frozen=True)
class Storage:
    """The URIs of raw events and lake, and the S3 server."""

    raw_uri: str
    lake_uri: str
    s3_endpoint: str | None = None
    s3_region: str | None = None
    s3_credentials: str | None = None
    """The class that provides them, or None for those that S3A finds: keys in the environment, or a role."""


@dataclass(frozen=True)
class AuditThresholds:
    """The limits that a day must meet to be published, as shares from 0 to 1."""

    max_rejected_share: float = 0.01
    """The largest share of an input's lines that may be rejected."""
    min_volume_share: float = 0.5
    """The smallest share of the usual events: the median of the last seven published days."""
    min_listed_share: float = 0.5
    """The smallest share of active advertisers that must have a list."""


@dataclass(frozen=True)
class RankingParameters:
    """How much evidence a list needs before it trusts a rate."""

    ctr_prior_weight: float = 0
    """The number of impressions at the advertiser's own rate that are added to each product; 0 keeps the plain ratio."""
    min_impressions: int = 1
    """Products with fewer impressions on the day are not in TopCTR."""
    trend_prior_weight: float = 20
    """The number of visits added both to a product's visits and to its usual visits before Trending compares them."""
    half_life_days: float = 7
    """The age at which an event counts half as much for ExpectedCTR."""


def storage_from(environment: Mapping[str, str], raw_uri: str | None = None, lake_uri: str | None = None) -> Storage:
    """Read RAW_URI, LAKE_URI and AWS's variables. An argument overrides its variable."""
    return Storage(
        raw_uri=storage_uri(raw_uri or required(environment, "RAW_URI"), "RAW_URI"),
        lake_uri=storage_uri(lake_uri or required(environment, "LAKE_URI"), "LAKE_URI"),
        s3_endpoint=environment.get("AWS_ENDPOINT_URL") or None,
        s3_region=environment.get("AWS_REGION") or None,
        s3_credentials=_s3_credentials_from(environment),
    )


def _s3_credentials_from(environment: Mapping[str, str]) -> str | None:
    """Return the provider of what S3A does not find by itself: a web identity (of a Kubernetes account) or a profile.

    In AWS's order: keys in the environment come first. One class alone, because S3A ends at one that is not configured.
    """
    if environment.get("AWS_ACCESS_KEY_ID"):
        return None
    if environment.get("AWS_WEB_IDENTITY_TOKEN_FILE"):
        return "software.amazon.awssdk.auth.credentials.WebIdentityTokenFileCredentialsProvider"
    if environment.get("AWS_PROFILE"):
        return "software.amazon.awssdk.auth.credentials.ProfileCredentialsProvider"
    return None


def with_secrets(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return the environment with DATABASE_URL from AWS Secrets Manager, if DATABASE_SECRET names a secret there.

    A DATABASE_URL in the environment overrides it. Raises ConfigurationError if the secret cannot be read.
    """
    name = environment.get("DATABASE_SECRET")
    if not name or environment.get("DATABASE_URL"):
        return environment
    try:
        import boto3  # imported here, because only DATABASE_SECRET needs it
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        raise ConfigurationError("DATABASE_SECRET needs boto3, which is not installed") from None
    patience = Config(connect_timeout=10, read_timeout=10, retries={"total_max_attempts": 3})
    try:
        manager = boto3.client("secretsmanager", region_name=environment.get("AWS_REGION") or None, config=patience)
        secret = manager.get_secret_value(SecretId=name)
    except (BotoCoreError, ClientError) as error:
        raise ConfigurationError(f"DATABASE_SECRET is '{name}', which cannot be read: {error}") from None
    return {**environment, "DATABASE_URL": secret.get("SecretString", "")}


def audit_thresholds_from(environment: Mapping[str, str]) -> AuditThresholds:
    """Read MAX_REJECTED_SHARE, MIN_VOLUME_SHARE and MIN_LISTED_SHARE."""
    return AuditThresholds(
        max_rejected_share=_share(environment, "MAX_REJECTED_SHARE", AuditThresholds.max_rejected_share),
        min_volume_share=_share(environment, "MIN_VOLUME_SHARE", AuditThresholds.min_volume_share),
        min_listed_share=_share(environment, "MIN_LISTED_SHARE", AuditThresholds.min_listed_share),
    )


def ranking_parameters_from(
    environment: Mapping[str, str],
    ctr_prior_weight: str | None = None,
    min_impressions: str | None = None,
    trend_prior_weight: str | None = None,
    half_life_days: str | None = None,
) -> RankingParameters:
    """Read CTR_PRIOR_WEIGHT, MIN_IMPRESSIONS, TREND_PRIOR_WEIGHT and HALF_LIFE_DAYS. An argument overrides its variable."""
    weight = ctr_prior_weight or environment.get("CTR_PRIOR_WEIGHT") or str(RankingParameters.ctr_prior_weight)
    least = min_impressions or environment.get("MIN_IMPRESSIONS") or str(RankingParameters.min_impressions)
    trend = trend_prior_weight or environment.get("TREND_PRIOR_WEIGHT") or str(RankingParameters.trend_prior_weight)
    half_life = half_life_days or environment.get("HALF_LIFE_DAYS") or str(RankingParameters.half_life_days)
    if not (re.fullmatch(r"[0-9]{1,7}", least) and 1 <= int(least) <= MOST_EVIDENCE):
        raise ConfigurationError(
            f"MIN_IMPRESSIONS (or --min-impressions) is '{least}'; write a whole number from 1 to {MOST_EVIDENCE}"
        )
    return RankingParameters(
        _number(weight, "CTR_PRIOR_WEIGHT (or --ctr-prior-weight)", 0, MOST_EVIDENCE, "20"),
        int(least),
        _number(trend, "TREND_PRIOR_WEIGHT (or --trend-prior-weight)", 1, MOST_EVIDENCE, "20"),
        _number(half_life, "HALF_LIFE_DAYS (or --half-life-days)", 0.5, 365, "7"),
    )


def lookback_from(environment: Mapping[str, str]) -> int:
    """Read LOOKBACK_DAYS: how many earlier days a run of one day checks for missing runs and late events."""
    text = environment.get("LOOKBACK_DAYS") or "3"
    if not (text.isascii() and text.isdigit() and int(text) <= 31):
        raise ConfigurationError(f"LOOKBACK_DAYS is '{text}'; write a number from 0 to 31")
    return int(text)


def storage_uri(uri: str, name: str) -> str:
    """Return a folder's URI in the form Spark needs: `s3://` becomes `s3a://`, and a final slash is removed."""
    if uri != without_keys(uri):  # S3A refuses them as well, but prints them
        raise ConfigurationError(
            f"{name} contains the keys of S3; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead"
        )
    if not re.match(r"s3[an]?://[^/]|(?!s3)[a-z][a-z0-9+.-]*:/", uri):
        raise ConfigurationError(f"{name} is '{uri}', which is not a URI; write s3a://bucket/folder or file:///folder")
    if uri != uri.encode(errors="replace").decode():
        raise ConfigurationError(f"{name} is {uri!a}, which is not UTF-8; correct it")
    return re.sub(r"^s3n?://", "s3a://", uri).rstrip("/")


def without_keys(text: str) -> str:
    """Return text without the keys in URIs such as `s3a://key:secret@bucket/folder`."""
    return re.sub(r"\b(s3[an]?://)[^/@\s]*:[^@\s]*@", r"\1", text, flags=re.IGNORECASE)


def _share(environment: Mapping[str, str], name: str, default: float) -> float:
    return _number(environment.get(name) or str(default), name, 0, 1, "0.01")


def _number(text: str, name: str, least: float, most: int, example: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not least <= number <= most:
        raise ConfigurationError(f"{name} is '{text}'; write a number from {least} to {most}, such as {example}")
    return number


def required(environment: Mapping[str, str], name: str) -> str:
    """Return a variable. Raises ConfigurationError if it is not set."""
    if not environment.get(name):
        raise ConfigurationError(f"{name} is not set; conf/env.example says what it is")
    return environment[name]
