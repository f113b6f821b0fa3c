"""Reads one environment variable at a time, and says in one plain sentence what is wrong with it."""

from collections.abc import Callable
from datetime import time
from pathlib import Path
from typing import Any

import psycopg2
from django.core.exceptions import ImproperlyConfigured
from environ import Env
from psycopg2.extensions import make_dsn

NO_DEFAULT = object()
POSTGRESQL = "django.db.backends.postgresql"
MEMORY = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 100_000}}
REDIS = "django.core.cache.backends.redis.RedisCache"

environment = Env()


def variable(name: str, advice: str, cast: Callable[[str], Any] = str, default: Any = NO_DEFAULT) -> Any:
    """The variable's value through `cast`, or the default; set to nothing is the same as not set."""
    try:
        text = environment.str(name, default="")
    except ImproperlyConfigured:  # django-environ takes "$OTHER" for the name of another variable
        raise ImproperlyConfigured(
            f"{name} begins with $, which stands for another variable, and there is none of that name: {advice}."
        ) from None
    if not text.strip():
        if default is NO_DEFAULT:
            raise ImproperlyConfigured(f"{name} is not set: {advice}.")
        return default
    try:
        return cast(text)
    except ValueError:
        raise ImproperlyConfigured(f"{name} is not understood: {advice}.") from None


def flag(name: str, meaning: str, default: bool) -> bool:
    """A yes or no; anything else is an error, so that a typing mistake never switches a protection off."""
    return variable(name, f"set it to true or false ({meaning})", yes_or_no, default)


def names(name: str, advice: str) -> list[str]:
    """A list parted by commas, empty unless set."""
    return variable(name, advice, lambda text: [item.strip() for item in text.split(",") if item.strip()], [])


def yes_or_no(text: str) -> bool:
    word = text.strip().lower()
    if word in {"true", "yes", "on", "1"}:
        return True
    if word in {"false", "no", "off", "0"}:
        return False
    raise ValueError(text)


def time_of_day(text: str) -> time:
    """HH:MM; the hour of a day in UTC."""
    hour, minute = text.strip().split(":")
    return time(int(hour), int(minute))


def log_level(text: str) -> str:
    level = text.strip().upper()
    if level not in {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"}:
        raise ValueError(text)
    return level


def at_least(least: int) -> Callable[[str], int]:
    """A whole number that is not below the least."""

    def number(text: str) -> int:
        if int(text) < least:
            raise ValueError(text)
        return int(text)

    return number


def cache(url: str) -> dict[str, Any]:
    """Django's description of the cache; one that does not answer in a second is done without."""
    if not url.startswith(("redis://", "rediss://")):
        raise ValueError("another kind of cache")
    return {"BACKEND": REDIS, "LOCATION": url, "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1}}


def folder(text: str) -> Path:
    return Path(text).expanduser().resolve()


def postgresql(url: str) -> dict[str, Any]:
    """Django's description of the database; what stands in the URL's query (`sslmode=require`) goes to the driver.

    A server that does not answer is given up after seconds, not minutes, when connecting and in the middle of a query.
    """
    if not url.startswith(("postgres://", "postgresql://")):
        raise ValueError("another kind of database")
    database: dict[str, Any] = Env.db_url_config(url)
    if not database.get("NAME"):
        raise ValueError("no database is named")
    patience = {"connect_timeout": 4, "tcp_user_timeout": 10_000, "application_name": "vitrina-web"}
    options = patience | database.get("OPTIONS", {})
    try:
        make_dsn(**options)
    except psycopg2.ProgrammingError as unknown_option:
        raise ValueError(str(unknown_option)) from None
    return database | {"ENGINE": POSTGRESQL, "OPTIONS": options, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
