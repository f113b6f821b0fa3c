"""A PostgreSQL of the test's own, to be stopped, started again at the same place, and have its disk filled."""

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.postgres import Postgres
from devstack.state import ROOT


class FragileServer(Postgres):
    """One that keeps its port, so that clients find it where it was."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.start()
        self.fixed_port = self.port()
        migrate = [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"]
        subprocess.run(migrate, cwd=ROOT, env={**os.environ, "DATABASE_URL": self.url()}, check=True)

    def halt(self, mode: str) -> None:
        """Stop the server: `fast` cuts everybody off in good order, `immediate` is a crash."""
        done = self._run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")
        assert done.returncode == 0, done.stdout

    def resume(self, largest_file: int | None = None) -> None:
        """Start it again, at the same port; no file of its can grow over `largest_file` bytes.

        PostgreSQL takes this limit as a full disk by design: it ignores SIGXFSZ and handles the write that fails.
        """
        options = f"-c listen_addresses=127.0.0.1 -c port={self.fixed_port} -c unix_socket_directories=''"
        with files_limited(largest_file):
            done = self._run("pg_ctl", "-D", self.data, "-l", self.log, "-w", "-o", options, "start")
        assert done.returncode == 0, done.stdout


@contextmanager
def files_limited(size: int | None) -> Iterator[None]:
    """Let no process that is started within the block make a file larger than this."""
    usual, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (usual if size is None else size, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (usual, most))
