from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from webapp.operations.locks import DayIsHeld
from webapp.operations.management import arguments
from webapp.operations.pruning import LEAST_DAYS, prunable_runs, prune
from webapp.rankings.models import Run


class Command(BaseCommand):
    help = (
        "Delete the rows of all but the newest runs of each day, and with --days those of old days, which are no longer "
        "published then; a running run keeps its rows. The next nightly run deletes the pruned runs' folders in the lake. "
        "Run entries stay. Needs the owner of the tables. Exit codes: 0 done (locked days are skipped until the next "
        "time), 1 failed, 2 bad arguments or configuration."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--keep", type=arguments.at_least(1), default=3, metavar="N", help="runs to keep per day (default: 3)"
        )
        parser.add_argument(
            "--days",
            type=arguments.at_least(LEAST_DAYS),
            metavar="N",
            help=f"days to keep before the newest published day, {LEAST_DAYS} or more (default: all)",
        )
        parser.add_argument("--dry-run", action="store_true", help="only list the runs that would be pruned")

    def handle(self, *, keep: int, days: int | None, dry_run: bool, **options: Any) -> None:
        runs = list(prunable_runs(keep, days))
        if dry_run:
            for run in runs:
                self.stdout.write(f"Would prune run {run.pk} of {run.day} ({run.state}).")
            return
        pruned = sum(self.prune(run, keep, days) for run in runs)
        kept = f"the newest {keep} of each day" + (f" of {days} days" if days else "")
        self.stdout.write(f"Pruned {pruned} run{'' if pruned == 1 else 's'}; kept {kept}.")

    def prune(self, run: Run, keep: int, days: int | None) -> bool:
        """Prune the run, or report that its day is locked; return whether."""
        try:
            return prune(run, keep, days)
        except DayIsHeld as held:
            self.stderr.write(f"Skipped run {run.pk}: {held}")
            return False
