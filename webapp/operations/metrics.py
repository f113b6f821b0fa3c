"""/metrics for Prometheus: the requests that django-prometheus counts, and gauges about the published runs."""

from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import Any

from django.db.models import Count
from django.http import HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django_prometheus.exports import ExportToDjangoView
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from rest_framework.request import Request
from rest_framework.views import APIView

from webapp.keys.permissions import Operates
from webapp.operations.freshness import A_DAY, load_gaps, newest_day_due
from webapp.rankings.models import RANKINGS, Run

gauge = GaugeMetricFamily


class Publications(Collector):
    """Gauges from the database: four queries per scrape, however many advertisers or days there are."""

    def collect(self) -> Iterator[Metric]:
        yield self.runs()
        newest = Run.objects.published().newest()
        overdue = newest is None or newest.day < newest_day_due()
        yield gauge("vitrina_overdue", "1 if a newer day should be published by now, otherwise 0", int(overdue))
        meaning = "Days that are due and not published, by reason: missing, or refused within LOOKBACK_DAYS"
        gaps = {reason: len(days) for reason, days in load_gaps()._asdict().items()}
        yield labelled_gauge("vitrina_gaps", meaning, "reason", gaps)
        if newest is not None:
            yield from self.newest(newest)

    def runs(self) -> Metric:
        found = dict(Run.objects.values_list("state").annotate(Count("pk")))
        return labelled_gauge("vitrina_runs", "Runs by state", "state", {s: found.get(s, 0) for s in Run.State.values})

    def newest(self, run: Run) -> Iterator[Metric]:
        day_began = datetime.combine(run.day, time(), UTC)
        age = (timezone.now() - day_began - A_DAY).total_seconds()
        yield gauge("vitrina_newest_day_timestamp_seconds", "Start of the newest published day", day_began.timestamp())
        yield gauge("vitrina_newest_day_age_seconds", "Seconds since the end of the newest published day", age)
        rows = {name: run.counts.get(ranking._meta.db_table) for name, ranking in RANKINGS.items()}
        yield labelled_gauge("vitrina_rows", "Rows in the lists of the newest published day, by model", "model", rows)
        read = run.counts.get("read", {})
        yield labelled_gauge("vitrina_read_rows", "Rows read for the newest published day, by input", "input", read)
        if total := sum(read.values()):
            share = sum(run.counts.get("rejected", {}).values()) / total
            yield gauge("vitrina_rejected_share", "Share of the rows read that were rejected, from 0 to 1", share)


def labelled_gauge(name: str, help_text: str, label: str, values: dict[str, Any]) -> Metric:
    """A gauge with one sample per label value. None, a number that the run did not record, is left out."""
    metric = gauge(name, help_text, labels=[label])
    for label_value, value in values.items():
        if value is not None:
            metric.add_metric([label_value], value)
    return metric


@method_decorator(never_cache, name="dispatch")
class MetricsView(APIView):
    """The scrape target. Prometheus needs a key for all advertisers, even if API_PUBLIC is on."""

    permission_classes = (Operates,)
    schema = None

    def get(self, request: Request) -> HttpResponse:
        published = CollectorRegistry()
        published.register(Publications())
        # The metrics of this process, or the sums over all workers if gunicorn has several.
        response: HttpResponse = ExportToDjangoView(request)
        response.content += generate_latest(published)
        return response
