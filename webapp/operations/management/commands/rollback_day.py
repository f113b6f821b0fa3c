import os
import pwd
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from webapp.operations.locks import DayIsHeld
from webapp.operations.management import arguments
from webapp.operations.rollbacks import CannotRollBack, roll_back


class Command(BaseCommand):
    help = (
        "Roll a day back to an earlier run; readers see its lists at once. Exit codes: 0 done, 1 not possible (nothing has "
        "changed), 2 bad arguments or configuration."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("day", type=arguments.day, help="the day, YYYY-MM-DD")
        help_text = "the run to roll back to (default: the one published before)"
        parser.add_argument("--to", type=arguments.number, metavar="RUN", help=help_text)
        parser.add_argument("--reason", default="", metavar="TEXT", help="why; kept with the rollback")

    def handle(self, *, day: date, to: int | None, reason: str, **options: Any) -> None:
        try:
            rollback = roll_back(day, author=f"cli:{account()}", reason=reason, to=to)
        except (CannotRollBack, DayIsHeld) as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(
            f"{day} is rolled back from run {rollback.withdrawn_id} to run {rollback.restored_id}; "
            f"rollback {rollback.pk} by {rollback.author}."
        )


def account() -> str:
    """The account of this process; its number if it has no name, as in some containers."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
