"""/metrics: requests and their times as django-prometheus counts them, and how the nights went, as the database has it."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import Any

from django.conf import settings
from django.db.models import Count
from django.http import HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from rest_framework.request import Request
from rest_framework.views import APIView

from webapp.keys.permissions import Operates
from webapp.rankings.freshness import A_DAY, newest_day_due
from webapp.rankings.models import RANKINGS, Run


class Publications(Collector):
    """Three queries at each look, whatever the number of advertisers or days."""

    def collect(self) -> Iterator[Metric]:
        yield self.runs()
        newest = Run.objects.published().newest()
        overdue = newest is None or newest.day < newest_day_due(settings.PUBLISH_DEADLINE)
        yield gauge("vitrina_overdue", "1 if newer lists should be out by now, 0 if not", int(overdue))
        if newest is not None:
            yield from self.newest(newest)

    def runs(self) -> Metric:
        found = dict(Run.objects.values_list("state").annotate(Count("pk")))
        metric = GaugeMetricFamily("vitrina_runs", "Runs in the ledger by state", labels=["state"])
        for state in Run.State.values:
            metric.add_metric([state], found.get(state, 0))
        return metric

    def newest(self, run: Run) -> Iterator[Metric]:
        day_began = datetime.combine(run.day, time(), UTC)
        age = (timezone.now() - day_began - A_DAY).total_seconds()
        yield gauge(
            "vitrina_newest_day_timestamp_seconds", "When the newest published day began", day_began.timestamp()
        )
        yield gauge("vitrina_newest_day_age_seconds", "Seconds since the newest published day ended", age)
        yield by_label(
            "vitrina_rows",
            "Rows of the newest published day's lists, by model",
            "model",
            {name: run.counts.get(ranking._meta.db_table) for name, ranking in RANKINGS.items()},
        )
        read = run.counts.get("read", {})
        yield by_label("vitrina_read_rows", "Rows read for the newest published day, by input", "input", read)
        if total := sum(read.values()):
            rejected = sum(run.counts.get("rejected", {}).values())
            yield gauge("vitrina_rejected_share", "Rejected rows of those read, from 0 to 1", rejected / total)


def gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value)


def by_label(name: str, meaning: str, label: str, values: dict[str, Any]) -> Metric:
    """A gauge with one labelled value each; those that the run did not count are left out."""
    metric = GaugeMetricFamily(name, meaning, labels=[label])
    for what, value in values.items():
        if value is not None:
            metric.add_metric([what], value)
    return metric


@method_decorator(never_cache, name="dispatch")
class MetricsView(APIView):
    """For Prometheus, which sends a key of all advertisers; API_PUBLIC does not open it."""

    permission_classes = (Operates,)
    schema = None

    def get(self, request: Request) -> HttpResponse:
        exposed = CollectorRegistry()
        exposed.register(Publications())
        return HttpResponse(generate_latest(counted()) + generate_latest(exposed), content_type=CONTENT_TYPE_LATEST)


def counted() -> CollectorRegistry:
    """This process's own numbers, or those of all workers together where gunicorn has several."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    together = CollectorRegistry()
    MultiProcessCollector(together)
    return together
