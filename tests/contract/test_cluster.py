"""A night on a cluster: the master is Spark's own local-cluster of four executors, each a process with a JVM of its own."""

import json
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
def events_of_a_night(bucket, start_job, skewed, tmp_path):
    """Run the skewed night on the cluster and return what Spark logged of it."""
    bucket(**skewed)
    (tmp_path / "events").mkdir()
    settings = {
        "spark.executor.memory": "700m",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.compress": "false",
        "spark.eventLog.dir": (tmp_path / "events").as_uri(),
        # As many partitions as a cluster's conf/ would have, and none put together again because this day is small.
        "spark.sql.shuffle.partitions": "16",
        "spark.sql.adaptive.coalescePartitions.enabled": "false",
    }
    options = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    code, report, said = start_job(spark=["--master", f"local-cluster[{EXECUTORS},1,1024]", *options]).wait()
    assert (code, report["state"]) == (0, "published"), said
    logs = [path for path in (tmp_path / "events").rglob("*") if path.is_file() and "appstatus" not in path.name]
    return [json.loads(line) for path in logs for line in path.read_text().splitlines()]


def test_a_skewed_night_is_spread_over_the_executors_and_brings_the_driver_but_sums(events_of_a_night):
    tasks = [event for event in events_of_a_night if event["Event"] == "SparkListenerTaskEnd"]
    read: Counter[int] = Counter()
    for task in tasks:
        read[task["Stage ID"]] += task["Task Metrics"]["Shuffle Read Metrics"]["Total Records Read"]
    most_by_one_task = max(task["Task Metrics"]["Shuffle Read Metrics"]["Total Records Read"] for task in tasks)

    assert {task["Task Info"]["Executor ID"] for task in tasks} == {str(n) for n in range(EXECUTORS)}
    assert most_by_one_task < max(read.values()) / EXECUTORS
    assert max(task["Task Metrics"]["Result Size"] for task in tasks) < A_FEW_ROWS
    assert TopProduct.objects.published().filter(advertiser_id="big").count() == 20
