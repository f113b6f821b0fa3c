"""The image of Dockerfile.spark runs sample_data.py and nightly.py against a real PostgreSQL and the local S3."""

import hashlib
import json
import os
import time

import psutil
import pytest

from devstack.spark import JARS, hashes_of
from tests.faults.points import COUNTED, IS_FREE, OPENED
from tests.images.contents import Contents, Expected
from webapp.rankings.models import Run, TopCTR, TopProduct

pytestmark = pytest.mark.long
STORAGE = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT_URL")


@pytest.fixture
def image(spark_image):
    return spark_image


class TestContents(Contents):
    expected = Expected(1400, "185:185", "Vitrina job", {".venv", "conf", "requirements-spark.txt", "spark_jobs"})


@pytest.fixture
def variables(stack, url, prefix):
    """The job's environment variables: the test's database with the batch role, and a separate S3 prefix."""
    exports = stack.exports()
    return {
        **{name: exports[name] for name in STORAGE},
        "DATABASE_URL": url,
        "RAW_URI": f"{prefix}/raw",
        "LAKE_URI": f"{prefix}/lake",
        "SPARK_SUBMIT_OPTS": os.environ["SPARK_SUBMIT_OPTS"],
    }


def test_it_writes_a_day_of_sample_events_and_ranks_it(spark_image, variables, tmp_path):
    log = tmp_path / "log"
    sample = ("spark-submit", "spark_jobs/sample_data.py", "--days", "1", "--events-per-day", "20000")
    code, output = spark_image.run(*sample, log=log, seconds=400, **variables)
    assert code == 0, output
    code, output = spark_image.run(log=log, seconds=400, **variables)
    report = next(json.loads(line) for line in output.splitlines() if line.startswith("{"))

    assert (code, report["state"]) == (0, "published"), output
    run = Run.objects.published().get()
    assert (TopProduct.objects.of(run).count(), TopCTR.objects.of(run).count()) == (400, 400)


def test_a_stopped_container_fails_its_run_and_unlocks_its_day_within_ten_seconds(
    spark_image, variables, session, tmp_path
):
    log = tmp_path / "log"
    spark_image.run("spark-submit", "spark_jobs/sample_data.py", "--days", "1", log=log, seconds=400, **variables)
    job = spark_image.start(log=log, **variables)
    session.wait_until(OPENED.is_there)
    with session.holding(COUNTED.locks):
        session.wait_until(COUNTED.is_there)
        [first_process] = psutil.Process(job.pid).children()
        first_process.terminate()
        sent = time.monotonic()
        session.wait_until(IS_FREE)
        took = time.monotonic() - sent

    assert took < 10
    assert job.wait(10) != 0
    assert Run.objects.get().state == "failed"
    assert "stopped by a signal" in Run.objects.get().message


def test_it_contains_the_locked_jars_and_fetches_none(spark_image):
    jars = spark_image.root / "app/.venv/spark/jars"
    listed = dict(line.split()[::-1] for line in hashes_of(JARS).read_text().splitlines())
    settings = (spark_image.root / "app/conf/spark-defaults.conf").read_text()

    assert {name: hashlib.sha256((jars / name).read_bytes()).hexdigest() for name in listed} == listed
    assert "spark.jars.packages" not in settings


def test_without_configuration_it_stops_with_one_sentence(spark_image, tmp_path):
    code, output = spark_image.run(log=tmp_path / "log")

    assert code == 2
    assert "DATABASE_URL is not set" in output
    assert "Traceback" not in output
