"""manage.py check_freshness, for schedulers and alarms."""

import os
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from devstack.state import ROOT
from tests.web.conftest import days_ago, make_publication


@pytest.mark.django_db
def test_a_day_in_time_is_reported_in_one_sentence(capsys):
    make_publication()
    call_command("check_freshness")

    assert capsys.readouterr().out == (
        "The newest published day is 2026-03-09, and none newer is due. No day since the first published one is missing.\n"
    )


@pytest.mark.django_db
def test_an_overdue_day_is_named_and_an_error():
    make_publication(days_ago(1))

    with pytest.raises(CommandError, match="2026-03-08; 2026-03-09 is overdue") as error:
        call_command("check_freshness")
    assert error.value.returncode == 1


@pytest.mark.django_db
def test_a_gap_is_named_and_an_error_that_no_alarm_takes_for_a_success():
    make_publication(days_ago(2))
    make_publication()

    with pytest.raises(CommandError, match="Missing: 2026-03-08") as error:
        call_command("check_freshness")
    assert "none newer is due" not in str(error.value)


@pytest.mark.parametrize(
    ("url", "code", "sentence"),
    [
        (None, 1, 'relation "run" does not exist; run `python manage.py migrate` to create the tables\n'),
        ("postgres://nobody@127.0.0.1:1/nothing", 1, "Connection refused"),
        ("", 2, "DATABASE_URL is not set"),
    ],
)
def test_other_failures_are_errors_without_a_traceback(stack, url, code, sentence):
    done = subprocess.run(
        [sys.executable, ROOT / "manage.py", "check_freshness"],
        env={**os.environ, "DATABASE_URL": stack.postgres.url() if url is None else url},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == code
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
