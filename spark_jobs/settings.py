"""What a deployment chooses, read from environment variables. Standard library only, so that a bad one is known at once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

DEFAULT_PORT = 5432
MOST_EVIDENCE = 1_000_000
HAVE_A_PLACE_OF_THEIR_OWN = {"host", "port", "dbname", "user", "password", "sslpassword"}
"""Parameters never taken from a URL's query, which goes into the JDBC URL as it is, and Spark may print that."""


class ConfigurationError(ValueError):
    """A variable or option that cannot be used: one sentence that names it and says what it should be."""


@dataclass(frozen=True)
class Database:
    """A PostgreSQL database, as psycopg2 and as JDBC want to hear of it. Printing one never shows the password."""

    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)
    parameters: tuple[tuple[str, str], ...] = ()
    """libpq's own names (sslmode, sslrootcert, ...), which the JDBC driver shares."""

    @classmethod
    def from_url(cls, url: str) -> "Database":
        """Read `postgres://user:password@host:port/name?sslmode=...`; ConfigurationError if it is not that."""
        try:
            parts = urlsplit(url)
            port = parts.port or DEFAULT_PORT
        except ValueError:
            raise _not_a_database_url() from None
        if parts.scheme not in ("postgres", "postgresql") or not (parts.hostname and parts.username and parts.path[1:]):
            raise _not_a_database_url()
        parameters = tuple(parse_qsl(parts.query))
        for name, _ in parameters:
            if name in HAVE_A_PLACE_OF_THEIR_OWN:
                raise ConfigurationError(f"DATABASE_URL must not have the parameter {name} behind its question mark")
        return cls(
            host=parts.hostname,
            port=port,
            name=unquote(parts.path[1:]),
            user=unquote(parts.username),
            password=unquote(parts.password or ""),
            parameters=parameters,
        )

    @property
    def jdbc_url(self) -> str:
        """The JDBC URL, without user or password: Spark may print it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        query = f"?{urlencode(self.parameters)}" if self.parameters else ""
        return f"jdbc:postgresql://{host}:{self.port}/{quote(self.name, safe='')}{query}"

    @property
    def jdbc_properties(self) -> dict[str, str]:
        """The connection properties for Spark's JDBC writer; the password travels here alone."""
        return {"user": self.user, "password": self.password, "driver": "org.postgresql.Driver"}

    @property
    def libpq_parameters(self) -> dict[str, str | int]:
        """The keyword arguments for psycopg2.connect."""
        return {
            "host": self.host,
            "port": self.port,
            "dbname": self.name,
            "user": self.user,
            "password": self.password,
            **dict(self.parameters),
        }


def _not_a_database_url() -> ConfigurationError:
    # Never quotes the value: it holds a password.
    return ConfigurationError("DATABASE_URL is not of the form postgres://user:password@host:port/name")


@dataclass(frozen=True)
class Storage:
    """Where raw events are, where the lake is, and which S3 serves them. Keys stay with AWS's own credential chain."""

    raw_uri: str
    lake_uri: str
    s3_endpoint: str | None = None
    s3_region: str | None = None


@dataclass(frozen=True)
class Limits:
    """What a day must keep to be published: shares from 0 to 1."""

    max_rejected_share: float = 0.01
    """Of the lines of one input, how many may be rejected."""
    min_volume_share: float = 0.5
    """Of the median number of events of the last seven published days, how many there must be."""
    min_listed_share: float = 0.5
    """Of the active advertisers, how many must have a list."""


@dataclass(frozen=True)
class Evidence:
    """How much must speak for a click rate before a list believes it."""

    ctr_prior_weight: float = 0
    """As many impressions at the advertiser's own rate are added to each product's; 0 leaves the plain ratio."""
    min_impressions: int = 1
    """A product shown less often on the day is not ranked by its rate."""
    trend_prior_weight: float = 20
    """As many visits are added to a product's, and to those usual for it, before the two are compared."""


def database_from(environment: Mapping[str, str]) -> Database:
    """Read DATABASE_URL; ConfigurationError if it is missing or wrong."""
    return Database.from_url(_required(environment, "DATABASE_URL"))


def storage_from(environment: Mapping[str, str], raw_uri: str | None = None, lake_uri: str | None = None) -> Storage:
    """Read RAW_URI, LAKE_URI and the AWS variables; an argument given wins over its variable."""
    return Storage(
        raw_uri=storage_uri(raw_uri or _required(environment, "RAW_URI"), "RAW_URI"),
        lake_uri=storage_uri(lake_uri or _required(environment, "LAKE_URI"), "LAKE_URI"),
        s3_endpoint=environment.get("AWS_ENDPOINT_URL") or None,
        s3_region=environment.get("AWS_REGION") or None,
    )


def limits_from(environment: Mapping[str, str]) -> Limits:
    """Read MAX_REJECTED_SHARE, MIN_VOLUME_SHARE and MIN_LISTED_SHARE."""
    return Limits(
        max_rejected_share=_share(environment, "MAX_REJECTED_SHARE", Limits.max_rejected_share),
        min_volume_share=_share(environment, "MIN_VOLUME_SHARE", Limits.min_volume_share),
        min_listed_share=_share(environment, "MIN_LISTED_SHARE", Limits.min_listed_share),
    )


def evidence_from(
    environment: Mapping[str, str],
    ctr_prior_weight: str | None = None,
    min_impressions: str | None = None,
    trend_prior_weight: str | None = None,
) -> Evidence:
    """Read CTR_PRIOR_WEIGHT, MIN_IMPRESSIONS and TREND_PRIOR_WEIGHT; an argument given wins over its variable."""
    weight = ctr_prior_weight or environment.get("CTR_PRIOR_WEIGHT") or str(Evidence.ctr_prior_weight)
    least = min_impressions or environment.get("MIN_IMPRESSIONS") or str(Evidence.min_impressions)
    trend = trend_prior_weight or environment.get("TREND_PRIOR_WEIGHT") or str(Evidence.trend_prior_weight)
    if not (re.fullmatch(r"[0-9]{1,7}", least) and 1 <= int(least) <= MOST_EVIDENCE):
        raise ConfigurationError(
            f"MIN_IMPRESSIONS (or --min-impressions) is '{least}'; write a whole number from 1 to {MOST_EVIDENCE}"
        )
    asked = f"a number from {{}} to {MOST_EVIDENCE}, such as 20"
    return Evidence(
        _number(weight, "CTR_PRIOR_WEIGHT (or --ctr-prior-weight)", MOST_EVIDENCE, asked.format(0)),
        int(least),
        _number(trend, "TREND_PRIOR_WEIGHT (or --trend-prior-weight)", MOST_EVIDENCE, asked.format(1), least=1),
    )


def lookback_from(environment: Mapping[str, str]) -> int:
    """Read LOOKBACK_DAYS: how many days before its own a night looks at again for late events."""
    text = environment.get("LOOKBACK_DAYS") or "3"
    if not (text.isascii() and text.isdigit() and int(text) <= 31):
        raise ConfigurationError(f"LOOKBACK_DAYS is '{text}'; write a number from 0 to 31")
    return int(text)


def storage_uri(uri: str, name: str) -> str:
    """Return a folder's URI as Spark wants it: `s3://` becomes `s3a://`, no slash at the end."""
    if not re.match(r"s3[an]?://[^/]|(?!s3)[a-z][a-z0-9+.-]*:/", uri):
        raise ConfigurationError(f"{name} is '{uri}', which is no URI; write s3a://bucket/folder or file:///folder")
    return re.sub(r"^s3n?://", "s3a://", uri).rstrip("/")


def _share(environment: Mapping[str, str], name: str, default: float) -> float:
    return _number(environment.get(name) or str(default), name, 1, "a share from 0 to 1, such as 0.01")


def _number(text: str, name: str, most: float, asked: str, least: float = 0) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not least <= number <= most:
        raise ConfigurationError(f"{name} is '{text}'; write {asked}")
    return number


def _required(environment: Mapping[str, str], name: str) -> str:
    if not environment.get(name):
        raise ConfigurationError(f"{name} is not set; conf/env.example says what it is")
    return environment[name]
