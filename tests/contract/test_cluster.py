"""A run on a cluster: Spark's local-cluster with three executors, each a JVM process."""

from collections import Counter

import pytest

from tests.conftest import ADS, DAY, VIEWS
from webapp.rankings.models import TopProduct

EXECUTORS = 3
SMALL, PRODUCTS, EVENTS = 30, 30_000, 120_000
"""Advertisers besides `big`, products of `big`, and views, and ad events, of all; half of them are of `big`."""
A_FEW_ROWS = 20_000
"""Most bytes that a task may send to the driver: Comet's metrics take 17,000, a partition of products would add 40,000."""

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def skewed():
    """A day's files; `big` has half of all events."""
    advertisers = [f"small{n}" for n in range(SMALL)]
    rows = [
        ("big", f"p{n % PRODUCTS}", n) if n % 2 else (advertisers[n // 2 % SMALL], f"p{n % 100}", n)
        for n in range(EVENTS)
    ]
    return {
        "advertiser_ids": "\n".join(["advertiser_id", "big", *advertisers]),
        "product_views": VIEWS + "\n".join(f"{advertiser},{product},{DAY}" for advertiser, product, _ in rows),
        "ads_views": ADS
        + "\n".join(
            f"{advertiser},{product},{'click' if n % 7 == 1 else 'impression'},{DAY}" for advertiser, product, n in rows
        ),
    }


@pytest.fixture
def tasks(bucket, start_job, skewed, event_log):
    """Run the skewed day on the cluster and return Spark's log of each task."""
    bucket(**skewed)
    settings = {
        "spark.executor.memory": "700m",
        # What conf/comet.conf says of a cluster; its partitions are not coalesced although this day is small.
        "spark.sql.adaptive.enabled": "true",
        "spark.sql.shuffle.partitions": "18",
        "spark.sql.adaptive.coalescePartitions.enabled": "false",
    }
    options = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    master = ["--master", f"local-cluster[{EXECUTORS},1,1024]"]
    code, report, said = start_job(spark=[*master, *options, *event_log.options]).wait()
    assert (code, report["state"]) == (0, "published"), said
    return event_log.events("TaskEnd")


def shuffled(task, *metrics):
    return sum(task["Task Metrics"]["Shuffle Read Metrics"][metric] for metric in metrics)


def test_a_skewed_day_is_spread_over_the_executors_and_sends_only_sums_to_the_driver(tasks):
    for metrics in (["Total Records Read"], ["Remote Bytes Read", "Local Bytes Read"]):
        by_stage: Counter[int] = Counter()
        for task in tasks:
            by_stage[task["Stage ID"]] += shuffled(task, *metrics)

        assert max(shuffled(task, *metrics) for task in tasks) < max(by_stage.values()) / EXECUTORS

    results = [task["Task Metrics"]["Result Size"] for task in tasks]
    assert max(results) < A_FEW_ROWS
    assert {task["Task Info"]["Executor ID"] for task in tasks} == {str(n) for n in range(EXECUTORS)}
    assert TopProduct.objects.published().filter(advertiser_id="big").count() == 20
