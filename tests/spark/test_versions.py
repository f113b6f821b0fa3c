"""Spark, Hadoop and S3A have the releases of this environment, and they match."""

import re

from devstack.spark import JARS, VENV
from devstack.state import ROOT
from spark_jobs.session import ON_EVERY_CLUSTER

EMR = "4.1.1"
"""The Spark release of EMR; tests/aws/test_emr.py compares it with the stack."""


def test_spark_is_the_locked_one(spark):
    requirements = ROOT / f"{VENV.name.replace('.venv', 'requirements')}.txt"
    [locked] = re.findall(r"^pyspark==(\S+)", requirements.read_text(), re.MULTILINE)

    assert spark.version == locked
    assert (spark.version == EMR) == (VENV.name == ".venv-emr")


def test_s3a_has_the_release_of_sparks_hadoop(spark):
    [of_s3a] = re.findall(r"hadoop-aws:([\d.]+)", JARS.read_text())

    assert spark._jvm.org.apache.hadoop.util.VersionInfo.getVersion() == of_s3a


def test_every_cluster_gets_the_settings_of_the_session(spark):
    hadoop = spark._jsc.hadoopConfiguration()
    used = {
        name: hadoop.get(name.removeprefix("spark.hadoop."))
        if name.startswith("spark.hadoop.")
        else spark.conf.get(name)
        for name in ON_EVERY_CLUSTER
    }

    assert used == ON_EVERY_CLUSTER
