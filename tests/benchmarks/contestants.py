"""The programs to measure: Vitrina's job and its alternatives, each a command with an environment."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import psutil

from devstack.postgres import BATCH
from devstack.stack import Stack
from devstack.state import ROOT
from tests.benchmarks.events import Files

PEERS = Path(__file__).parent / "peers"
BENCH_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
"""The peers' Python, in the environment that `make bench` creates from requirements-bench.txt."""
PYTHON_PEERS = {"pandas": "pandas_to_sql.py", "Polars": "polars_streaming.py", "DuckDB": "duckdb_copy.py"}
PANDAS_BYTES_PER_ROW = 90
"""Memory that pandas needs, measured with 40 million rows: it holds one whole input at a time."""
S3A = (
    "--conf",
    "spark.hadoop.fs.s3a.path.style.access=true",
    "--conf",
    "spark.hadoop.fs.s3a.connection.ssl.enabled=false",
)
"""Settings that plain Spark needs for the local S3, beside AWS_ENDPOINT_URL."""
TUNED = (
    "--conf",
    "spark.sql.shuffle.partitions=4",
    "--conf",
    "spark.ui.enabled=false",
    "--driver-java-options",
    "-XX:+UseParallelGC",
)
"""Settings that make plain Spark faster on two cores: few shuffle partitions, no web UI, and the collector for throughput."""
OUR_SETTINGS = ("SPARK_CONF_DIR", "SPARK_SUBMIT_OPTS", "PYSPARK_SUBMIT_ARGS")
"""Variables that would give plain Spark our settings."""


@dataclass(frozen=True)
class Contestant:
    """A program that ranks a day, from the input files to PostgreSQL."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(repr=False)  # contains a password
    ranks: bool = True
    """Whether it writes rows under the run id that is appended to its arguments."""


def vitrina(
    stack: Stack, raw_uri: str, lake_uri: str, *options: str, name: str = "Vitrina", configuration: Path | None = None
) -> Contestant:
    """Return the nightly job as `make job` runs it, or with another folder of Spark's settings."""
    environment = {**stack.environment(BATCH), "RAW_URI": raw_uri, "LAKE_URI": lake_uri}
    if configuration:
        environment["SPARK_CONF_DIR"] = str(configuration)
    return Contestant(name, ("spark-submit", "spark_jobs/nightly.py", *options), environment, ranks=False)


def peers(stack: Stack, files: Files, day: date, rows: int) -> list[Contestant]:
    """Return the peers that can read `files` with that many rows on this machine, plain Spark first."""
    over_s3a = files.views.startswith("s3a:")
    environment = {name: value for name, value in stack.environment(BATCH).items() if name not in OUR_SETTINGS}
    environment["AWS_ALLOW_HTTP"] = "true"  # Polars refuses plain http without it
    plain_spark = ("spark-submit", *TUNED, *(S3A if over_s3a else ()), str(PEERS / "plain_spark.py"))
    # DuckDB reads S3 with an extension that no package registry has for this version.
    unable = {"DuckDB"} if over_s3a else set()
    if rows * PANDAS_BYTES_PER_ROW > psutil.virtual_memory().available:
        unable.add("pandas")
    python_peers = [(name, program) for name, program in PYTHON_PEERS.items() if name not in unable]
    python_files = [each.replace("s3a://", "s3://", 1) for each in files]
    return [
        Contestant("plain Spark", (*plain_spark, *files, str(day)), environment),
        *(
            Contestant(name, (str(BENCH_PYTHON), str(PEERS / program), *python_files, str(day)), environment)
            for name, program in python_peers
        ),
        Contestant("bare spark-submit", ("spark-submit", str(PEERS / "bare_spark.py")), environment, ranks=False),
    ]
