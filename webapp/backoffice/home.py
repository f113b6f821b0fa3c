"""What the admin's home page shows: the newest published day, the last 30 days, and which advertisers need a look."""

from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.text import get_text_list

from webapp.backoffice.month import load_month, render_month
from webapp.curation.models import HiddenProduct
from webapp.lists.response_cache import cached_figures
from webapp.lists.selection import lasting_models
from webapp.lists.statistics import load_most_changed
from webapp.operations import freshness
from webapp.rankings.models import Advertiser, Run

TABLE_ROWS = 10


def home_context(user: User | AnonymousUser) -> dict[str, Any]:
    """The template's context, empty for users who may not see runs. Takes nine queries at most."""
    if not user.has_perm("rankings.view_run"):
        return {}
    run = Run.objects.published().newest()
    context = freshness.banner(run) | {
        "may_view_runs": True,
        "gaps": freshness.load_gaps(),
        "last_runs": Run.objects.latest_started()[:TABLE_ROWS],
        "hidden": HiddenProduct.objects.in_force().order_by("until", "id")[:TABLE_ROWS],
    }
    if run is None:
        return context
    models, (incomplete, incomplete_count) = list(lasting_models(run)), load_incomplete_advertisers(run)
    return context | {
        "month": render_month(load_month(run), run.day),
        "most_changed": load_most_changed(run, Run.objects.published().before(run.day).newest(), TABLE_ROWS),
        "models": models,
        "models_in_words": get_text_list(models, "and"),
        "incomplete": incomplete,
        "incomplete_count": incomplete_count,
    }


def load_incomplete_advertisers(run: Run) -> tuple[list[dict[str, Any]], int]:
    """The first advertisers of `incomplete_advertisers`, and how many there are.

    Cached by run, because active advertisers change only when a run is published.
    """
    advertisers, models = incomplete_advertisers(run), lasting_models(run)

    def load() -> tuple[list[dict[str, Any]], int]:
        rows = list(advertisers[:TABLE_ROWS])
        has_list = [{"advertiser_id": row["advertiser_id"], "has_list": [row[name] for name in models]} for row in rows]
        return has_list, advertisers.count()

    return cached_figures(("incomplete", run.pk, run.published_at), load)


def incomplete_advertisers(run: Run) -> QuerySet[Advertiser, Any]:
    """Active advertisers without a list of every lasting model: advertiser_id and, by model, whether there is one."""
    has_list = {
        name: Exists(ranking.objects.of(run).filter(rank=1, advertiser=OuterRef("pk")))
        for name, ranking in lasting_models(run).items()
    }
    incomplete = Advertiser.objects.active().annotate(**has_list).exclude(**dict.fromkeys(has_list, True))
    return incomplete.order_by("advertiser_id").values("advertiser_id", *has_list)
