"""What the commands have in common: argument types and the log. Standard library only."""

import argparse
import logging
import sys
import time
from collections.abc import Callable
from datetime import date, datetime

CLEAR_LINE = f"\r{'':80}\r"
"""Erases Spark's progress bar, which is 80 characters wide, before a line is printed in its place."""


def day_argument(text: str) -> date:
    """Parse a day: the `type` of an argument."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007  # a day has no time zone
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a day of the form YYYY-MM-DD") from None


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """Return the `type` of an argument that is a whole number from `least` to `most`."""
    valid = f"of at least {least}" if most is None else f"from {least} to {most}"

    def parse(text: str) -> int:
        is_number = text.isascii() and text.isdigit()
        if not is_number or int(text) < least or (most is not None and int(text) > most):
            raise argparse.ArgumentTypeError(f"'{text}' is not a number {valid}")
        return int(text)

    return parse


def set_up_logging() -> None:
    """Log to standard error, with times in UTC and without the messages of py4j."""
    clear = CLEAR_LINE if sys.stderr.isatty() else ""
    logging.basicConfig(level=logging.INFO, format=f"{clear}%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.Formatter.converter = time.gmtime
    # py4j's errors are exceptions, too. It also logs to the root logger, which would deadlock when a line of the log is
    # written through a JVM that has ended (streams.py): this line holds the lock that py4j's would wait for.
    logging.getLogger("py4j").setLevel(logging.CRITICAL)
    logging.getLogger().addFilter(lambda record: record.name != "root")
