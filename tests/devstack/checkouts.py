"""Checkouts of somebody else's, and the demo in one of them, at a terminal of its own."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from devstack.state import ROOT, free_port

A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
MINUTES = 60


def environment_of_a_newcomer(stack, home):
    """Return this process's environment without anything of Vitrina's, or of the virtual environment we run in."""
    ours = {*stack.exports(), "DJANGO_SETTINGS_MODULE", "VIRTUAL_ENV", "ADMIN_PASSWORD"} - {"PATH"}
    path = [each for each in os.environ["PATH"].split(os.pathsep) if not Path(each).is_relative_to(ROOT)]
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, "PATH": os.pathsep.join(path), "HOME": str(home), "TERM": "dumb"}


@dataclass
class Checkout:
    """A fresh clone of what is committed here, in a path with spaces, and whose it is."""

    path: Path
    environment: dict[str, str]
    owner: int | None = None

    def start(self, *command, **more):
        """Start a command in it as its owner would: from a session of its own, with nothing of ours."""
        return subprocess.Popen(
            command,
            cwd=self.path,
            env=self.environment,
            user=self.owner,
            group=self.owner,
            extra_groups=None if self.owner is None else [],
            start_new_session=True,
            **more,
        )

    def make(self, *arguments):
        """Run `make` to its end; return its exit code and what it said."""
        with self.start("make", *arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as make:
            said = make.communicate(timeout=10 * MINUTES)[0]
        return make.returncode, said

    def processes(self):
        """Return the command lines of what runs in it or for it; zombies have ended."""
        folders = (str(self.path), str((self.path / ".devstack").resolve()))
        found = []
        for process in psutil.process_iter():
            try:
                words = " ".join([process.cwd(), *process.cmdline()])
                if process.status() != psutil.STATUS_ZOMBIE and any(folder in words for folder in folders):
                    found.append(words)
            except psutil.Error:
                continue
        return found

    def is_quiet(self):
        """Tell whether nothing of it runs, within seconds: a process needs a moment to end."""
        patience = time.monotonic() + 20
        while self.processes() and time.monotonic() < patience:
            time.sleep(0.2)
        return not self.processes()

    def remove(self):
        """Stop what runs and leave nothing behind."""
        if (self.path / ".venv").exists():
            self.make("stop")
        shutil.rmtree((self.path / ".devstack").resolve(), ignore_errors=True)
        shutil.rmtree(self.path.parent, ignore_errors=True)


def fresh_checkout(stack, owner=None):
    """Clone this checkout's last commit into an empty folder, for `owner` if given."""
    folder = Path(tempfile.mkdtemp(prefix="vitrina of somebody else ", dir="/var/tmp"))
    path, home = folder / "the clone", folder / "home"
    home.mkdir()
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, path], check=True)
    environment = environment_of_a_newcomer(stack, home)
    if owner is not None:
        for each in (folder, *folder.rglob("*")):
            os.chown(each, owner, owner, follow_symlinks=False)
        environment["PATH"] = "/usr/local/bin:/usr/bin:/bin"  # root's own programs may be closed to others
    return Checkout(path, environment, owner)


class Demo:
    """`make demo` at a terminal: what it says, its keys, and its end."""

    def __init__(self, checkout):
        self.port = free_port()
        self.site = f"http://127.0.0.1:{self.port}"
        self.checkout = checkout
        self._said = checkout.path.parent / f"demo at {self.port}.txt"
        with self._said.open("wb") as output:
            self.terminal = checkout.start(
                *(sys.executable if checkout.owner is None else "python3", "-c", A_TERMINAL),
                *("make", "demo", f"PORT={self.port}"),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self):
        """All that the terminal has shown so far."""
        return self._said.read_text(errors="replace").replace("\r\n", "\n")

    def wait_for(self, words, minutes=15):
        """Wait until it says so; returns self."""
        patience = time.monotonic() + minutes * MINUTES
        while words not in self.said:
            if self.terminal.poll() is not None or time.monotonic() > patience:
                pytest.fail(f"the demo did not say '{words}':\n{self.said[-3000:]}")
            time.sleep(0.2)
        return self

    def press_ctrl_c(self):
        """Press the key, wait for the end and return the exit code."""
        self.terminal.stdin.write(b"\x03")
        self.terminal.stdin.flush()
        return self.terminal.wait(2 * MINUTES)

    def close_terminal(self):
        """Close the window that it runs in: the terminal is gone, and its shell hangs up on the job."""
        [job] = psutil.Process(self.terminal.pid).children()  # `make`, which leads the process group
        self.terminal.kill()
        self.terminal.wait()
        os.killpg(job.pid, signal.SIGHUP)

    def printed_commands(self):
        """Return the commands that its last lines offer."""
        return [line.strip() for line in self.said.splitlines() if line.startswith("  curl ")]

    def kill(self):
        """Kill the demo as a machine short of memory would; its children live on, and keep its terminal open."""
        family = psutil.Process(self.terminal.pid).children(recursive=True)
        [demo] = [each for each in family if each.cmdline()[1:4] == ["-m", "devstack", "demo"]]
        demo.kill()
