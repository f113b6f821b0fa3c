"""A PostgreSQL of the test's own, to be stopped, started again at the same place, and have its disk filled."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import psutil

from devstack.postgres import Postgres
from devstack.state import ROOT

UNLIMITED = resource.RLIM_INFINITY


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

    def resume(self) -> None:
        """Start it again, at the same port."""
        options = f"-c listen_addresses=127.0.0.1 -c port={self.fixed_port} -c unix_socket_directories=''"
        done = self._run("pg_ctl", "-D", self.data, "-l", self.log, "-w", "-o", options, "start")
        assert done.returncode == 0, done.stdout

    def limit_files(self, size: int) -> None:
        """Let no session that is opened from now on make a file larger than `size` bytes.

        PostgreSQL takes this limit as a full disk by design: it ignores SIGXFSZ and handles the failed write.
        """
        postmaster = int((self.data / "postmaster.pid").read_text().split()[0])
        psutil.Process(postmaster).rlimit(psutil.RLIMIT_FSIZE, (size, UNLIMITED))
