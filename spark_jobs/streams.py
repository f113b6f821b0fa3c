"""Standard output and error under spark-submit, kept apart, and whether they are a terminal.

spark-submit merges a program's standard error into its standard output. Both are therefore written through its JVM: reports
go to the real standard output, where a program may read them, and everything for people to the real standard error.
"""

import io
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TextIO

from pyspark import SparkContext


class JvmStream(io.TextIOBase):
    """`out` or `err` of spark-submit's JVM.

    A separate thread writes, so that a signal can interrupt the program only while it waits, never during a call to the JVM.
    After the JVM has ended, what is written goes to `instead`.
    """

    def __init__(self, jvm: Any, name: str, descriptor: int, instead: TextIO) -> None:
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"std{name}")
        self._stream = getattr(jvm.java.lang.System, name)
        self._instead = instead
        self._is_terminal = _is_terminal(jvm, descriptor)

    def isatty(self) -> bool:
        return self._is_terminal

    def write(self, text: str) -> int:
        try:
            self._worker.submit(self._write, text).result()
        except RuntimeError:  # the interpreter is exiting, and its threads have ended
            self._write(text)
        return len(text)

    def _write(self, text: str) -> None:
        encoded = text.encode(errors="backslashreplace")
        try:
            self._stream.write(encoded, 0, len(encoded))
            self._stream.flush()
        except Exception:
            with suppress(OSError):  # spark-submit, which reads this, has ended too
                self._instead.write(text)
                self._instead.flush()


def started_by_spark_submit() -> bool:
    """Return whether spark-submit has started this process: it sets this variable."""
    return "PYSPARK_GATEWAY_PORT" in os.environ


def use_streams_of_spark_submit() -> None:
    """Replace sys.stdout and sys.stderr if spark-submit has started this process."""
    if started_by_spark_submit():
        SparkContext._ensure_initialized()
        sys.stdout = JvmStream(SparkContext._jvm, "out", 1, sys.stdout)
        sys.stderr = JvmStream(SparkContext._jvm, "err", 2, sys.stderr)


def _is_terminal(jvm: Any, descriptor: int) -> bool:
    """Let a child of the JVM look at the descriptor that it inherits: Java itself cannot tell for one of them alone."""
    try:
        return bool(jvm.java.lang.ProcessBuilder(["test", "-t", str(descriptor)]).inheritIO().start().waitFor() == 0)
    except Exception:
        return False
