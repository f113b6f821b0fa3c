"""Removes what old runs of a day left behind in database and lake."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from webapp import environment
from webapp.rankings.lake import Lake, LakeTrouble, lake_at
from webapp.rankings.locks import DayIsHeld
from webapp.rankings.management import arguments
from webapp.rankings.models import Run
from webapp.rankings.pruning import prune, superfluous


class Command(BaseCommand):
    help = (
        "Removes the rows and the part of the lake (LAKE_URI) of all but the newest runs of each day; never those of a "
        "published or a running one. The runs' entries in the ledger stay. It deletes rows, so the owner of the tables "
        "runs it. Exit code 0: done; a day that a run is at work on is left for the next time. 1: failed. 2: bad "
        "arguments or configuration."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--keep", type=arguments.at_least_one, default=3, metavar="N", help="how many runs a day keeps (3)"
        )
        parser.add_argument("--dry-run", action="store_true", help="only say which runs would be pruned")

    def handle(self, *, keep: int, dry_run: bool, **options: Any) -> None:
        runs = list(superfluous(keep))
        if dry_run:
            for run in runs:
                self.stdout.write(f"Would prune run {run.pk} of {run.day} ({run.state}).")
            return
        lake = environment.variable("LAKE_URI", "set it to s3a://bucket/folder or file:///folder", lake_at)
        pruned = sum(self.prune(run, keep, lake) for run in runs)
        self.stdout.write(f"Pruned {pruned} run{'' if pruned == 1 else 's'}; each day keeps its newest {keep}.")

    def prune(self, run: Run, keep: int, lake: Lake) -> bool:
        """Prune one run, or say why not; tell whether."""
        try:
            return prune(run, keep, lake)
        except DayIsHeld as held:
            self.stderr.write(f"Left run {run.pk}: {held}")
            return False
        except LakeTrouble as trouble:
            raise CommandError(f"Run {run.pk} of {run.day} stays, since the lake cannot be pruned: {trouble}") from None
