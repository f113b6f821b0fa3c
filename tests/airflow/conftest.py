"""A real Airflow 3 with its own environment, the DAGs of conf/schedule/airflow, and the chat that failures are posted to."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from devstack.state import ROOT

DAGS = ROOT / "conf/schedule/airflow"
PROGRAMS = ROOT / ".venv-airflow" / "bin"


class Airflow:
    """An Airflow with its own folder and SQLite database, and the DAGs with a start date before the night of the tests."""

    def __init__(self, folder: Path) -> None:
        dags = folder / "dags"
        shutil.copytree(DAGS, dags, ignore=shutil.ignore_patterns("__pycache__"))
        an_earlier_night = "FIRST_NIGHT = datetime(2026, 11, 20, tzinfo=UTC)"
        schedule = dags / "vitrina_schedule.py"
        source, replaced = re.subn(r"(?m)^FIRST_NIGHT = .*", an_earlier_night, schedule.read_text())
        assert replaced == 1
        schedule.write_text(source)
        self.database = folder / "airflow.db"
        self.environment = {
            **os.environ,
            "PATH": "/usr/bin:/bin",  # the DAG itself finds the checkout's programs
            "VITRINA_HOME": str(ROOT),
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "false",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.database}",
        }
        self.environment.pop("PYTHONPATH", None)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAMS / command[0], *command[1:]],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    def evaluate(self, code: str) -> Any:
        """Run Python code that ends by printing JSON, and return that."""
        done = self.run("python", "-c", code)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def task_states(self) -> dict[str, tuple[str, int]]:
        """Return the state and the number of tries of each task of the last DAG run."""
        with closing(sqlite3.connect(self.database)) as database:
            rows = database.execute(
                "select task_id, task_instance.state, try_number from task_instance join dag_run using (dag_id, run_id)"
                " where dag_run.id = (select max(id) from dag_run)"
            )
            return {task: (state, tries) for task, state, tries in rows}


class Chat(BaseHTTPRequestHandler):
    """The incoming webhook of a chat, which keeps the messages."""

    messages: list[str] = []  # noqa: RUF012  # http.server makes an instance for each request

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.messages.append(json.loads(body)["text"])
        self.send_response(200)
        self.end_headers()


@pytest.fixture
def chat():
    """The messages in a chat, and its webhook's address."""
    Chat.messages.clear()
    server = HTTPServer(("127.0.0.1", 0), Chat)
    threading.Thread(target=server.serve_forever).start()
    yield Chat.messages, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def bare_airflow(tmp_path):
    """An Airflow without tables, which can only parse DAGs."""
    assert PROGRAMS.exists(), "Airflow is not installed; run `make .venv-airflow/ready`"
    return Airflow(tmp_path)


@pytest.fixture
def airflow(bare_airflow, url, prefix, chat):
    """An Airflow whose tasks have the job's variables and report to the chat."""
    variables = {"DATABASE_URL": url, "RAW_URI": f"{prefix}/raw", "LAKE_URI": f"{prefix}/lake"}
    bare_airflow.environment |= variables | {"VITRINA_ALERT_URL": chat[1]}
    migrated = bare_airflow.run("airflow", "db", "migrate")
    assert migrated.returncode == 0, migrated.stderr
    return bare_airflow
