"""spark-submit starts from the class archive that `make setup` creates, in any working directory."""

import subprocess

import pytest


@pytest.fixture
def submit(stack, tmp_path):
    """A function that submits an empty program from a folder and returns its exit code and output."""
    program = tmp_path / "empty.py"
    program.write_text("from pyspark.sql import SparkSession\nSparkSession.builder.getOrCreate().stop()\n")

    def run(folder, **variables):
        done = subprocess.run(
            ["spark-submit", program],
            cwd=folder,
            env=stack.environment() | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    return run


def test_sparks_classes_come_from_the_archive(submit, tmp_path):
    loaded = tmp_path / "classes.txt"
    code, output = submit(tmp_path, SPARK_SUBMIT_OPTS=f"-Xlog:class+load:file={loaded}")
    spark = [line for line in loaded.read_text().splitlines() if " org.apache.spark." in line]
    archived, read_from_jars = (sum(source in line for line in spark) for source in ("shared objects file", ".jar"))

    assert code == 0, output
    assert archived > 10 * read_from_jars
    assert archived > 1000
