"""Do in small what a night does, so that the JVM learns which classes a night needs; no data, database or S3 are needed.

    spark-submit --conf spark.driver.defaultJavaOptions=-XX:ArchiveClassesAtExit=FILE spark_jobs/class_archive.py

The JVM keeps the classes, parsed and checked, in that file (class-data sharing); with -XX:SharedArchiveFile=FILE later ones
take them from there. `make setup` does both, once for each installation of Spark and Java.
"""

import sys
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

if not __package__:  # spark-submit runs this file by itself: put the folder above in the place of this one
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from spark_jobs.explained import advertiser_counts
from spark_jobs.lake import read_counts
from spark_jobs.models import LIST_TABLES, rank_all, rows_of
from spark_jobs.options import Options
from spark_jobs.past import with_past
from spark_jobs.prepare import of_active, prepare, rejects, totals, with_hidden
from spark_jobs.raw_events import locate, read_raw
from spark_jobs.session import spark_session
from spark_jobs.settings import Storage
from spark_jobs.storage import FileSystem

DAY = date(2026, 1, 2)
RUNS = {DAY: 1, DAY - timedelta(days=1): 0}
NOBODY = "127.0.0.1:1"  # refuses at once; by then the classes of S3A and of the JDBC driver are loaded
HASTILY = {
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
            Storage(raw_uri=uri, lake_uri=uri, s3_endpoint=f"http://{NOBODY}", s3_region="nowhere"),
        )
        raw = read_raw(spark, locate(spark, uri, [*RUNS]), [*RUNS])
        prepare(raw, uri, RUNS)
        ranked_days = {DAY: raw.active_on(DAY)}
        products = with_past(read_counts(spark, uri, RUNS), ranked_days)
        products = with_hidden(of_active(products, ranked_days), ()).persist()
        options = Options(days=(DAY,))
        totals(raw, products, ranked_days, options)
        ranked = rank_all(products, options.top, options.evidence).persist()
        of_tables = [rows_of(table, ranked) for table in LIST_TABLES]
        for rows in (*of_tables, advertiser_counts(products, rejects(raw, ranked_days))):
            rows.collect()
            with suppress(Exception):
                rows.write.jdbc(f"jdbc:postgresql://{NOBODY}/nothing", "nothing")
        hadoop: Any = spark._jsc.hadoopConfiguration()
        for name, value in HASTILY.items():
            hadoop.set(f"fs.s3a.{name}", value)
        with suppress(Exception):
            FileSystem(spark, "s3a://nothing").exists("s3a://nothing/at-all")
        spark.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
