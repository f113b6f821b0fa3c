"""A night on a cluster: the master is Spark's own local-cluster of four executors, each a process with a JVM of its own."""

from collections import Counter

import pytest

from tests.conftest import ADS, DAY, VIEWS
from webapp.rankings.models import TopProduct

EXECUTORS = 4
SMALL, PRODUCTS, EVENTS = 30, 15_000, 60_000
"""Advertisers beside `big`, products of `big`, and how many views and as many ad events all have; half are big's."""
A_FEW_ROWS = 12_000
"""Bytes that a task sends the driver at most: its metrics are 9,000 of them, a part of the products would be 40,000 more."""

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def skewed():
    """A day's files of which `big` has half of all events."""
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
    """Run the skewed night on the cluster and return what Spark logged of each task."""
    bucket(**skewed)
    settings = {
        "spark.executor.memory": "700m",
        # As many partitions as a cluster's conf/ would have, and none put together again because this day is small.
        "spark.sql.shuffle.partitions": "16",
        "spark.sql.adaptive.coalescePartitions.enabled": "false",
    }
    options = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    master = ["--master", f"local-cluster[{EXECUTORS},1,1024]"]
    code, report, said = start_job(spark=[*master, *options, *event_log.options]).wait()
    assert (code, report["state"]) == (0, "published"), said
    return event_log.events("TaskEnd")


def test_a_skewed_night_is_spread_over_the_executors_and_brings_the_driver_but_sums(tasks):
    read: Counter[int] = Counter()
    for task in tasks:
        read[task["Stage ID"]] += task["Task Metrics"]["Shuffle Read Metrics"]["Total Records Read"]
    most_by_one_task = max(task["Task Metrics"]["Shuffle Read Metrics"]["Total Records Read"] for task in tasks)

    assert {task["Task Info"]["Executor ID"] for task in tasks} == {str(n) for n in range(EXECUTORS)}
    assert most_by_one_task < max(read.values()) / EXECUTORS
    assert max(task["Task Metrics"]["Result Size"] for task in tasks) < A_FEW_ROWS
    assert TopProduct.objects.published().filter(advertiser_id="big").count() == 20
