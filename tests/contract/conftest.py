"""Fixtures of the cluster tests: the packaged job, outside of any checkout, and its Spark event log."""

import json
from pathlib import Path
from typing import Any

import pytest

from devstack.package import package
from tests.conftest import DAY
from tests.processes import Job


@pytest.fixture
def packaged_job(url, prefix, tmp_path):
    """A function that runs the nightly job from the result of `make package`, in an empty folder."""
    code, empty = tmp_path / "code", tmp_path / "empty"
    jobs = []

    def run(*options, **environment):
        package(code)
        empty.mkdir()
        places = {"DATABASE_URL": url, "RAW_URI": f"{prefix}/raw", "LAKE_URI": f"{prefix}/lake", **environment}
        command = [*options, "--py-files", str(code / "spark_jobs.zip"), str(code / "nightly.py"), "--day", DAY]
        jobs.append(Job(*command, environment=places, folder=empty))
        return jobs[-1].wait()

    yield run
    for job in jobs:
        job.kill()


class EventLog:
    """The event log of a Spark application."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        settings = {"enabled": "true", "compress": "false", "dir": folder.as_uri()}
        self.options = [
            part for name, value in settings.items() for part in ("--conf", f"spark.eventLog.{name}={value}")
        ]

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the events of one Spark listener."""
        files = [path for path in self.folder.rglob("*") if path.is_file() and "appstatus" not in path.name]
        every = [json.loads(line) for path in files for line in path.read_text().splitlines()]
        return [event for event in every if event["Event"] == f"SparkListener{name}"]


@pytest.fixture
def event_log(tmp_path):
    """The event log of an application that is started with `options`."""
    (tmp_path / "events").mkdir()
    return EventLog(tmp_path / "events")
