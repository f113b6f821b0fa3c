"""python manage.py create_api_key "Shop's ad server" --advertiser ABC"""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from webapp.keys.models import GRACE, LIFETIME, MAX_LIFETIME, ApiKey
from webapp.rankings.models import Advertiser


class Command(BaseCommand):
    help = "Create an API key and print it. It cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", help="who uses the key and for what")
        scope = parser.add_mutually_exclusive_group(required=True)
        scope.add_argument("--advertiser", metavar="ID", help="the key reads only this advertiser's lists")
        scope.add_argument(
            "--all-advertisers", action="store_true", help="the key reads every list, /stats, /runs and /metrics"
        )
        scope.add_argument(
            "--replace", metavar="PREFIX", help=f"replace this live key, which works for {GRACE.days} more days"
        )
        lifetime = f"days until the key expires (default: {LIFETIME.days}, at most {MAX_LIFETIME.days})"
        parser.add_argument("--days", type=days, default=LIFETIME, metavar="N", help=lifetime)

    def handle(self, *args: Any, **options: Any) -> None:
        key = self.replace(options["replace"]) if options["replace"] else self.issue(**options)
        self.stdout.write(str(key.text))
        until = f"{key.expires_at:%Y-%m-%d}"
        self.stderr.write(f"Reads the lists of {key.scope} until {until}. Save it now: it is not shown again.")

    def replace(self, prefix: str) -> ApiKey:
        key = ApiKey.objects.live().filter(prefix=prefix).first()
        if key is None:
            raise CommandError(f"There is no live key {prefix}.")
        return key.replace()

    def issue(self, name: str | None, advertiser: str | None, days: timedelta, **others: Any) -> ApiKey:
        if not name:
            raise CommandError("Give the key a name: who uses it and for what.")
        owner = Advertiser.objects.named(advertiser).first() if advertiser is not None else None
        if advertiser is not None and owner is None:
            raise CommandError(f"No advertiser “{advertiser}” was ever active.")
        return ApiKey.objects.issue(name, owner, days)


def days(text: str) -> timedelta:
    """Parse a whole number of days up to MAX_LIFETIME."""
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MAX_LIFETIME.days):
        raise ArgumentTypeError(f"'{text}' is not a number of days from 1 to {MAX_LIFETIME.days}")
    return timedelta(days=int(text))
