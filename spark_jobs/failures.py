"""Say in one line why Spark, S3 or PostgreSQL failed; the JVM says it in two hundred."""

from typing import Any

from py4j.protocol import Py4JError, Py4JJavaError, Py4JNetworkError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

SPARK_HAS_ENDED = "Spark's JVM has ended: stopped by a signal, or out of memory"
SHUT_DOWN = "because SparkContext was shut down"
ADVICE = {
    "canceling statement due to lock timeout": "another session keeps a table locked that the job needs;"
    " pg_stat_activity shows who; run again when it has ended",
    "An I/O error occurred while sending to the backend": "the connection to PostgreSQL was lost; run again when it answers",
}
"""What to do about a failure whose own words do not say it."""


def in_one_line(error: BaseException) -> str:
    """Return what a person needs of an error: its own first line and, from the JVM, the first cause's."""
    if isinstance(error, Py4JJavaError):
        text = _java_lines(error.java_exception)
    elif isinstance(error, PySparkException):
        text = [_first_line(error.getMessage() or str(error)), *_captured_cause(error)]
    elif isinstance(error, (Py4JNetworkError, ConnectionRefusedError)) or type(error) is Py4JError:
        text = [SPARK_HAS_ENDED]
    else:
        text = [" ".join(str(error).split()) or type(error).__name__]
    line = ": ".join(dict.fromkeys(line for line in text if line))
    if SHUT_DOWN in line:
        return SPARK_HAS_ENDED
    return line + next((f": {advice}" for symptom, advice in ADVICE.items() if symptom in line), "")


def has_ended(spark: SparkSession) -> bool:
    """Return whether Spark has stopped or is stopping; what fails meanwhile fails of that, whatever it says."""
    try:
        return bool(spark.sparkContext._jsc.sc().isStopped())
    except (Py4JError, OSError):
        return True


def root_cause(error: Py4JJavaError) -> str:
    """Return the first cause's first line."""
    return _java_lines(error.java_exception)[-1]


def _captured_cause(error: PySparkException) -> list[str]:
    origin = getattr(error, "_origin", None)  # the Java exception that pyspark translated, where there is one
    return _java_lines(origin)[1:] if origin is not None else []


def _java_lines(throwable: Any) -> list[str]:
    """Return the first lines of the outermost exception that names a file, or else of the outermost, and the innermost."""
    chain: list[Any] = []
    while throwable is not None and len(chain) < 20:
        chain.append(throwable)
        throwable = throwable.getCause()
    lines = [_first_line(each.getMessage() or each.getClass().getSimpleName()) for each in chain]
    naming_a_file = [line for line in lines if "FAILED_READ_FILE" in line]
    return [(naming_a_file or lines)[0], lines[-1]]


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0].strip() if text.strip() else ""
