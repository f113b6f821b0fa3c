"""The result of `make package`, a script and a zip, used outside of any checkout, as on a cluster."""

import re
import subprocess
import sys

import boto3
import pytest

from devstack.package import without_spark, zip_the_job
from devstack.s3 import REGION
from devstack.state import ROOT
from tests.contract.test_spark_submit import ACTIVE, ADS, VIEWS
from webapp.rankings.models import Run


def test_the_same_sources_make_the_same_zip(tmp_path):
    zip_the_job(tmp_path / "one.zip")
    another_time = (
        "import sys; from pathlib import Path; from devstack.package import zip_the_job; zip_the_job(Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", another_time, tmp_path / "two.zip"], cwd=ROOT, check=True)

    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_the_requirements_for_a_cluster_leave_out_spark():
    needed = re.findall(r"^([a-z0-9-]+)==", without_spark((ROOT / "requirements-spark.txt").read_text()), re.MULTILINE)

    assert {"psycopg2-binary", "boto3"} < set(needed)
    assert not {"pyspark", "py4j"} & set(needed)


@pytest.mark.long
def test_the_zip_runs_in_an_empty_folder_with_its_database_url_from_secrets_manager(stack, bucket, url, packaged_job):
    bucket(advertiser_ids=ACTIVE, product_views=VIEWS, ads_views=ADS)
    manager = boto3.client("secretsmanager", endpoint_url=stack.s3.endpoint(), region_name=REGION)
    secret = manager.create_secret(Name="batch-url", SecretString=url)["ARN"]
    ended = packaged_job(DATABASE_SECRET=secret, DATABASE_URL="")

    assert (ended.code, Run.objects.published().count()) == (0, 1), ended.output
