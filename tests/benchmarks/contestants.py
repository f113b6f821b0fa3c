"""Who is measured: Vitrina's job and what people would use instead, each a command and the environment it runs in."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from devstack.postgres import BATCH
from devstack.stack import Stack
from devstack.state import ROOT
from tests.benchmarks.events import Files

PEERS = Path(__file__).parent / "peers"
THEIR_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
"""The peers' own environment, which `make bench` makes from requirements-bench.txt."""
SPARKS_OWN = ("SPARK_CONF_DIR", "SPARK_SUBMIT_OPTS", "PYSPARK_SUBMIT_ARGS")
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


def peers(stack: Stack, files: Files, day: date) -> list[Contestant]:
    """Return the peers that can read `files`, Spark's first."""
    arguments = (*files, str(day))
    environment = {name: value for name, value in stack.environment(BATCH).items() if name not in SPARKS_OWN}
    if not files.views.startswith("s3a:"):
        in_python = {"pandas": "pandas_to_sql", "Polars": "polars_streaming", "DuckDB": "duckdb_copy"}
        options: tuple[str, ...] = ()
    else:
        # DuckDB's reader of S3 is an extension, which no package registry has for the DuckDB of today.
        in_python = {"pandas": "pandas_to_sql", "Polars": "polars_streaming"}
        environment["AWS_ALLOW_HTTP"] = "true"  # Polars asks to be told
        s3a = {
            "endpoint": environment["AWS_ENDPOINT_URL"],
            "path.style.access": "true",
            "connection.ssl.enabled": "false",
        }
        options = tuple(
            word for name, value in s3a.items() for word in ("--conf", f"spark.hadoop.fs.s3a.{name}={value}")
        )
    for_python = [each.replace("s3a://", "s3://", 1) for each in arguments]
    return [
        Contestant("plain Spark", ("spark-submit", *options, str(PEERS / "plain_spark.py"), *arguments), environment),
        *(
            Contestant(name, (str(THEIR_PYTHON), str(PEERS / f"{program}.py"), *for_python), environment)
            for name, program in in_python.items()
        ),
        Contestant("bare spark-submit", ("spark-submit", str(PEERS / "bare_spark.py")), environment, ranks=False),
    ]
