"""The PostgreSQL database: DATABASE_URL in the forms that psycopg2 and JDBC need. Uses the standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from spark_jobs.settings import ConfigurationError, required

DEFAULT_PORT = 5432
NOT_IN_THE_QUERY = {"host", "port", "dbname", "user", "password", "sslpassword"}
"""Parameters refused in the query of DATABASE_URL. The query becomes part of the JDBC URL, which Spark may print."""


@dataclass(frozen=True)
class Database:
    """A PostgreSQL database, for psycopg2 and for JDBC. Its repr never shows the password."""

    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)
    parameters: tuple[tuple[str, str], ...] = ()
    """libpq parameters such as sslmode and sslrootcert, which the JDBC driver also accepts."""

    @classmethod
    def from_url(cls, url: str) -> "Database":
        """Parse `postgres://user:password@host:port/name?sslmode=...`. Raises ConfigurationError if that fails."""
        try:
            parts = urlsplit(url)
            port = parts.port or DEFAULT_PORT
        except ValueError:
            raise _not_a_database_url() from None
        if parts.scheme not in ("postgres", "postgresql") or not (parts.hostname and parts.username and parts.path[1:]):
            raise _not_a_database_url()
        parameters = tuple(parse_qsl(parts.query))
        for name, _ in parameters:
            if name in NOT_IN_THE_QUERY:
                raise ConfigurationError(f"DATABASE_URL must not have the parameter {name} after the question mark")
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
        """The JDBC URL, without user and password, because Spark may print it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        parameters = [(name, value) for name, value in self.parameters if name != "options"]
        query = f"?{urlencode(parameters)}" if parameters else ""
        return f"jdbc:postgresql://{host}:{self.port}/{quote(self.name, safe='')}{query}"

    @property
    def options(self) -> str:
        """The server's start-up options, such as `-c search_path=ads`."""
        return dict(self.parameters).get("options", "")

    @property
    def jdbc_properties(self) -> dict[str, str]:
        """The connection properties for Spark's JDBC writer, the only place for the password."""
        properties = {"user": self.user, "password": self.password, "driver": "org.postgresql.Driver"}
        return properties | ({"options": self.options} if self.options else {})

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
    # The message never quotes the value, because it contains a password.
    return ConfigurationError("DATABASE_URL is not of the form postgres://user:password@host:port/name")


def database_from(environment: Mapping[str, str]) -> Database:
    """Read DATABASE_URL. Raises ConfigurationError if it is missing or invalid.

    As with libpq, PGOPTIONS holds the start-up options unless the URL has `options`; the JDBC driver does not read it.
    """
    database = Database.from_url(required(environment, "DATABASE_URL"))
    options = environment.get("PGOPTIONS")
    if options and not database.options:
        return replace(database, parameters=(*database.parameters, ("options", options)))
    return database
