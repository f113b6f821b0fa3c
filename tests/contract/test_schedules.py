"""conf/schedule, for one machine: the crontab's line runs the job, and systemd accepts its units."""

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
from tests.web.conftest import make_run
from webapp.rankings.models import Run

FOLDER = ROOT / "conf/schedule"
INSTALLED, ENVIRONMENT = "/opt/vitrina", "/etc/vitrina/batch.env"
NIGHTLY, FRESHNESS = "0 4 * * *", "10 * * * *"


@pytest.fixture
def cron(tmp_path):
    """A function that runs a line of the crontab as cron does, in a bare environment, with these variables in its file."""
    settings = tmp_path / "variables.env"

    def run(time, **variables):
        [line] = re.findall(rf"^{re.escape(time)} (.*)$", (FOLDER / "crontab").read_text(), re.MULTILINE)
        command = re.sub(r"/etc/vitrina/\w+\.env", str(settings), line).replace(INSTALLED, shlex.quote(str(ROOT)))
        settings.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in variables.items()))
        bare = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        if "JAVA_HOME" in os.environ:
            bare["JAVA_HOME"] = os.environ["JAVA_HOME"]
        return subprocess.run(["/bin/bash", "-c", command], env=bare, capture_output=True, text=True, timeout=300)

    return run


@pytest.mark.long
def test_the_crontab_ranks_yesterday(cron, bucket, prefix, url):
    yesterday = str(datetime.now(UTC).date() - timedelta(days=1))
    of_yesterday = [events.replace(DAY.encode(), yesterday.encode()) for events in (VIEWS, ADS)]
    bucket(advertiser_ids=ACTIVE, product_views=of_yesterday[0], ads_views=of_yesterday[1])
    given = {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "SPARK_SUBMIT_OPTS"))}
    said = cron(NIGHTLY, DATABASE_URL=url, RAW_URI=f"{prefix}/raw", LAKE_URI=f"{prefix}/lake", **given)

    assert (said.returncode, said.stdout, said.stderr) == (0, "", "")
    assert str(Run.objects.published().get().day) == yesterday


def test_the_crontab_starts_no_second_run_and_mails_that(cron):
    at_work = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(at_work, fcntl.LOCK_EX)
        said = cron(NIGHTLY)
    finally:
        os.close(at_work)

    assert (said.returncode, said.stdout.strip()) == (4, "The nightly job ended with exit code 4")


def test_the_crontab_mails_the_end_of_a_failed_runs_log(cron):
    said = cron(NIGHTLY)

    assert said.returncode == 2
    assert "ended with exit code 2" in said.stdout
    assert "DATABASE_URL is not set" in said.stdout


def test_the_crontab_mails_an_overdue_day_and_nothing_else(cron, url):
    variables = {"DATABASE_URL": url, "SECRET_KEY": "k" * 50, "ALLOWED_HOSTS": "localhost"}
    overdue = cron(FRESHNESS, **variables)
    make_run(day=datetime.now(UTC).date() - timedelta(days=1))
    in_time = cron(FRESHNESS, **variables)

    assert (overdue.returncode, overdue.stdout) == (1, "")
    assert "No day is published yet" in overdue.stderr
    assert (in_time.returncode, in_time.stdout, in_time.stderr) == (0, "", "")


def test_every_failure_is_mailed():
    service = configparser.ConfigParser(interpolation=None)
    service.read(FOLDER / "vitrina.service")

    assert service["Unit"]["OnFailure"] == "vitrina-alert@%n.service"
    assert (FOLDER / "vitrina-alert@.service").exists()
    assert re.search(r"^MAILTO=\S+$", (FOLDER / "crontab").read_text(), re.MULTILINE)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="this machine has no systemd")
def test_systemd_accepts_the_units(tmp_path):
    units = [FOLDER / "vitrina.service", FOLDER / "vitrina.timer", FOLDER / "vitrina-alert@.service"]
    for unit in units:
        (tmp_path / unit.name).write_text(unit.read_text().replace(INSTALLED, str(ROOT)))
    said = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / unit.name) for unit in units)], capture_output=True, text=True
    )

    assert (said.returncode, said.stderr) == (0, "")


def test_the_timer_catches_up_and_the_service_runs_the_same_command_as_the_crontab():
    timer, service = (configparser.ConfigParser(interpolation=None) for _ in range(2))
    timer.read(FOLDER / "vitrina.timer")
    service.read(FOLDER / "vitrina.service")

    assert (timer["Timer"]["OnCalendar"], timer["Timer"]["Persistent"]) == ("*-*-* 04:00:00 UTC", "true")
    assert service["Service"]["ExecStart"].endswith(".venv/bin/spark-submit spark_jobs/nightly.py")
    assert service["Service"]["EnvironmentFile"] == ENVIRONMENT
    assert service["Service"]["RestartPreventExitStatus"] == "2 3 4"
