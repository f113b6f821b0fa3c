"""No secret appears in logs, errors, Spark's environment page or its event log, even at DEBUG."""

from contextlib import suppress
from urllib.error import URLError
from urllib.parse import unquote, urlsplit
from urllib.request import urlopen

import pytest

from devstack.state import ROOT, free_port

pytestmark = [pytest.mark.long, pytest.mark.django_db(transaction=True)]

S3_SECRET = "s3-secret-Zq81xK"
REFUSED_APPEND = "alter table top_ctr add constraint none_at_all check (false) not valid"


@pytest.fixture
def said_at_debug(new_in_s3, start_job, url, tmp_path):
    """A function that runs the job at DEBUG and returns its exit code and all output: log, environment page, event log."""
    (tmp_path / "events").mkdir()
    log4j = (ROOT / "conf/log4j2.properties").read_text()
    (tmp_path / "log4j2.properties").write_text(log4j.replace("rootLogger.level = warn", "rootLogger.level = debug"))

    def run():
        port = free_port()
        settings = {
            "spark.ui.enabled": "true",
            "spark.ui.port": port,
            "spark.eventLog.enabled": "true",
            "spark.eventLog.compress": "false",
            "spark.eventLog.dir": (tmp_path / "events").as_uri(),
            "spark.driver.extraJavaOptions": f"-Dlog4j2.configurationFile={(tmp_path / 'log4j2.properties').as_uri()}",
        }
        job = start_job(
            spark=[word for name, value in settings.items() for word in ("--conf", f"{name}={value}")],
            AWS_SECRET_ACCESS_KEY=S3_SECRET,
        )
        page = ""
        while job.is_running() and "Spark Properties" not in page:
            with suppress(URLError, OSError), urlopen(f"http://127.0.0.1:{port}/environment/", timeout=5) as answer:
                page = answer.read().decode()
        code, _, said = job.wait()
        events = "".join(file.read_text() for file in (tmp_path / "events").rglob("*") if file.is_file())
        assert "DEBUG" in said and "Spark Properties" in page and "SparkListenerEnvironmentUpdate" in events
        return code, said + page + events

    return run


@pytest.fixture
def secrets(url):
    """The database password, as it is and as in the URL, and the secret key of S3."""
    password = urlsplit(url).password
    return {password, unquote(password), S3_SECRET}


def test_a_run_that_publishes_prints_no_secret(said_at_debug, secrets):
    code, said = said_at_debug()

    assert code == 0
    assert not [secret for secret in secrets if secret in said]


def test_a_run_whose_append_fails_prints_no_secret(said_at_debug, secrets, session):
    session.query(REFUSED_APPEND)
    try:
        code, said = said_at_debug()
    finally:
        session.query("alter table top_ctr drop constraint none_at_all")

    assert code == 1
    assert "none_at_all" in said
    assert not [secret for secret in secrets if secret in said]
