"""Rolling a day back: one transaction publishes an earlier run again and records who did it."""

from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import F

from webapp.operations.locks import lock_day, lock_publishing
from webapp.rankings.models import RANKINGS, Advertiser, Rollback, Run


class CannotRollBack(Exception):
    """The day cannot be rolled back, or not to that run. The message says why."""


@dataclass(frozen=True)
class Change:
    """What a rollback changes: readers see `restored` instead of `withdrawn`."""

    withdrawn: Run
    restored: Run


def change_of(day: date, to: int | None = None) -> Change:
    """What rolling the day back would change: to run `to`, or to the run published before. CannotRollBack."""
    published = Run.objects.published().on(day).first()
    if published is None:
        raise CannotRollBack(f"{day} is not published, so it cannot be rolled back.")
    restored = run_before(published) if to is None else run_of(day, to)
    if restored == published:
        raise CannotRollBack(f"Run {restored.pk} is already the published run of {day}.")
    if restored.state != Run.State.SUPERSEDED:
        raise CannotRollBack(f"Run {restored.pk} of {day} is {restored.state} and was never published.")
    if not any(ranking.objects.of(restored).exists() for ranking in RANKINGS.values()):
        raise CannotRollBack(f"Run {restored.pk} of {day} has no rows any more; prune_runs deletes those of old runs.")
    return Change(published, restored)


def run_of(day: date, number: int) -> Run:
    run = Run.objects.on(day).filter(pk=number).first()
    if run is None:
        raise CannotRollBack(f"{day} has no run {number}.")
    return run


def run_before(published: Run) -> Run:
    """The newest earlier run that was published, except those that somebody already rolled back from."""
    earlier = Run.objects.on(published.day).filter(state=Run.State.SUPERSEDED, pk__lt=published.pk)
    rolled_back_from = Rollback.objects.filter(day=published.day, restored__lt=F("withdrawn")).values("withdrawn")
    run = earlier.exclude(pk__in=rolled_back_from).newest()
    if run is None:
        raise CannotRollBack(
            f"{published.day} has no run published before run {published.pk}, except those already rolled back from."
        )
    return run


@transaction.atomic
def roll_back(day: date, author: str, reason: str = "", to: int | None = None, seen: int | None = None) -> Rollback:
    """Roll the day back and record it. `seen` is the published run at the time the author decided.

    CannotRollBack, also if another run than `seen` is published by now; DayIsHeld if a run is working on the day.
    """
    lock_day(day)
    lock_publishing()
    change = change_of(day, to)
    if seen not in (None, change.withdrawn.pk):
        raise CannotRollBack(f"Run {change.withdrawn.pk} of {day} has been published in the meantime; check it first.")
    rollback = Rollback.objects.create(
        day=day, withdrawn=change.withdrawn, restored=change.restored, author=author, reason=reason
    )
    Run.objects.filter(pk=change.withdrawn.pk).update(state=Run.State.SUPERSEDED)
    Run.objects.filter(pk=change.restored.pk).update(state=Run.State.PUBLISHED, published_at=rollback.at)
    if Run.objects.published().newest() == change.restored:
        reactivate(change.restored)
    return rollback


def reactivate(run: Run) -> None:
    """Activate the advertisers that have a list in the run.

    If the withdrawn run read too short a list of active advertisers, it deactivated them. Advertisers that only the
    withdrawn run knew stay active, without a list.
    """
    for ranking in RANKINGS.values():
        listed = ranking.objects.of(run).filter(rank=1).values("advertiser")
        Advertiser.objects.filter(active=False, pk__in=listed).update(active=True)
