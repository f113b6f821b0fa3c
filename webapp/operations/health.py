"""Health checks: is the process alive, is it ready to serve lists, and are the lists up to date?

Containers and load balancers use the first two. The third is for alarms: a server whose lists are overdue stays online,
because it still has those of earlier days.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from http import HTTPStatus

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.operations.freshness import load_gaps, newest_day_due
from webapp.rankings.models import Run

DAYS_TO_NAME = 5

Verdict = tuple[bool, str]
"""Whether a check passes, and a sentence about it."""


def database_answers() -> Verdict:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True, "The database is available."


def migrations_applied() -> Verdict:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        return False, f"{len(missing)} migrations are not applied; run `python manage.py migrate`."
    return True, "All migrations are applied."


def newest_day_in_time() -> Verdict:
    due = newest_day_due()
    newest = Run.objects.published().newest()
    if newest is None:
        return False, "No day is published yet; run the nightly job."
    if newest.day < due:
        return False, f"The newest published day is {newest.day}; {due} is overdue."
    return True, f"The newest published day is {newest.day}, and none newer is due."


def no_gaps() -> Verdict:
    gaps = load_gaps()
    found = []
    if gaps.missing:
        found.append(
            f"Missing: {in_short(gaps.missing)}; nightly runs process LOOKBACK_DAYS, --from and --to older days."
        )
    if gaps.refused:
        found.append(f"Refused by the audit: {in_short(gaps.refused)}; the runs say why.")
    return not found, " ".join(found) or "No day since the first published one is missing."


def in_short(days: Sequence[date]) -> str:
    """The first days, and how many more there are: “2026-03-02, 2026-03-05 and 3 more days”."""
    shown = ", ".join(map(str, days[:DAYS_TO_NAME]))
    return shown if len(days) <= DAYS_TO_NAME else f"{shown} and {len(days) - DAYS_TO_NAME} more days"


Checks = Mapping[str, Callable[[], Verdict]]
READY: Checks = {"database": database_answers, "migrations": migrations_applied}
FRESH: Checks = {"newest_day": newest_day_in_time, "gaps": no_gaps}


@method_decorator(never_cache, name="dispatch")
class OpenView(APIView):
    """A view without authentication, throttling or caching: probes have no key and need the present state."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()


class LiveView(OpenView):
    """Whether the process responds. Needs no database."""

    def get(self, request: Request) -> Response:
        return Response({"status": "alive"})


class CheckedView(OpenView):
    """A view that makes some checks: 200 if all of them pass, otherwise 503."""

    status: str
    checks: Checks

    def get(self, request: Request) -> Response:
        checks = {name: self.verdict(check) for name, check in self.checks.items()}
        passed = all(check["ok"] for check in checks.values())
        return Response(
            {"status": self.status if passed else f"not {self.status}", "checks": checks},
            status=HTTPStatus.OK if passed else HTTPStatus.SERVICE_UNAVAILABLE,
        )

    def verdict(self, check: Callable[[], Verdict]) -> dict[str, bool | str]:
        try:
            ok, message = check()
        except Error:
            ok, message = False, "The database is unavailable."
        return {"ok": ok, "message": message}


class ReadyView(CheckedView):
    """Whether the server can serve lists: 200 if the database responds and all migrations are applied, otherwise 503."""

    status = "ready"
    checks = READY


class FreshView(CheckedView):
    """Whether the lists are up to date: 200 if the newest day is on time and no day before it is missing, otherwise 503.

    For alarms, not for load balancers: a server whose lists are overdue still serves those of earlier days.
    """

    status = "fresh"
    checks = FRESH
