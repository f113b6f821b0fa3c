"""What to do about runs that were refused or failed: a sentence for each, and the commands to paste."""

import re
import shlex
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from spark_jobs.failures import clean_text
from spark_jobs.job import Options
from spark_jobs.reports import Report
from spark_jobs.settings import Storage, without_keys

AGAIN = "{job} {days}"
LIST_RAW = "{list_raw}"
LONGEST_COMMAND = 100_000
"""To be pasted, so never cut off, but still one line."""


class Advice(NamedTuple):
    """What to do about a message that has the pattern `symptom`; the last of the commands runs the job."""

    symptom: str
    what_to_do: str
    commands: tuple[str, ...] = (AGAIN,)


REFUSALS = (  # in this order: a day without events also has too few
    Advice("the same file is there", "remove the copies, then rank the day again"),
    Advice(
        "has no rows of|active advertisers is empty",
        "when the rows have arrived, rank the day again",
        (LIST_RAW, AGAIN),
    ),
    Advice(
        "is rejected, more than",
        "see what is wrong, correct the files, then rank the day again",
        ("{list_rejects}", AGAIN),
    ),
    Advice("advertisers have a list", "when the missing events have arrived, rank the day again", (LIST_RAW, AGAIN)),
    Advice("--allow-drop", "if the events are complete, publish the day as it is", (f"{AGAIN} --allow-drop",)),
    Advice("", "rank the day again, and report a defect of the job if that is refused too"),
)
FAILURES = (
    Advice("another run holds", "when that run has ended, or after you stop it, run the job"),
    Advice("manage.py migrate", "create the tables, then run the job", ("python manage.py migrate", AGAIN)),
    Advice(
        "permission denied for", "grant the privileges, then run the job", ("python manage.py database_roles", AGAIN)
    ),
    Advice(
        "has no prepared run", "prepare the day, then repeat the step", ("{job_alone} {days} --step prepare", AGAIN)
    ),
    Advice("is not published, so", "publish the day, then replay it", ("{job_alone} {days}", AGAIN)),
    Advice(
        "connection to server|could not translate host|connection to PostgreSQL|server closed the connection",
        "when the database responds, run the job",
        ('psql "$DATABASE_URL" --command "select now()"', AGAIN),
    ),
    Advice("expected one of|bucket|403|Forbidden", "when the job can read the files, run it again", (LIST_RAW, AGAIN)),
    Advice("stopped by a signal|JVM has ended", "run the job again; spark-submit --driver-memory gives it more memory"),
    Advice("", "correct this, then run the job"),
)


@dataclass(frozen=True)
class CommandLine:
    """How the job was started, to start it again with other days."""

    program: str
    arguments: Sequence[str]

    def without(self, *flags: str, values: Sequence[str] = ()) -> str:
        """Return the command without its days and without these flags and options."""
        removed = ArgumentParser(add_help=False)
        for option in ("--day", "--from", "--to", *values):
            removed.add_argument(option)
        for flag in flags:
            removed.add_argument(flag, action="store_true")
        return shlex.join(["spark-submit", self.program, *removed.parse_known_args(self.arguments)[1]])


def next_steps(
    command: CommandLine, options: Options, storage: Storage, ended: Sequence[Report], problem: str
) -> Iterator[str]:
    """Yield one next step for each refused run, and one for the failed runs or a problem of the whole command."""
    first, last = options.days[0], options.days[-1]
    if failed := [report for report in ended if report.state == "failed"]:
        problem, first = failed[-1].reason, failed[0].day
        last = max(failed[-1].day, last if failed[-1].day in options.days else first)
    texts = {
        "job": command.without(),
        "job_alone": command.without("--replay", values=["--step"]),
        "list_raw": list_command(storage.raw_uri),
    }
    for report in ended:
        if report.state == "refused":
            rejects = f"{storage.lake_uri}/rejects/date={report.day}/run={report.run}"
            of_day = {"days": days_options(report.day, report.day), "list_rejects": list_command(rejects)}
            of_day["job"] = texts["job_alone"]  # a refused run is over: all steps have to be done again
            advice = advice_on(report.reason, REFUSALS)
            commands = [each.format(**(texts | of_day)) for each in advice.commands]
            if report.day < last and not options.dry_run:  # the lists of later days lack the counts of this one
                later = days_options(report.day + timedelta(days=1), last)
                commands.append(f"{texts['job_alone']} {later} --force")
            yield in_lines(f"{report.day}: {advice.what_to_do}", commands)
    if problem:
        advice = advice_on(problem, FAILURES)
        texts["days"] = days_options(first, last)
        yield in_lines(advice.what_to_do, [each.format(**texts) for each in advice.commands])


def advice_on(message: str, known: Sequence[Advice]) -> Advice:
    """Return the first advice whose symptom the message has."""
    return next(advice for advice in known if re.search(advice.symptom, message))


def in_lines(what_to_do: str, commands: Sequence[str]) -> str:
    return "\n    ".join(
        [f"next: {what_to_do}:", *(clean_text(without_keys(command), LONGEST_COMMAND) for command in commands)]
    )


def days_options(first: date, last: date) -> str:
    return f"--day {first}" if first == last else f"--from {first} --to {last}"


def list_command(uri: str) -> str:
    """Return the command that lists a folder."""
    if uri.startswith("s3a://"):
        return f"aws s3 ls {shlex.quote(f's3{uri[3:]}/')}"
    if uri.startswith("file:"):
        return f"ls -l {shlex.quote(unquote(urlsplit(uri).path))}"
    return f"hadoop fs -ls {shlex.quote(uri)}"
