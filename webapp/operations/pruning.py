"""Deletes the rows of old runs and old days. The runs stay; the next nightly run deletes their folders in the lake."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from webapp.operations.locks import lock_day, lock_publishing
from webapp.rankings.models import RUN_TABLES, Run

LEAST_DAYS = 60
"""A run checks up to 31 earlier days for late events (LOOKBACK_DAYS), whose lists use the counts of 27 days before."""


def prunable_runs(keep: int, days: int | None = None) -> QuerySet[Run]:
    """The runs whose rows may go, oldest day first; never a running one.

    They are the runs beyond the `keep` (1 or more) newest of their day, except the published one, and with `days` every run
    of a day more than `days` before the newest published day.
    """
    newer = Run.objects.filter(day=OuterRef("day"), pk__gt=OuterRef("pk"))
    prunable = Q(Exists(newer[keep - 1 : keep])) & ~Q(state=Run.State.PUBLISHED)
    newest = Run.objects.published().newest()
    if days is not None and newest is not None:
        prunable |= Q(day__lt=newest.day - timedelta(days=days))
    return Run.objects.filter(prunable, pruned_at=None).exclude(state=Run.State.RUNNING).order_by("day", "id")


@transaction.atomic
def prune(run: Run, keep: int, days: int | None = None) -> bool:
    """Delete the run's rows, unless a rollback has published it in the meantime; return whether. DayIsHeld.

    A published run becomes superseded: its day is no longer published.
    """
    lock_day(run.day)
    lock_publishing()
    if not prunable_runs(keep, days).filter(pk=run.pk).exists():
        return False
    for model in RUN_TABLES:
        model._default_manager.filter(run=run).delete()
    Run.objects.filter(pk=run.pk, state=Run.State.PUBLISHED).update(state=Run.State.SUPERSEDED)
    Run.objects.filter(pk=run.pk).update(pruned_at=Now())
    return True
