from typing import Any

from django.core.management.base import BaseCommand, CommandError

from webapp.operations.health import FRESH


class Command(BaseCommand):
    help = (
        "Report, for a scheduler or an alarm, whether the newest day is published by PUBLISH_DEADLINE and no day before it "
        "is missing. Exit codes: 0 so it is, 1 a day is overdue or missing or the database is unavailable, 2 bad "
        "configuration."
    )

    def handle(self, **options: Any) -> None:
        verdicts = [check() for check in FRESH.values()]
        if failures := [message for passed, message in verdicts if not passed]:
            raise CommandError(" ".join(failures))
        self.stdout.write(" ".join(message for _, message in verdicts))
