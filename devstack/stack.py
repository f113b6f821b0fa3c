"""PostgreSQL and S3 together, and the environment variables that point Vitrina's commands at them."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO

import psutil

from devstack.java import find_java
from devstack.postgres import OWNER, Postgres
from devstack.s3 import ACCESS_KEY, REGION, S3, SECRET_KEY
from devstack.spark import SPARK_CONF, spark_variables
from devstack.state import ROOT, StackError, last_line, secret
from devstack.steps import step


class Stack:
    """PostgreSQL and S3, with their data, logs and passwords in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.postgres = Postgres(folder / "postgres")
        self.s3 = S3(folder / "s3")

    def start(self) -> None:
        """Start the services that are not running."""
        with step("PostgreSQL"):
            self.postgres.start()
        with step("S3 server (moto, in memory)"):
            self.s3.start()

    def stop(self) -> None:
        """Stop both services."""
        self.s3.stop()
        self.postgres.stop()

    def is_running(self) -> bool:
        return self.postgres.is_running() and self.s3.is_running()

    def status(self) -> str:
        """Return one line per service: up or down, its address and its log."""
        lines = [
            f"{name:<11} {'up,   ' + address() if service.is_running() else 'down'}   log: {service.log}"
            for name, service, address in (
                ("PostgreSQL", self.postgres, lambda: f"127.0.0.1:{self.postgres.port()}"),
                ("S3", self.s3, self.s3.endpoint),
            )
        ]
        return "\n".join(lines)

    def exports(self, role: str = OWNER) -> dict[str, str]:
        """Return the variables of conf/env.example for these services and a database role, and those that Spark needs."""
        bucket = f"s3a://{self.s3.bucket}"
        return {
            "DATABASE_URL": self.postgres.url(role=role),
            "RAW_URI": f"{bucket}/raw",
            "LAKE_URI": f"{bucket}/lake",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.s3.endpoint(),
            "SECRET_KEY": secret(self.folder, "SECRET_KEY"),
            "DEBUG": "false",
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "HTTPS_ONLY": "false",
            "API_PUBLIC": "true",  # the server only listens on 127.0.0.1
            **spark_exports(),
        }

    def environment(self, role: str = OWNER) -> dict[str, str]:
        """Return this process's environment, updated with the exports."""
        return {**os.environ, **self.exports(role)}

    def run(
        self, *command: str, role: str = OWNER, stdout: IO[str] | None = None, stderr: IO[str] | None = None
    ) -> None:
        """Run a command in that environment from the checkout's root; StackError if it fails.

        Its output goes to our own, or to the given files.
        """
        child = subprocess.Popen(command, cwd=ROOT, env=self.environment(role), stdout=stdout, stderr=stderr)
        try:
            code = child.wait()
        except BaseException:
            stop_with_children(child.pid)
            raise
        if code:
            raise StackError(f"`{' '.join(command)}` failed with exit code {code}; see its last lines for the reason")

    def run_quietly(self, *command: str, **variables: str) -> None:
        """Run a command with further variables; StackError with the last line of its output if it fails."""
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**self.environment(), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StackError(f"`{' '.join(command)}` failed: {last_line(done.stdout)}")

    def migrate(self) -> None:
        """Migrate the database, and update the privileges of the batch and web roles."""
        with step("database tables and roles (manage.py migrate, database_roles)"):
            self.run_quietly("python", "manage.py", "migrate", "--no-input")
            self.run_quietly("python", "manage.py", "database_roles", **self.postgres.passwords())


def spark_exports() -> dict[str, str]:
    """Return the variables that Spark needs to start; PATH begins with this virtual environment."""
    python = Path(sys.executable).parent / "python"
    return {**spark_variables(find_java()), "SPARK_CONF_DIR": str(SPARK_CONF), "PYSPARK_PYTHON": str(python)}


def stop_with_children(pid: int) -> None:
    """Terminate a process and its descendants (spark-submit is a JVM that starts Python); kill them after 15 seconds."""
    try:
        parent = psutil.Process(pid)
        family = [*parent.children(recursive=True), parent]
    except psutil.NoSuchProcess:
        return
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    for process in psutil.wait_procs(family, timeout=15)[1]:
        with suppress(psutil.NoSuchProcess):
            process.kill()
