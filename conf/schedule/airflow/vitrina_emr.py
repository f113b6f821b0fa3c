"""Vitrina's nightly run as an Airflow 3 DAG on EMR Serverless: the steps of vitrina.py, each a job run of the application.

It needs no Spark and no checkout, so it also runs on Amazon MWAA. A task is deferred while its job run is running. Set the
Airflow variables vitrina_application, vitrina_job_role and vitrina_bucket to the outputs of conf/aws/stack.yaml; the
connection aws_default may name other AWS credentials than Airflow's own. docs/deploy.md has the details.
"""

import re

from airflow.providers.amazon.aws.operators.emr import EmrServerlessStartJobOperator
from airflow.sdk import DAG, Variable
from vitrina_schedule import EVERY_NIGHT, MODELS, day_of, failure


class Step(EmrServerlessStartJobOperator):
    """One step of a nightly run, as a job run with the request of conf/emr/job-request.json.

    The code is of the version of the application's image, so that a deployment changes both at once.
    """

    def execute(self, context, event=None):
        """Start the application if it is stopped, then the job run, and wait for its end in the triggerer."""
        application = self.hook.conn.get_application(applicationId=self.application_id)["application"]
        tag = application["imageConfiguration"]["imageUri"].rpartition(":")[2]
        code = f"s3://{Variable.get('vitrina_bucket')}/code/{tag}"
        self.job_driver = {
            "sparkSubmit": {
                "entryPoint": f"{code}/nightly.py",
                "entryPointArguments": ["--day", str(day_of(context)), "--step", self.task_id],
                "sparkSubmitParameters": f"--py-files {code}/spark_jobs.zip",
            }
        }
        return super().execute(context, event)

    def execute_complete(self, context, event=None):
        """Raise unless the job run has succeeded. Where EMR names the exit code, 2 and 3 are not retried."""
        if event["status"] == "success":
            return super().execute_complete(context, event)
        code = re.search(r"ExitCode: (\d+)", event["message"])
        raise failure(f"{self.task_id} has failed: {event['message']}", int(code[1]) if code else None)


def step(name):
    """Return the task of a step."""
    return Step(
        task_id=name,
        application_id="{{ var.value.vitrina_application }}",
        execution_role_arn="{{ var.value.vitrina_job_role }}",
        job_driver={},  # depends on the application, see above
        name="nightly",
        config={"executionTimeoutMinutes": 120},
        deferrable=True,
        # Three hours: EMR ends a job run after two, and it may have to wait for another one to end.
        waiter_delay=30,
        waiter_max_attempts=360,
    )


with DAG("vitrina_emr", description="Rank and publish yesterday, on EMR Serverless", **EVERY_NIGHT):
    models = [step(name) for name in MODELS]
    step("prepare") >> models >> step("publish")
