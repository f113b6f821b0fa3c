"""Vitrina by Airflow 3: at 04:00 UTC the day before, step by step. docs/deploy.md says what a worker needs.

Every step may be repeated, so a retry, a cleared task and a catch-up of nights that were missed are safe. The job's variables
(conf/env.example) come from the worker's environment.
"""

import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.sdk import DAG, BaseOperator, CronTriggerTimetable
from airflow.sdk.exceptions import AirflowException, AirflowFailException

FIRST_NIGHT = datetime(2026, 11, 25, tzinfo=UTC)  # yours: the day after your first events; later nights are caught up
FINAL = (2, 3)  # bad options, and an audit's no, are for a person; a second try would say the same


class Step(BaseOperator):
    """One step of a night, by spark-submit from the checkout VITRINA_HOME."""

    def execute(self, context):
        """Run the step to its end, its words in the task's log; raise unless its exit code is 0."""
        home = Path(os.environ.get("VITRINA_HOME", "/opt/vitrina"))
        programs = home / ".venv/bin"
        self.process = subprocess.Popen(
            [programs / "spark-submit", "spark_jobs/nightly.py", "--day", str(day_of(context)), "--step", self.task_id],
            cwd=home,
            env={
                "SPARK_CONF_DIR": str(home / ".venv/spark-conf"),
                **os.environ,
                "PATH": f"{programs}:{os.environ.get('PATH', os.defpath)}",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for line in self.process.stdout:
            self.log.info("%s", line.rstrip())
        if code := self.process.wait():
            failure = AirflowFailException if code in FINAL else AirflowException
            raise failure(f"{self.task_id} ended with exit code {code}; its log says why")

    def on_kill(self):
        """Stop the step: the job notices that spark-submit has ended, and closes up."""
        self.process.terminate()


def day_of(context):
    """Return the day before the night; one started by hand without a date is tonight's."""
    night = context.get("logical_date") or context["dag_run"].run_after
    return (night - timedelta(days=1)).date()


with DAG(
    "vitrina",
    description="Yesterday's lists",
    schedule=CronTriggerTimetable("0 4 * * *", timezone="UTC"),
    start_date=FIRST_NIGHT,
    catchup=True,
    max_active_runs=1,  # oldest first, since a day's lists look back at the days before it
    default_args={"retries": 2, "retry_delay": timedelta(minutes=15), "execution_timeout": timedelta(hours=3)},
):
    rankings = [Step(task_id=model) for model in ("top_product", "top_ctr", "trending")]
    Step(task_id="prepare") >> rankings >> Step(task_id="publish")
