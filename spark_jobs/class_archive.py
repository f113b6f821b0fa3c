"""Do what a nightly run does, on a tiny scale, so that the JVM can archive the classes it loads. Needs no data or services.

    spark-submit --conf spark.driver.defaultJavaOptions=-XX:ArchiveClassesAtExit=FILE spark_jobs/class_archive.py

Later JVMs start faster with -XX:SharedArchiveFile=FILE (class-data sharing). `make setup` does both, once for each
installation of Spark and Java.
"""

import sys
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

if not __package__:  # spark-submit runs this file by its path: import from the folder above
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from spark_jobs.advertiser_counts import advertiser_counts
from spark_jobs.counts import rejects_of_runs, write_daily_counts
from spark_jobs.file_system import FileSystem
from spark_jobs.filters import mark_hidden
from spark_jobs.job import Options
from spark_jobs.lake import read_counts
from spark_jobs.ranking.registry import LIST_TABLES, rank_all, rows_of_table
from spark_jobs.ranking.windows import with_history
from spark_jobs.raw.events import read_raw
from spark_jobs.raw.listing import locate
from spark_jobs.run_counts import read_run_counts
from spark_jobs.session import spark_session
from spark_jobs.settings import Storage

DAY = date(2026, 1, 2)
RUN = {DAY: 1}
RUNS = {**RUN, DAY - timedelta(days=1): 0}
NO_SERVER = "127.0.0.1:1"  # refuses at once, after the classes of S3A and of the JDBC driver are loaded
FAIL_FAST = {
    "attempts.maximum": "1",
    "retry.limit": "0",
    "aws.credentials.provider": "org.apache.hadoop.fs.s3a.AnonymousAWSCredentialsProvider",
}
RAW = {
    "advertiser_ids.csv": ["advertiser_id", "a"],
    "product_views.csv": ["advertiser_id,product_id,date", f"a,p,{DAY}", "a,p,?"],
    "ads_views.csv": ["advertiser_id,product_id,type,date", f"a,p,impression,{DAY}"],
}


def main() -> int:
    """Run from the command line; return the exit code."""
    with TemporaryDirectory() as folder:
        for name, lines in RAW.items():
            Path(folder, name).write_text("\n".join(lines) + "\n")
        uri = f"file://{folder}"
        spark = spark_session(
            "vitrina class archive",
            Storage(raw_uri=uri, lake_uri=uri, s3_endpoint=f"http://{NO_SERVER}", s3_region="nowhere"),
        )
        raw = read_raw(spark, locate(spark, uri, [*RUNS]), [*RUNS])
        write_daily_counts(raw, uri, RUNS)
        options = Options(days=(DAY,))
        active, half_life_days = raw.active_advertisers(RUN), options.ranking.half_life_days
        products = mark_hidden(with_history(read_counts(spark, uri, RUNS), RUN, active, half_life_days), ()).persist()
        read_run_counts(raw, products, RUN, options)
        ranked = rank_all(products, options.top, options.ranking).persist()
        of_tables = [rows_of_table(table, ranked) for table in LIST_TABLES]
        for rows in (*of_tables, advertiser_counts(products, rejects_of_runs(raw, RUN))):
            rows.collect()
            with suppress(Exception):
                rows.write.jdbc(f"jdbc:postgresql://{NO_SERVER}/nothing", "nothing")
        hadoop: Any = spark._jsc.hadoopConfiguration()
        for name, value in FAIL_FAST.items():
            hadoop.set(f"fs.s3a.{name}", value)
        with suppress(Exception):
            FileSystem(spark, "s3a://nothing").exists("s3a://nothing/at-all")
        spark.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
