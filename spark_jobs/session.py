"""The SparkSession, with the settings that every cluster needs. What varies by cluster is in conf/spark-defaults.conf."""

import sys

from pyspark.sql import SparkSession

from spark_jobs.settings import Storage

SCRATCH = "spark.vitrina.scratch"
"""A setting of ours: the folder for copies of input files, which every executor can read."""

ON_EVERY_CLUSTER = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    # A run generates more than the 100 classes that Spark caches by default; a backfill would compile them again every day.
    "spark.sql.codegen.cache.maxEntries": "1000",
    # Python would tell the JVM the line of our code before each of some 2,500 calls, which costs 4 % of a small run.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
    # Spark would list 10,000 input files in 10,000 tasks, which takes minutes on two cores.
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "64",
    # Report a missing bucket or a refused key within seconds, not after S3A's default of 20 attempts.
    "spark.hadoop.fs.s3a.attempts.maximum": "4",
    "spark.hadoop.fs.s3a.retry.limit": "4",
    # Wait a minute or two per request for an S3 that throttles or does not respond. S3A's defaults double the pause after
    # each of 20 throttled attempts, which adds up to days, and wait one minute for a silent server, 15 for an upload. 15
    # seconds is the minimum that S3A accepts.
    "spark.hadoop.fs.s3a.retry.throttle.limit": "6",
    "spark.hadoop.fs.s3a.connection.timeout": "15s",
    "spark.hadoop.fs.s3a.connection.request.timeout": "15s",
    "spark.hadoop.fs.s3a.connection.part.upload.timeout": "120s",
    # Tasks move their output files themselves: nothing reads a run's folder before it is complete.
    "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "2",
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
}
"""Settings that no cluster's own configuration may change: EMR, for one, does not read conf/spark-defaults.conf."""


def spark_session(name: str, storage: Storage) -> SparkSession:
    """Return the session with the settings above, and S3A configured for `storage`."""
    builder = (
        SparkSession.builder.appName(name)
        .config(map={**ON_EVERY_CLUSTER})
        .config(SCRATCH, f"{storage.lake_uri}/scratch")
        .config("spark.ui.showConsoleProgress", str(sys.stderr.isatty()).lower())
    )
    if storage.s3_endpoint:
        # A self-hosted S3 server has no host name for each bucket and perhaps no TLS. AWS needs none of these lines.
        builder = (
            builder.config("spark.hadoop.fs.s3a.endpoint", storage.s3_endpoint)
            .config("spark.hadoop.fs.s3a.path.style.access", "true")
            .config("spark.hadoop.fs.s3a.connection.ssl.enabled", str(storage.s3_endpoint.startswith("https")).lower())
        )
    if storage.s3_credentials:
        builder = builder.config("spark.hadoop.fs.s3a.aws.credentials.provider", storage.s3_credentials)
    if storage.s3_region:
        builder = builder.config("spark.hadoop.fs.s3a.endpoint.region", storage.s3_region)
    return builder.getOrCreate()
