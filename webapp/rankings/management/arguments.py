"""What the commands' arguments may be; argparse turns the error into one sentence and exit code 2."""

from argparse import ArgumentTypeError
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


def at_least_one(text: str) -> int:
    value = number(text)
    if value < 1:
        raise ArgumentTypeError(f"'{text}' is less than 1")
    return value
