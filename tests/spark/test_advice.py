"""Every refusal and failure ends with what to do, and with commands to paste."""

import os
import subprocess
import sys
from datetime import date

import pytest

from devstack.state import ROOT
from spark_jobs.advice import CommandLine, next_steps
from spark_jobs.audit import audit_input, audit_rows, audit_volume
from spark_jobs.job import Options
from spark_jobs.reports import Report
from spark_jobs.settings import AuditThresholds, Storage
from spark_jobs.warehouse.comparisons import RowCheck

DAY = date(2026, 11, 20)
STORAGE = Storage("s3a://ads/raw", "file:///srv/the%20lake")
JOB = "spark-submit spark_jobs/nightly.py"
GOOD = {
    "read": {"product_views": 9, "ads_views": 9},
    "rejected": {"no_date": 3},
    "rejected_examples": {"no_date": "a,p,"},
    "rejected_share": {"product_views": 0.0},
    "active_advertisers": 4,
    "listed_advertisers": 4,
    "events": 18,
    "usual_events": 18,
}


def steps(*ended, arguments=(), problem="", days=(DAY,), **options):
    """Return the next steps, each as its lines."""
    command = CommandLine("spark_jobs/nightly.py", arguments)
    found = next_steps(command, Options(days, **options), STORAGE, ended, problem)
    return [[line.strip() for line in step.removeprefix("next: ").splitlines()] for step in found]


def run_nightly(*arguments):
    """Run nightly.py with arguments that end it before it connects to anything."""
    return subprocess.run(
        [sys.executable, "spark_jobs/nightly.py", *arguments],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": "postgres://u:p@127.0.0.1:1/n", "LAKE_URI": "file:///lake"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def report(state, reason="", day=DAY, run=7):
    return Report(day, run, state, {}, 1.0, reason)


def findings(inputs=(), **counts):
    """Return the audit's findings about a good run with other counts."""
    thresholds = AuditThresholds()
    return [
        *audit_input(DAY, dict(inputs), GOOD | counts, thresholds),
        *audit_volume(GOOD | counts, thresholds),
    ]


REFUSALS = {
    "a copy": (
        findings(inputs={"ads_views": {"same_data": [["a.csv", "b.csv"]]}}),
        ["remove the copies, then rank the day again:", f"{JOB} --day {DAY}"],
    ),
    "no events": (
        findings(read={"product_views": 9, "ads_views": 0}, events=0),
        ["when the rows have arrived, rank the day again:", "aws s3 ls s3://ads/raw/", f"{JOB} --day {DAY}"],
    ),
    "no advertiser is active": (
        findings(active_advertisers=0, listed_advertisers=0),
        ["when the rows have arrived, rank the day again:", "aws s3 ls s3://ads/raw/", f"{JOB} --day {DAY}"],
    ),
    "too many rejected rows": (
        findings(rejected_share={"product_views": 0.5}),
        [
            "see what is wrong, correct the files, then rank the day again:",
            f"ls -l '/srv/the lake/rejects/date={DAY}/run=7'",
            f"{JOB} --day {DAY}",
        ],
    ),
    "few advertisers with a list": (
        findings(listed_advertisers=1),
        ["when the missing events have arrived, rank the day again:", "aws s3 ls s3://ads/raw/", f"{JOB} --day {DAY}"],
    ),
    "a drop": (
        findings(events=2),
        ["if the events are complete, publish the day as it is:", f"{JOB} --day {DAY} --allow-drop"],
    ),
    "rows that are not what was ranked": (
        audit_rows("top_ctr", RowCheck(3, 0, 0, 0), 4, 20),
        ["rank the day again, and report a defect of the job if that is refused too:", f"{JOB} --day {DAY}"],
    ),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_ends_with_what_to_do_and_the_commands(kind):
    reasons, (what_to_do, *commands) = REFUSALS[kind]

    assert reasons
    assert steps(report("refused", "; ".join(reasons))) == [[f"{DAY}: {what_to_do}", *commands]]


AGAIN = f"{JOB} --day {DAY}"
PSQL = 'psql "$DATABASE_URL" --command "select now()"'


def test_a_refused_step_needs_all_steps_of_the_day_again():
    [[_, command]] = steps(
        report("refused", "top_ctr has no rows"), arguments=["--step", "publish", "--top", "5"], step="publish"
    )

    assert command == f"{JOB} --top 5 --day {DAY}"


@pytest.mark.parametrize(
    ("problem", "commands"),
    [
        (f"another run holds {DAY} (run 3)", [AGAIN]),
        ("database vitrina has no table run; run `python manage.py migrate`", ["python manage.py migrate", AGAIN]),
        ("permission denied for table run", ["python manage.py database_roles", AGAIN]),
        ("connection to server at x failed", [PSQL, AGAIN]),
        ("the connection to PostgreSQL was lost", [PSQL, AGAIN]),
        ("ads_views: expected one of a, b; none of them exists", ["aws s3 ls s3://ads/raw/", AGAIN]),
        ("stopped by a signal", [AGAIN]),
        ("a.csv has no column 'date'", [AGAIN]),
    ],
)
def test_a_failure_ends_with_the_commands(problem, commands):
    [[what_to_do, *printed]] = steps(problem=problem)

    assert what_to_do.endswith(":")
    assert printed == commands


def test_a_step_without_a_prepared_run_says_to_prepare_it():
    [[_, *commands]] = steps(
        problem=f"{DAY} has no prepared run for publish", arguments=["--step", "publish", "--top", "5"]
    )

    assert commands == [f"{JOB} --top 5 --day {DAY} --step prepare", f"{JOB} --step publish --top 5 --day {DAY}"]


def test_a_day_to_replay_is_published_first():
    [[_, *commands]] = steps(problem=f"{DAY} is not published, so there", arguments=["--replay", f"--day={DAY}"])

    assert commands == [f"{JOB} --day {DAY}", f"{JOB} --replay --day {DAY}"]


def test_the_command_has_the_options_of_the_first_one_quoted_for_a_shell():
    arguments = ["--from", "2026-11-19", "--raw-uri", "file:///my events", "--to", "2026-11-20", "--top", "5"]
    [[_, command]] = steps(arguments=arguments, problem="damaged")

    assert command == f"{JOB} --raw-uri 'file:///my events' --top 5 --day {DAY}"


RANGE = tuple(date(2026, 11, day) for day in (18, 19, 20))


def test_a_range_that_failed_continues_at_the_day_that_failed():
    ended = [report("published", day=RANGE[0]), report("failed", "damaged", day=RANGE[1])]

    assert steps(*ended, days=RANGE) == [
        ["correct this, then run the job:", f"{JOB} --from 2026-11-19 --to 2026-11-20"]
    ]


def test_after_a_refused_day_of_a_range_the_later_days_are_ranked_again_with_its_events():
    [refused, *_] = RANGE
    [[_, *commands]] = steps(report("refused", "; ".join(findings(events=2)), day=refused), days=RANGE)

    assert commands == [
        f"{JOB} --day 2026-11-18 --allow-drop",
        f"{JOB} --from 2026-11-19 --to 2026-11-20 --force",
    ]


def test_an_earlier_day_that_failed_has_a_step_of_its_own():
    ended = [report("failed", "damaged", day=RANGE[0]), report("published")]

    assert steps(*ended) == [["correct this, then run the job:", f"{JOB} --day 2026-11-18"]]


def test_a_run_that_ends_well_has_no_next_step():
    assert steps(report("published"), report("unchanged")) == []


@pytest.mark.parametrize("uri", ["s3a://key:secret@bucket/raw", "S3://key:se/cret@bucket/raw"])
def test_keys_in_a_uri_are_refused_and_not_repeated(uri):
    ended = run_nightly("--raw-uri", uri)

    assert ended.returncode == 2
    assert "RAW_URI contains the keys of S3" in ended.stderr
    assert "cret" not in ended.stderr


@pytest.mark.parametrize("option", ["--day", "--raw-uri", "--no-such-option"])
def test_what_the_command_line_holds_cannot_break_or_colour_the_lines(option):
    ended = run_nightly(option, "bad\n\x1b[31m")

    assert ended.returncode == 2
    assert r"\x1b[31m" in ended.stderr
    assert [line for line in ended.stderr.split("\n") if not line.isprintable()] == []
