"""Dockerfile.spark, built and run: sample events and a whole night, as its user, beside a real PostgreSQL and local S3."""

import hashlib
import json
import os

import pytest

from devstack.bootstrap import JAR_HASHES
from webapp.rankings.models import Run, TopCTR, TopProduct

pytestmark = pytest.mark.long
STORAGE = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT_URL")


@pytest.fixture
def variables(stack, url, prefix):
    """What the job is told: the test's database, as the batch's role, and a folder of its own in S3."""
    exports = stack.exports()
    return {
        **{name: exports[name] for name in STORAGE},
        "DATABASE_URL": url,
        "RAW_URI": f"{prefix}/raw",
        "LAKE_URI": f"{prefix}/lake",
        "SPARK_SUBMIT_OPTS": os.environ["SPARK_SUBMIT_OPTS"],
    }


def test_it_makes_a_day_of_events_and_a_night_of_them(spark_image, variables, tmp_path):
    log = tmp_path / "log"
    sample = ("spark-submit", "spark_jobs/sample_data.py", "--days", "1", "--events-per-day", "20000")
    code, said = spark_image.run(*sample, log=log, seconds=400, **variables)
    assert code == 0, said
    code, said = spark_image.run(log=log, seconds=400, **variables)
    report = next(json.loads(line) for line in said.splitlines() if line.startswith("{"))

    assert (code, report["state"]) == (0, "published"), said
    run = Run.objects.published().get()
    assert (TopProduct.objects.of(run).count(), TopCTR.objects.of(run).count()) == (400, 400)


def test_its_jars_are_those_of_the_list_and_nothing_is_fetched(spark_image):
    jars = spark_image.root / "app/.venv/spark/jars"
    listed = dict(line.split()[::-1] for line in JAR_HASHES.read_text().splitlines())
    settings = (spark_image.root / "app/conf/spark-defaults.conf").read_text()

    assert {name: hashlib.sha256((jars / name).read_bytes()).hexdigest() for name in listed} == listed
    assert "spark.jars.packages" not in settings


def test_without_configuration_it_ends_with_one_sentence(spark_image, tmp_path):
    code, said = spark_image.run(log=tmp_path / "log")

    assert code == 2
    assert "DATABASE_URL is not set" in said
    assert "Traceback" not in said
