"""What the home page of the admin knows: last night, the last 30 days, and whom to look at."""

from datetime import date
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, OuterRef, QuerySet

from webapp.curation.models import HiddenProduct
from webapp.office.month import drawn, month_until
from webapp.rankings import freshness
from webapp.rankings.memory import kept_figures
from webapp.rankings.models import LASTING, Advertiser, Run
from webapp.rankings.scorecards import Scorecard, scorecards
from webapp.rankings.statistics import most_changed

ROWS = 10  # of each of the page's tables
DAYS_OF_SCORECARDS = 7


def state_of_things(user: User | AnonymousUser) -> dict[str, Any]:
    """The page's context; nothing for somebody who may not see runs. Nine queries at most, whatever the advertisers."""
    if not user.has_perm("rankings.view_run"):
        return {}
    run = Run.objects.published().newest()
    context = {
        "may_look": True,
        "run": run,
        "deadline": settings.PUBLISH_DEADLINE,
        "yesterday": freshness.yesterday(),
        "last_runs": Run.objects.latest_started()[:ROWS],
        "hidden": HiddenProduct.objects.in_force().order_by("until", "id")[:ROWS],
    }
    if run is None:
        return context | {"state": "empty"}
    lacking, lacking_count = lacking_a_list(run)
    return context | {
        "state": "fresh" if freshness.is_fresh(run.day) else "stale",
        "overdue": run.day < freshness.newest_day_due(settings.PUBLISH_DEADLINE),
        "age": freshness.in_words(run.day),
        "month": drawn(month_until(run), run.day),
        "most_changed": most_changed(run, Run.objects.published().before(run.day).newest(), ROWS),
        "scorecards": scorecards_until(run),
        "lacking": lacking,
        "lacking_count": lacking_count,
    }


def scorecards_until(run: Run) -> list[tuple[date, list[Scorecard]]]:
    """How the lists did on the last days up to the run's, newest first; days that say nothing of it are left out."""
    week = Run.objects.published().between(run.day - (DAYS_OF_SCORECARDS - 1) * freshness.A_DAY, run.day)
    found = ((each.day, scorecards(each)) for each in week.newest_first().only("day", "counts"))
    return [(day, cards) for day, cards in found if cards]


def lacking_a_list(run: Run) -> tuple[list[dict[str, Any]], int]:
    """The first of those without a list, and how many they are. Who is active changes with the newest publication only."""
    lacking = without_a_list(run)
    return kept_figures(("lacking", run.pk, run.published_at), lambda: (list(lacking[:ROWS]), lacking.count()))


def without_a_list(run: Run) -> QuerySet[Advertiser, Any]:
    """The active advertisers who lack a list that every day has, as (advertiser_id, one flag a ranking: is it there)."""
    has = {
        name: Exists(ranking.objects.of(run).filter(rank=1, advertiser=OuterRef("pk")))
        for name, ranking in LASTING.items()
    }
    lacking = Advertiser.objects.active().annotate(**has).exclude(**dict.fromkeys(LASTING, True))
    return lacking.order_by("advertiser_id").values("advertiser_id", *LASTING)
