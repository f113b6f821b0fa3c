"""Tells a scheduler or an alarm whether the newest lists are as new as they should be."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from webapp.rankings.health import newest_day_in_time


class Command(BaseCommand):
    help = (
        "Says in one sentence how new the newest published day is. Exit code 0: as new as it should be by "
        "PUBLISH_DEADLINE. 1: overdue, or the database could not be asked. 2: bad configuration."
    )

    def handle(self, **options: Any) -> None:
        in_time, sentence = newest_day_in_time()
        if not in_time:
            raise CommandError(sentence)
        self.stdout.write(sentence)
