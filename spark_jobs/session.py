"""The SparkSession: what must hold on every cluster. What varies by cluster is in conf/spark-defaults.conf."""

from typing import Any

from pyspark import SparkContext
from pyspark.sql import SparkSession

from spark_jobs.settings import Storage


def spark_session(name: str, storage: Storage) -> SparkSession:
    """Return the session of this application, with days in UTC and S3A pointed at `storage`."""
    builder = (
        SparkSession.builder.appName(name)
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.showConsoleProgress", str(_has_terminal()).lower())
    )
    if storage.s3_endpoint:
        # A server of one's own has no bucket.host names and perhaps no TLS; AWS itself needs none of these lines.
        builder = (
            builder.config("spark.hadoop.fs.s3a.endpoint", storage.s3_endpoint)
            .config("spark.hadoop.fs.s3a.path.style.access", "true")
            .config("spark.hadoop.fs.s3a.connection.ssl.enabled", str(storage.s3_endpoint.startswith("https")).lower())
        )
    if storage.s3_region:
        builder = builder.config("spark.hadoop.fs.s3a.endpoint.region", storage.s3_region)
    return builder.getOrCreate()


def _has_terminal() -> bool:
    """Ask the JVM: spark-submit gives Python a pipe, whatever its own output is."""
    SparkContext._ensure_initialized()
    jvm: Any = SparkContext._jvm
    return jvm.java.lang.System.console() is not None
