"""What Vitrina's DAGs have in common: when they run, for which day, what is retried, and who is told of a failure.

Copy this module into the DAG folder, together with vitrina.py or vitrina_emr.py.
"""

import os
from datetime import UTC, datetime, timedelta

import httpx
from airflow.sdk import CronTriggerTimetable, Variable
from airflow.sdk.exceptions import AirflowException, AirflowFailException

# Change this to the day after your first events; later nights catch up.
FIRST_NIGHT = datetime(2026, 11, 25, tzinfo=UTC)
# The models of spark_jobs/ranking/registry.py, by their tables.
MODELS = ("top_product", "top_ctr", "trending", "expected_ctr")
NOT_RETRIED = (2, 3)  # exit codes for bad options and for an audit's refusal, which only a person can resolve


def day_of(context):
    """Return the day before the DAG run's logical date, or before tonight if it was triggered without one."""
    night = context.get("logical_date") or context["dag_run"].run_after
    return (night - timedelta(days=1)).date()


def failure(message, code):
    """Return the exception for a step that ended with this exit code, or with None if it is not known."""
    return (AirflowFailException if code in NOT_RETRIED else AirflowException)(message)


def report_failure(context):
    """Post which step has failed, and the address of its log, to the incoming webhook of a chat, if there is one.

    Its address is the Airflow variable vitrina_alert_url, or VITRINA_ALERT_URL in the environment.
    """
    if url := Variable.get("vitrina_alert_url", default=os.environ.get("VITRINA_ALERT_URL")):
        step = context["task_instance"]
        text = f"Vitrina: the step {step.task_id} of {day_of(context)} has failed. Its log: {step.log_url}"
        httpx.post(url, json={"text": text}, timeout=30).raise_for_status()


EVERY_NIGHT = {
    "schedule": CronTriggerTimetable("0 4 * * *", timezone="UTC"),
    "start_date": FIRST_NIGHT,
    "catchup": True,
    "max_active_runs": 1,  # oldest first: a day's lists use the counts of earlier days
    "default_args": {
        "retries": 2,
        "retry_delay": timedelta(minutes=15),
        "execution_timeout": timedelta(hours=3),
        "on_failure_callback": report_failure,
    },
}
