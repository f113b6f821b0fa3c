"""Fresh checkouts, owned by another user if we are root, and `make demo` in one of them at a terminal."""

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

RUN_AT_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
MINUTES = 60


def clean_environment(stack, home):
    """Return this process's environment without Vitrina's variables and our virtual environment."""
    ours = {*stack.exports(), "DJANGO_SETTINGS_MODULE", "VIRTUAL_ENV", "ADMIN_PASSWORD"} - {"PATH"}
    path = [each for each in os.environ["PATH"].split(os.pathsep) if not Path(each).is_relative_to(ROOT)]
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return {**kept, "PATH": os.pathsep.join(path), "HOME": str(home), "TERM": "dumb"}


@dataclass
class Checkout:
    """A clone of this checkout's last commit, in a path with spaces, and its owner."""

    path: Path
    environment: dict[str, str]
    owner: int | None = None

    def start(self, *command, **more):
        """Start a command in the checkout as its owner, in a new session and a clean environment."""
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
        """Run `make` and return its exit code and output."""
        with self.start("make", *arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as make:
            output = make.communicate(timeout=10 * MINUTES)[0]
        return make.returncode, output

    def processes(self):
        """Return the command lines of the processes that run in the checkout or use its files, without zombies."""
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
        """Return whether all its processes have ended; wait up to 20 seconds for that."""
        deadline = time.monotonic() + 20
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.2)
        return not self.processes()

    def remove(self):
        """Stop the services and delete all files."""
        if (self.path / ".venv").exists():
            self.make("stop")
        shutil.rmtree((self.path / ".devstack").resolve(), ignore_errors=True)
        shutil.rmtree(self.path.parent, ignore_errors=True)


def fresh_checkout(stack, owner=None):
    """Clone this checkout's last commit into a new folder, owned by `owner` if given."""
    folder = Path(tempfile.mkdtemp(prefix="vitrina fresh checkout ", dir="/var/tmp"))
    path, home = folder / "the clone", folder / "home"
    home.mkdir()
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, path], check=True)
    environment = clean_environment(stack, home)
    if owner is not None:
        for each in (folder, *folder.rglob("*")):
            os.chown(each, owner, owner, follow_symlinks=False)
        environment["PATH"] = "/usr/local/bin:/usr/bin:/bin"  # other users may not be able to run root's programs
    return Checkout(path, environment, owner)


class Demo:
    """`make demo` at a terminal: its output, and the ways to end it."""

    def __init__(self, checkout):
        self.port = free_port()
        self.site = f"http://127.0.0.1:{self.port}"
        self.checkout = checkout
        self._log = checkout.path.parent / f"demo at {self.port}.txt"
        with self._log.open("wb") as log:
            self.terminal = checkout.start(
                *(sys.executable if checkout.owner is None else "python3", "-c", RUN_AT_A_TERMINAL),
                *("make", "demo", f"PORT={self.port}"),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def output(self):
        """Everything that the terminal has shown so far."""
        return self._log.read_text(errors="replace").replace("\r\n", "\n")

    def wait_for(self, text, minutes=15):
        """Wait until the output contains `text`; return self."""
        deadline = time.monotonic() + minutes * MINUTES
        while text not in self.output:
            if self.terminal.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the demo did not print '{text}':\n{self.output[-3000:]}")
            time.sleep(0.2)
        return self

    def wait_for_spark(self):
        """Wait until Spark's JVM has started; return self."""
        deadline = time.monotonic() + MINUTES
        while not any("SparkSubmit" in command for command in self.checkout.processes()):
            assert time.monotonic() < deadline, self.output[-3000:]
            time.sleep(0.2)
        return self

    def press_ctrl_c(self):
        """Press Ctrl-C, wait for the demo to stop and return its exit code."""
        self.terminal.stdin.write(b"\x03")
        self.terminal.stdin.flush()
        return self.terminal.wait(2 * MINUTES)

    def close_terminal(self):
        """Close the terminal window: the shell sends SIGHUP to the job."""
        [job] = psutil.Process(self.terminal.pid).children()  # `make`, the leader of the process group
        self.terminal.kill()
        self.terminal.wait()
        os.killpg(job.pid, signal.SIGHUP)

    def printed_commands(self):
        """Return the curl commands in its last lines."""
        return [line.strip() for line in self.output.splitlines() if line.startswith("  curl ")]

    def kill(self):
        """Kill only the demo process, as an out-of-memory killer would; its children live on."""
        family = psutil.Process(self.terminal.pid).children(recursive=True)
        [demo] = [each for each in family if each.cmdline()[1:4] == ["-m", "devstack", "demo"]]
        demo.kill()
