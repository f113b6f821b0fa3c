"""conf/schedule: 04:00 on one machine. What the clock would start is started here, and systemd reads its units."""

import configparser
import fcntl
import os
import re
import shlex
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest

from devstack.state import ROOT
from tests.conftest import DAY
from tests.contract.test_spark_submit import ACTIVE, ADS, VIEWS
from webapp.rankings.models import Run

FOLDER = ROOT / "conf/schedule"
INSTALLED, ENVIRONMENT = "/opt/vitrina", "/etc/vitrina/batch.env"


@pytest.fixture
def cron(tmp_path):
    """A function that runs the crontab's line as cron does, in a bare environment, with `batch.env` as it is given."""
    [line] = re.findall(r"^0 4 \* \* \* (.*)$", (FOLDER / "crontab").read_text(), re.MULTILINE)
    settings = tmp_path / "batch.env"
    command = line.replace(INSTALLED, shlex.quote(str(ROOT))).replace(ENVIRONMENT, str(settings))

    def run(**variables):
        settings.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items()))
        bare = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        if "JAVA_HOME" in os.environ:
            bare["JAVA_HOME"] = os.environ["JAVA_HOME"]
        return subprocess.run(["/bin/bash", "-c", command], env=bare, capture_output=True, text=True, timeout=300)

    return run


@pytest.mark.long
def test_the_line_of_the_crontab_runs_yesterdays_night(cron, bucket, prefix, url):
    yesterday = str(datetime.now(UTC).date() - timedelta(days=1))
    of_yesterday = [events.replace(DAY.encode(), yesterday.encode()) for events in (VIEWS, ADS)]
    bucket(advertiser_ids=ACTIVE, product_views=of_yesterday[0], ads_views=of_yesterday[1])
    given = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "SPARK_SUBMIT_OPTS"))}
    said = cron(DATABASE_URL=url, RAW_URI=f"{prefix}/raw", LAKE_URI=f"{prefix}/lake", **given)

    assert said.returncode == 0, said.stdout + said.stderr
    assert str(Run.objects.published().get().day) == yesterday


def test_the_line_of_the_crontab_leaves_a_night_at_work_alone(cron):
    at_work = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(at_work, fcntl.LOCK_EX)
        said = cron()
    finally:
        os.close(at_work)

    assert (said.returncode, said.stdout, said.stderr) == (4, "", "")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here to read its units")
def test_systemd_understands_its_units(tmp_path):
    units = [FOLDER / "vitrina.service", FOLDER / "vitrina.timer"]
    for unit in units:
        (tmp_path / unit.name).write_text(unit.read_text().replace(INSTALLED, str(ROOT)))
    said = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / unit.name) for unit in units)], capture_output=True, text=True
    )

    assert (said.returncode, said.stderr) == (0, "")


def test_the_timer_catches_up_and_the_service_runs_what_the_crontab_runs():
    timer, service = configparser.ConfigParser(), configparser.ConfigParser()
    timer.read(FOLDER / "vitrina.timer")
    service.read(FOLDER / "vitrina.service")

    assert (timer["Timer"]["OnCalendar"], timer["Timer"]["Persistent"]) == ("*-*-* 04:00:00 UTC", "true")
    assert service["Service"]["ExecStart"].endswith(".venv/bin/spark-submit spark_jobs/nightly.py")
    assert service["Service"]["EnvironmentFile"] == ENVIRONMENT
    assert service["Service"]["RestartPreventExitStatus"] == "2 3 4"
