"""Parsers for environment variables. Each error is one sentence that names the variable and how to set it."""

from collections.abc import Callable
from datetime import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import psycopg2
from django.core.exceptions import ImproperlyConfigured
from environ import Env
from psycopg2.extensions import make_dsn

NO_DEFAULT = object()
POSTGRESQL = "webapp.postgresql"
MEMORY = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 100_000}}
REDIS = "django.core.cache.backends.redis.RedisCache"

environment = Env()


def variable(name: str, hint: str, cast: Callable[[str], Any] = str, default: Any = NO_DEFAULT) -> Any:
    """The variable's value, parsed by `cast`, or the default if it is empty or not set."""
    try:
        text = environment.str(name, default="")
    except ImproperlyConfigured:  # django-environ reads "$OTHER" as a reference to another variable
        raise ImproperlyConfigured(f"{name} begins with $ and refers to a variable that is not set: {hint}.") from None
    if not text.strip():
        if default is NO_DEFAULT:
            raise ImproperlyConfigured(f"{name} is not set: {hint}.")
        return default
    try:
        return cast(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is not valid: {hint}.") from None


def flag(name: str, meaning: str, default: bool) -> bool:
    """A boolean. Anything else is an error, so that a typo never switches a protection off."""
    return variable(name, f"set it to true or false ({meaning})", yes_or_no, default)


def names(name: str, hint: str) -> list[str]:
    """A comma-separated list, empty if not set."""
    return variable(name, hint, lambda text: [item.strip() for item in text.split(",") if item.strip()], [])


def yes_or_no(text: str) -> bool:
    word = text.strip().lower()
    if word in {"true", "yes", "on", "1"}:
        return True
    if word in {"false", "no", "off", "0"}:
        return False
    raise ValueError(text)


def time_of_day(text: str) -> time:
    """Parse HH:MM."""
    hour, minute = text.strip().split(":")
    return time(int(hour), int(minute))


def log_level(text: str) -> str:
    level = text.strip().upper()
    if level not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:
        raise ValueError(text)
    return level


def at_least(minimum: int) -> Callable[[str], int]:
    """A parser for whole numbers from the minimum up."""

    def number(text: str) -> int:
        if int(text) < minimum:
            raise ValueError(text)
        return int(text)

    return number


def cache(url: str) -> dict[str, Any]:
    """Django's settings for a Redis cache, with a timeout of one second."""
    if not url.startswith(("redis://", "rediss://")):
        raise ValueError("not a Redis URL")
    return {"BACKEND": REDIS, "LOCATION": url, "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1}}


def folder(text: str) -> Path:
    return Path(text).expanduser().resolve()


def postgresql(url: str) -> dict[str, Any]:
    """Django's settings for the database. The URL's query, such as `sslmode=require`, is passed to the driver.

    Short timeouts make a dead server fail within seconds, both when connecting and during a query.
    """
    if not url.startswith(("postgres://", "postgresql://")):
        raise ValueError("not a PostgreSQL URL")
    # As libpq and the job read it: a plus sign in a name is itself, and the last of a repeated parameter is valid.
    before, _, query = url.partition("?")
    database: dict[str, Any] = Env.db_url_config(f"{before.replace('+', '%2B')}?{urlencode(dict(parse_qsl(query)))}")
    if not database.get("NAME"):
        raise ValueError("no database name")
    timeouts = {"connect_timeout": 4, "tcp_user_timeout": 10_000, "application_name": "vitrina-web"}
    options = timeouts | database.get("OPTIONS", {})
    try:
        make_dsn(**options)
    except psycopg2.ProgrammingError as unknown_option:
        raise ValueError(str(unknown_option)) from None
    return database | {"ENGINE": POSTGRESQL, "OPTIONS": options, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
