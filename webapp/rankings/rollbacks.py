"""Going back: the day's lists become those of an earlier run again, in one transaction, and the ledger says who did it."""

from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import F

from webapp.rankings.locks import hold
from webapp.rankings.models import RANKINGS, Advertiser, Rollback, Run


class CannotRollBack(Exception):
    """There is nothing to go back to, or not there: one sentence that says why."""


@dataclass(frozen=True)
class Change:
    """What a rollback does: readers no longer see the one run of the day, and see the other."""

    withdrawn: Run
    restored: Run


def change_of(day: date, to: int | None = None) -> Change:
    """What going back on the day would change: to the run of that number, or to the one before; CannotRollBack if not."""
    published = Run.objects.published().on(day).first()
    if published is None:
        raise CannotRollBack(f"{day} is not published, so there is nothing to go back from.")
    restored = run_before(published) if to is None else run_of(day, to)
    if restored == published:
        raise CannotRollBack(f"Run {restored.pk} is what readers of {day} see already.")
    if restored.state != Run.State.SUPERSEDED:
        raise CannotRollBack(f"Run {restored.pk} of {day} is {restored.state} and was never published.")
    if not any(ranking.objects.of(restored).exists() for ranking in RANKINGS.values()):
        raise CannotRollBack(f"The rows of run {restored.pk} of {day} are gone; prune_runs removes those of old runs.")
    return Change(published, restored)


def run_of(day: date, number: int) -> Run:
    run = Run.objects.on(day).filter(pk=number).first()
    if run is None:
        raise CannotRollBack(f"{day} has no run {number}.")
    return run


def run_before(published: Run) -> Run:
    """The newest earlier run that was published too, passing over those that somebody went back from."""
    earlier = Run.objects.on(published.day).filter(state=Run.State.SUPERSEDED, pk__lt=published.pk)
    gone_back_from = Rollback.objects.filter(day=published.day, restored__lt=F("withdrawn")).values("withdrawn")
    run = earlier.exclude(pk__in=gone_back_from).newest()
    if run is None:
        raise CannotRollBack(
            f"No run of {published.day} before run {published.pk} was published, save those that were gone back from."
        )
    return run


@transaction.atomic
def roll_back(day: date, author: str, reason: str = "", to: int | None = None, seen: int | None = None) -> Rollback:
    """Do it, and enter it into the ledger. `seen` is the run that the author saw published when they decided.

    CannotRollBack as change_of says, or if another run is published by now; DayIsHeld if a run is at work on the day.
    """
    hold(day)
    change = change_of(day, to)
    if seen not in (None, change.withdrawn.pk):
        raise CannotRollBack(f"Run {change.withdrawn.pk} of {day} was published meanwhile; look at it first.")
    rollback = Rollback.objects.create(
        day=day, withdrawn=change.withdrawn, restored=change.restored, author=author, reason=reason
    )
    Run.objects.filter(pk=change.withdrawn.pk).update(state=Run.State.SUPERSEDED)
    Run.objects.filter(pk=change.restored.pk).update(state=Run.State.PUBLISHED, published_at=rollback.at)
    if Run.objects.published().newest() == change.restored:
        reactivate(change.restored)
    return rollback


def reactivate(run: Run) -> None:
    """Whoever has a list in the run was active for it; without this, a run with too short a list of active advertisers
    would still hide theirs. Those whom only the withdrawn run knew stay active, and have no list."""
    for ranking in RANKINGS.values():
        listed = ranking.objects.of(run).filter(rank=1).values("advertiser")
        Advertiser.objects.filter(active=False, pk__in=listed).update(active=True)
