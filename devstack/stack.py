"""The two services together, and the environment in which Vitrina's commands find them."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil

from devstack.bootstrap import SPARK_CONF, find_java, spark_variables
from devstack.postgres import OWNER, Postgres
from devstack.s3 import ACCESS_KEY, REGION, S3, SECRET_KEY
from devstack.state import ROOT, StackError, last_line, secret
from devstack.steps import step


class Stack:
    """PostgreSQL and S3 whose data, logs and passwords live under `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.postgres = Postgres(folder / "postgres")
        self.s3 = S3(folder / "s3")

    def start(self) -> None:
        """Start what is not running."""
        with step("PostgreSQL"):
            self.postgres.start()
        with step("S3 server (moto, in memory)"):
            self.s3.start()

    def stop(self) -> None:
        """Stop what is running."""
        self.s3.stop()
        self.postgres.stop()

    def is_running(self) -> bool:
        """Tell whether both services are up."""
        return self.postgres.is_running() and self.s3.is_running()

    def status(self) -> str:
        """Return one line a service: is it up, where, and its log."""
        lines = [
            f"{name:<11} {'up,   ' + where() if service.is_running() else 'down'}   log: {service.log}"
            for name, service, where in (
                ("PostgreSQL", self.postgres, lambda: f"127.0.0.1:{self.postgres.port()}"),
                ("S3", self.s3, self.s3.endpoint),
            )
        ]
        return "\n".join(lines)

    def exports(self, role: str = OWNER) -> dict[str, str]:
        """Return the variables of conf/env.example for these services, and those that Spark needs to start.

        The database is that role's to use; only the owner can migrate.
        """
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
            "API_PUBLIC": "true",  # to whoever is on this machine
            **spark_exports(),
        }

    def environment(self, role: str = OWNER) -> dict[str, str]:
        """Return this process's environment with the exports laid over it."""
        return {**os.environ, **self.exports(role)}

    def run(self, *command: str, role: str = OWNER) -> None:
        """Run a command from the checkout's root in that environment, its output shown; StackError if it fails."""
        child = subprocess.Popen(command, cwd=ROOT, env=self.environment(role))
        try:
            code = child.wait()
        except BaseException:
            end_with_children(child.pid)
            raise
        if code:
            raise StackError(f"`{' '.join(command)}` ended with exit code {code}; its last lines say why")

    def run_quietly(self, *command: str, **variables: str) -> None:
        """The same with some variables more, its output kept back unless it fails."""
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
        """Bring the database's tables up to date, and what the roles of batch and web may do with them."""
        with step("database tables and roles (manage.py migrate, database_roles)"):
            self.run_quietly("python", "manage.py", "migrate", "--no-input")
            self.run_quietly("python", "manage.py", "database_roles", **self.postgres.passwords())


def spark_exports() -> dict[str, str]:
    """Return the variables that Spark needs to start, and this environment's programs first in PATH."""
    python = Path(sys.executable).parent / "python"
    return {**spark_variables(find_java()), "SPARK_CONF_DIR": str(SPARK_CONF), "PYSPARK_PYTHON": str(python)}


def end_with_children(pid: int) -> None:
    """End a process and all it started (spark-submit is a JVM that starts Python), gently first."""
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
