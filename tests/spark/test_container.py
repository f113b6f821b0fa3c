"""The first process of the job's containers."""

import signal
import subprocess
import sys
from pathlib import Path

from devstack.state import ROOT

CONTAINER = [sys.executable, str(ROOT / "spark_jobs" / "container.py")]
# Like spark-submit and the job: the command ends at once, and its own child needs a moment more.
LEAVES_A_CHILD = """
trap 'exit 3' TERM
(trap 'sleep 0.5; echo recorded > {file}; exit' TERM; echo ready; while true; do sleep 0.1; done) &
while true; do sleep 0.1; done
"""


def test_the_exit_code_is_the_commands():
    assert subprocess.run([*CONTAINER, "sh", "-c", "exit 7"], check=False).returncode == 7


def test_a_command_that_was_killed_has_the_exit_code_of_a_shell():
    assert subprocess.run([*CONTAINER, "sh", "-c", "kill -9 $$"], check=False).returncode == 128 + signal.SIGKILL


def test_a_stop_reaches_every_process_and_waits_for_those_that_the_command_leaves(tmp_path: Path):
    file = tmp_path / "file"
    command = [*CONTAINER, "bash", "-c", LEAVES_A_CHILD.format(file=file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as container:
        assert container.stdout is not None
        assert container.stdout.readline() == b"ready\n"
        container.terminate()

        assert container.wait(30) == 3
    assert file.read_text() == "recorded\n"
