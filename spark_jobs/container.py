"""The first process of the image's containers: python container.py COMMAND [ARGUMENT...]

When the first process of a container ends, Linux kills all others. On SIGTERM, spark-submit ends within a second, and would
take the job's Python with it before that has recorded that the run failed. This passes the signal on to both and waits for
both. Its exit code is the command's.
"""

import ctypes
import os
import signal
import subprocess
import sys
from contextlib import suppress

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h


def main(command: list[str]) -> int:
    """Run the command until it and all processes that it has left have ended; return its exit code."""
    # Inherit the processes whose parents have ended, also where something else is the first process (docker run --init).
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    group = 0

    def pass_on(number: int, _: object) -> None:
        with suppress(ProcessLookupError):
            if group:
                os.killpg(group, number)

    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGINT, pass_on)
    # Kept in a variable: when a Popen is deleted, it takes the exit code of its process, and the loop below would miss it.
    process = subprocess.Popen(command, start_new_session=True)
    group = process.pid
    code = 0
    while True:
        try:
            pid, status = os.wait()
        except ChildProcessError:
            return code
        if pid == group:
            code = os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    ended_with = main(sys.argv[1:])
    sys.exit(ended_with if ended_with >= 0 else 128 - ended_with)
