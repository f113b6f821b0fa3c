"""Argument types of the management commands; argparse reports their errors, with exit code 2."""

from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import date, datetime


def day(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007  # a day has no time zone
    except ValueError:
        raise ArgumentTypeError(f"'{text}' is not a day of the form YYYY-MM-DD") from None


def number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ArgumentTypeError(f"'{text}' is not a number")
    return int(text)


def at_least(least: int) -> Callable[[str], int]:
    """Return the type of numbers from `least` on."""

    def number_from(text: str) -> int:
        value = number(text)
        if value < least:
            raise ArgumentTypeError(f"'{text}' is less than {least}")
        return value

    return number_from
