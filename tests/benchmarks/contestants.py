"""Who is measured: Vitrina's job and what people would use instead, each a command and the environment it runs in."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import psutil

from devstack.postgres import BATCH
from devstack.stack import Stack
from devstack.state import ROOT
from tests.benchmarks.events import Files

PEERS = Path(__file__).parent / "peers"
THEIR_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
"""The peers' own environment, which `make bench` makes from requirements-bench.txt."""
IN_PYTHON = {"pandas": "pandas_to_sql.py", "Polars": "polars_streaming.py", "DuckDB": "duckdb_copy.py"}
PANDAS_BYTES_A_ROW = 90
"""Of memory, as measured at 40 million rows: pandas holds one whole input at a time."""
S3A = (
    "--conf",
    "spark.hadoop.fs.s3a.path.style.access=true",
    "--conf",
    "spark.hadoop.fs.s3a.connection.ssl.enabled=false",
)
"""What a plain Spark job needs to reach the local S3, whose address it takes from AWS_ENDPOINT_URL."""
OUR_SETTINGS = ("SPARK_CONF_DIR", "SPARK_SUBMIT_OPTS", "PYSPARK_SUBMIT_ARGS")
"""Variables that would give a plain Spark job settings of ours."""


@dataclass(frozen=True)
class Contestant:
    """A program that does a night's work from the raw files to PostgreSQL."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(repr=False)  # it holds a password
    ranks: bool = True
    """Whether it writes rankings, under the run that its last argument will be."""


def vitrina(stack: Stack, raw_uri: str, lake_uri: str, *options: str, name: str = "Vitrina") -> Contestant:
    """Return the nightly job as `make job` runs it."""
    environment = {**stack.environment(BATCH), "RAW_URI": raw_uri, "LAKE_URI": lake_uri}
    return Contestant(name, ("spark-submit", "spark_jobs/nightly.py", *options), environment, ranks=False)


def peers(stack: Stack, files: Files, day: date, rows: int) -> list[Contestant]:
    """Return the peers that can read `files` of so many rows on this machine, Spark's first."""
    over_s3a = files.views.startswith("s3a:")
    environment = {name: value for name, value in stack.environment(BATCH).items() if name not in OUR_SETTINGS}
    environment["AWS_ALLOW_HTTP"] = "true"  # Polars asks to be told
    plain_spark = ("spark-submit", *(S3A if over_s3a else ()), str(PEERS / "plain_spark.py"))
    # DuckDB's reader of S3 is an extension, which no package registry has for the DuckDB of today.
    unable = {"DuckDB"} if over_s3a else set()
    if rows * PANDAS_BYTES_A_ROW > psutil.virtual_memory().available:
        unable.add("pandas")
    in_python = [(name, program) for name, program in IN_PYTHON.items() if name not in unable]
    for_python = [each.replace("s3a://", "s3://", 1) for each in files]
    return [
        Contestant("plain Spark", (*plain_spark, *files, str(day)), environment),
        *(
            Contestant(name, (str(THEIR_PYTHON), str(PEERS / program), *for_python, str(day)), environment)
            for name, program in in_python
        ),
        Contestant("bare spark-submit", ("spark-submit", str(PEERS / "bare_spark.py")), environment, ranks=False),
    ]
