"""Say in one line why Spark, S3 or PostgreSQL failed; the JVM takes two hundred."""

import re
from typing import Any
from urllib.parse import unquote

from py4j.protocol import Py4JError, Py4JJavaError, Py4JNetworkError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

SPARK_HAS_ENDED = "Spark's JVM has ended: stopped by a signal, or out of memory"
SHUT_DOWN = "because SparkContext was shut down"
FAILED_READ, CANNOT_BE_READ = "FAILED_READ_FILE", " cannot be read"
LONGEST_TEXT = 2000
LOCKED = (
    "another session holds a lock on a table that the job needs; find it in pg_stat_activity, and run the job again when"
    " it has ended"
)
ADVICE = {
    "canceling statement due to lock timeout": LOCKED,
    "canceling statement due to user request": f"somebody cancelled it, or it took too long, perhaps because {LOCKED}",
    "An I/O error occurred while sending to the backend": "the connection to PostgreSQL was lost;"
    " run the job again when the server is reachable",
}
"""What to do about failures whose message does not say it."""


def in_one_line(error: BaseException) -> str:
    """Return the first line of an error and, for an error of the JVM, the first line of its root cause."""
    if isinstance(error, Py4JJavaError):
        lines = _java_lines(error.java_exception)
    elif isinstance(error, PySparkException):
        lines = _captured_lines(error) or [_first_line(error.getMessage() or str(error))]
    elif isinstance(error, (Py4JNetworkError, ConnectionRefusedError)) or type(error) is Py4JError:
        lines = [SPARK_HAS_ENDED]
    else:
        # Of spaces only line breaks are joined: others may be in the name of a file.
        lines = [" ".join(line.strip() for line in str(error).split("\n")).strip() or type(error).__name__]
    # Half of the length each: the first line may quote a long SQL statement, and the root cause must not be cut off.
    cleaned = [clean_text(line, LONGEST_TEXT // 2 - 1) for line in lines if line]
    line = ": ".join(dict.fromkeys(cleaned))
    if SHUT_DOWN in line:
        return SPARK_HAS_ENDED
    return line + next((f": {advice}" for symptom, advice in ADVICE.items() if symptom in line), "")


def has_ended(spark: SparkSession) -> bool:
    """Return whether Spark has stopped or is stopping. Any other error at that time is a consequence."""
    try:
        return bool(spark.sparkContext._jsc.sc().isStopped())
    except (Py4JError, OSError):
        return True


def root_cause(error: Py4JJavaError) -> str:
    """Return the first line of the root cause."""
    return _java_lines(error.java_exception)[-1]


def clean_text(text: str, longest: int = LONGEST_TEXT) -> str:
    """Return text from outside in a form that a log and PostgreSQL can hold: one line, printable, and not too long.

    Control characters, lone surrogates and whatever else cannot be printed become escapes such as \\x00.
    """
    printable = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[: longest + 1])
    return printable if len(printable) <= longest else f"{printable[: longest - 1]}…"


def _captured_lines(error: PySparkException) -> list[str]:
    """Return the lines of a translated Java exception, if any; its first line is the translation unless a file is named."""
    origin = getattr(error, "_origin", None)
    if origin is None:
        return []
    lines = _java_lines(origin)
    own = _name_file(_first_line(error.getMessage() or str(error)))
    return lines if lines[0].endswith(CANNOT_BE_READ) or not own else [own, *lines[1:]]


def _java_lines(throwable: Any) -> list[str]:
    """Return the first lines of the outermost exception, preferably one that names a file, and of the root cause."""
    chain: list[Any] = []
    while throwable is not None and len(chain) < 20:
        chain.append(throwable)
        throwable = throwable.getCause()
    lines = [_name_file(_first_line(each.getMessage() or each.getClass().getSimpleName())) for each in chain]
    lines = [line for line in lines if line] or [chain[-1].getClass().getSimpleName()]
    naming_a_file = [line for line in lines if line.endswith(CANNOT_BE_READ)]
    return [(naming_a_file or lines)[0], lines[-1]]


def _name_file(line: str) -> str:
    """Of a line that says which file cannot be read, name the file as RAW_URI does; Spark encodes it as a URL.

    Return other lines as they are, and nothing for a line that names no file: Comet names it in the root cause only.
    """
    if FAILED_READ not in line:
        return line
    found = re.search(r"reading file (\S*?)\.?(?:\s|$)", line)
    if found is None:
        return line
    return found[1] and unquote(found[1]) + CANNOT_BE_READ


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0].strip() if text.strip() else ""
