"""Makes an earlier run of a day the published one again."""

import os
import pwd
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from webapp.rankings.locks import DayIsHeld
from webapp.rankings.management import arguments
from webapp.rankings.rollbacks import CannotRollBack, roll_back


class Command(BaseCommand):
    help = (
        "Takes a day back to an earlier run: readers see its lists at once. Exit code 0: done. 1: it cannot be done, "
        "and nothing has changed. 2: bad arguments or configuration."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("day", type=arguments.day, help="the day, YYYY-MM-DD")
        parser.add_argument(
            "--to", type=arguments.number, metavar="RUN", help="the run to go back to (the one published before)"
        )
        parser.add_argument("--reason", default="", metavar="TEXT", help="why; kept in the ledger")

    def handle(self, *, day: date, to: int | None, reason: str, **options: Any) -> None:
        try:
            rollback = roll_back(day, author=f"cli:{account()}", reason=reason, to=to)
        except (CannotRollBack, DayIsHeld) as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(
            f"{day} shows run {rollback.restored_id} again instead of run {rollback.withdrawn_id}; "
            f"rollback {rollback.pk} by {rollback.author}."
        )


def account() -> str:
    """Whose process this is; in a container that may be a number without a name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
