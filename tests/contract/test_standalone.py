"""The packaged job on Spark's standalone cluster: a master, two workers and a driver on this machine."""

import json
import subprocess
import time
from contextlib import ExitStack, suppress
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from devstack.state import free_port
from tests.contract.test_spark_submit import ACTIVE, ADS, VIEWS
from webapp.rankings.models import TopProduct

WORKERS = 2

pytestmark = pytest.mark.long


@pytest.fixture
def cluster(tmp_path):
    """The master's URL, once both workers have joined."""
    port, page = free_port(), free_port()
    master = f"spark://127.0.0.1:{port}"
    log = tmp_path / "cluster.log"
    starts: list[tuple[object, ...]] = [("master.Master", "--port", port, "--webui-port", page)]
    for n in range(WORKERS):
        folder = tmp_path / f"worker{n}"
        starts.append(
            ("worker.Worker", "--cores", 1, "--memory", "1g", "--work-dir", folder, "--webui-port", 0, master)
        )
    with log.open("w") as output, ExitStack() as daemons:
        for name, *options in starts:
            command = ["spark-class", f"org.apache.spark.deploy.{name}", "--host", "127.0.0.1", *map(str, options)]
            daemon = subprocess.Popen(command, cwd=tmp_path, stdout=output, stderr=output)
            daemons.enter_context(daemon)  # waits for its end
            daemons.callback(daemon.terminate)
        patience = time.monotonic() + 60
        while joined(page) < WORKERS:
            assert time.monotonic() < patience, log.read_text()
            time.sleep(0.2)
        yield master


def joined(page):
    """Return how many workers the master's page counts."""
    with suppress(URLError), urlopen(f"http://127.0.0.1:{page}/json/") as answer:
        return json.load(answer)["aliveworkers"]
    return 0


@pytest.mark.django_db(transaction=True)
def test_both_workers_share_a_run(cluster, packaged_job, event_log, bucket):
    bucket(advertiser_ids=ACTIVE, product_views=VIEWS, ads_views=ADS)
    ended = packaged_job("--master", cluster, "--conf", "spark.executor.memory=512m", *event_log.options)
    executors = {task["Task Info"]["Executor ID"] for task in event_log.events("TaskEnd")}

    assert (ended.code, ended.report["state"]) == (0, "published"), ended.output
    assert len(executors) == WORKERS
    assert TopProduct.objects.published().count() == 2
