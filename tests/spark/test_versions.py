"""Spark, its Hadoop and S3A are the releases that this environment is for, and fit one another."""

import re

from devstack.bootstrap import JARS, VENV
from devstack.state import ROOT

EMR = "4.0.2"
"""The Spark of EMR, by docs/deploy.md."""


def test_spark_is_the_locked_one(spark):
    requirements = ROOT / f"{VENV.name.replace('.venv', 'requirements')}.txt"
    [locked] = re.findall(r"^pyspark==(\S+)", requirements.read_text(), re.MULTILINE)

    assert spark.version == locked
    assert (spark.version == EMR) == (VENV.name == ".venv-emr")


def test_s3a_is_of_the_hadoop_that_spark_brings(spark):
    [of_s3a] = re.findall(r"hadoop-aws:([\d.]+)", JARS.read_text())

    assert spark._jvm.org.apache.hadoop.util.VersionInfo.getVersion() == of_s3a
