"""Vitrina's nightly run as an Airflow 3 DAG: at 04:00 UTC for the day before, one task per step.

Every step may be repeated, so retries, cleared tasks and catching up on missed days are safe. The workers need the checkout
VITRINA_HOME and the job's variables (conf/env.example) in their environment. vitrina_schedule.py says when the DAG runs and
who is told of a failure. docs/deploy.md has the details.
"""

import os
import subprocess
from pathlib import Path

from airflow.sdk import DAG, BaseOperator
from vitrina_schedule import EVERY_NIGHT, MODELS, day_of, failure

HOME = Path(os.environ.get("VITRINA_HOME", "/opt/vitrina"))


class Step(BaseOperator):
    """One step of a nightly run, by spark-submit from the checkout."""

    def execute(self, context):
        """Run the step, copy its output to the task's log, and raise unless its exit code is 0."""
        programs = HOME / ".venv/bin"
        self.process = subprocess.Popen(
            [programs / "spark-submit", "spark_jobs/nightly.py", "--day", str(day_of(context)), "--step", self.task_id],
            cwd=HOME,
            env={
                "SPARK_CONF_DIR": str(HOME / ".venv/spark-conf"),
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
            raise failure(f"{self.task_id} ended with exit code {code}; see its log", code)

    def on_kill(self):
        """Terminate the step: the job notices that spark-submit has ended, and fails its run."""
        self.process.terminate()


with DAG("vitrina", description="Rank and publish yesterday", **EVERY_NIGHT):
    models = [Step(task_id=name) for name in MODELS]
    Step(task_id="prepare") >> models >> Step(task_id="publish")
