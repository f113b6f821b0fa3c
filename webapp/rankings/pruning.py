"""Which runs a day can do without, and how they go: rows and lake; the ledger keeps their numbers and reasons."""

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from webapp.rankings.lake import Lake, remove_run
from webapp.rankings.locks import hold
from webapp.rankings.models import RUN_TABLES, Run


def superfluous(keep: int) -> QuerySet[Run]:
    """The runs with `keep` (1 or more) newer ones of their day, oldest day first; never a published or running one."""
    newer = Run.objects.filter(day=OuterRef("day"), pk__gt=OuterRef("pk"))
    in_use = (Run.State.PUBLISHED, Run.State.RUNNING)
    return (
        Run.objects.filter(Exists(newer[keep - 1 : keep]), pruned_at=None)
        .exclude(state__in=in_use)
        .order_by("day", "id")
    )


@transaction.atomic
def prune(run: Run, keep: int, lake: Lake) -> bool:
    """Remove the run's rows and its part of the lake, unless a rollback has published it meanwhile; tell whether.

    The lake goes last, within the transaction: where either refuses, the rows stay, and the run is pruned another time.
    LakeTrouble; DayIsHeld if a run is at work on the day.
    """
    hold(run.day)
    if not superfluous(keep).filter(pk=run.pk).exists():
        return False
    for model in RUN_TABLES:
        model._default_manager.filter(run=run).delete()
    Run.objects.filter(pk=run.pk).update(pruned_at=Now())
    remove_run(lake, run.day, run.pk)
    return True
