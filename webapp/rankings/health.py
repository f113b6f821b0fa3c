"""Whether the server lives, and whether it has something to say. For load balancers and alarms."""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webapp.rankings.freshness import newest_day_due
from webapp.rankings.models import Run

Verdict = tuple[bool, str]


def database_answers() -> Verdict:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True, "The database answers."


def migrations_applied() -> Verdict:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        return False, f"{len(missing)} migrations are not applied: `python manage.py migrate` does it."
    return True, "Every migration is applied."


def newest_day_in_time() -> Verdict:
    due = newest_day_due(settings.PUBLISH_DEADLINE)
    newest = Run.objects.published().newest()
    if newest is None:
        return False, "No day is published yet: the nightly job has not run."
    if newest.day < due:
        return False, f"The newest published day is {newest.day}; {due} is overdue."
    return True, f"The newest published day is {newest.day}, and none newer is due."


CHECKS: dict[str, Callable[[], Verdict]] = {
    "database": database_answers,
    "migrations": migrations_applied,
    "newest_day": newest_day_in_time,
}


class OpenView(APIView):
    """Open to everybody, as often as they like: a probe has no key, and must not be turned away."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()


@method_decorator(never_cache, name="dispatch")
class LiveView(OpenView):
    """Whether the server answers at all; asks nobody else."""

    def get(self, request: Request) -> Response:
        return Response({"status": "alive"})


@method_decorator(never_cache, name="dispatch")
class ReadyView(OpenView):
    """Whether the server has lists to hand out: 200 if every check is passed, 503 if not."""

    def get(self, request: Request) -> Response:
        checks = {name: self.verdict(check) for name, check in CHECKS.items()}
        ready = all(check["ok"] for check in checks.values())
        return Response(
            {"status": "ready" if ready else "not ready", "checks": checks},
            status=HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE,
        )

    def verdict(self, check: Callable[[], Verdict]) -> dict[str, bool | str]:
        try:
            ok, message = check()
        except Error:
            ok, message = False, "The database could not be asked."
        return {"ok": ok, "message": message}
