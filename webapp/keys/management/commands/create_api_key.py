"""python manage.py create_api_key "Shop's ad server" --advertiser ABC: prints a new key, once."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from webapp.keys.models import GRACE, LIFETIME, ApiKey
from webapp.rankings.models import Advertiser


class Command(BaseCommand):
    help = "Make a key to the API and print it; nothing can show it again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="who uses the key and for what, in words")
        reach = parser.add_mutually_exclusive_group(required=True)
        reach.add_argument("--advertiser", metavar="ID", help="reads this advertiser's lists only")
        reach.add_argument(
            "--all-advertisers", action="store_true", help="reads every list, /stats, /runs and /metrics"
        )
        reach.add_argument(
            "--replace", metavar="PREFIX", help=f"like this live key, which then works for {GRACE.days} days longer"
        )
        parser.add_argument("--days", type=days, default=LIFETIME, metavar="N", help="how long it works (default: 365)")

    def handle(self, *args: Any, **options: Any) -> None:
        key = self.rotated(options["replace"]) if options["replace"] else self.issued(**options)
        self.stdout.write(str(key.text))
        self.stderr.write(f"Reads {key.reads} until {key.expires_at:%Y-%m-%d}. Keep it now: it is not shown again.")

    def rotated(self, prefix: str) -> ApiKey:
        key = ApiKey.objects.live().filter(prefix=prefix).first()
        if key is None:
            raise CommandError(f"There is no live key {prefix}.")
        return key.rotate()

    def issued(self, name: str | None, advertiser: str | None, days: timedelta, **others: Any) -> ApiKey:
        if not name:
            raise CommandError("Name the key: who uses it and for what.")
        owner = Advertiser.objects.named(advertiser).first() if advertiser is not None else None
        if advertiser is not None and owner is None:
            raise CommandError(f"No advertiser “{advertiser}” was ever active.")
        return ApiKey.objects.issue(name, owner, days)


def days(text: str) -> timedelta:
    """A number of days, at least one."""
    number = int(text)
    if not 1 <= number <= 3650:
        raise ValueError(text)
    return timedelta(days=number)
