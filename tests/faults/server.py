"""A PostgreSQL server for one test module, which can be stopped, restarted, and run out of disk space."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.postgres import OWNER, Postgres
from devstack.state import ROOT
from tests.services import hash_cheaply


class FragileServer(Postgres):
    """A server that keeps its port over restarts."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.start()
        hash_cheaply(self, OWNER)
        self.fixed_port = self.port()
        migrate = [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"]
        subprocess.run(migrate, cwd=ROOT, env={**os.environ, "DATABASE_URL": self.url()}, check=True)

    def halt(self, mode: str) -> None:
        """Stop the server: `fast` disconnects all clients, `immediate` crashes."""
        done = self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")
        assert done.returncode == 0, done.stdout

    def resume(self, largest_file: int | None = None) -> None:
        """Start it again on the same port; its files cannot grow beyond `largest_file` bytes.

        PostgreSQL treats this limit like a full disk: it ignores SIGXFSZ and handles the failing write.
        """
        options = f"-c listen_addresses=127.0.0.1 -c port={self.fixed_port} -c unix_socket_directories=''"
        with files_limited(largest_file):
            done = self._run("pg_ctl", "-D", self.data, "-l", self.log, "-w", "-o", options, "start")
        assert done.returncode == 0, done.stdout


@contextmanager
def files_limited(size: int | None) -> Iterator[None]:
    """Limit the size of files that processes started within the block can write."""
    usual, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (usual if size is None else size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (usual, most))
