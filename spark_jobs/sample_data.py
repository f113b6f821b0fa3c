"""Write sample raw events: the three inputs, with popular and unpopular products and known true click rates.

    spark-submit spark_jobs/sample_data.py [--raw-uri U] [--days N] [--until D] [options]

The same options give the same rows, on any number of cores. `true_click_rates/`, next to the inputs, holds the chance of
a click for each product, so that a ranking can be compared with the truth.
"""

import argparse
import logging
import math
import os
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

if not __package__:  # spark-submit runs this file as a script: make the package importable
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from spark_jobs.cli import day_argument, set_up_logging, whole_number
from spark_jobs.failures import in_one_line
from spark_jobs.session import spark_session
from spark_jobs.settings import ConfigurationError, storage_from
from spark_jobs.streams import use_streams_of_spark_submit

ACTIVE_PER_INACTIVE = 5
"""Active advertisers for each inactive one."""
BAD_ROWS = 500
"""One row in 500 is broken."""
ID_SPACE = 36**6
"""Product ids are six digits of base 36."""

log = logging.getLogger("sample_data")


def main() -> int:
    """Run from the command line; return the exit code: 0, 1 (failed) or 2 (bad arguments or configuration)."""
    use_streams_of_spark_submit()
    set_up_logging()
    options = parse_arguments(sys.argv[1:])
    try:
        storage = storage_from({"LAKE_URI": "file:///unused", **os.environ}, raw_uri=options.raw_uri)
        write(spark_session("vitrina sample data", storage), storage.raw_uri, options)
    except ConfigurationError as error:
        log.error("sample_data.py: %s", error)
        return 2
    except Exception as error:
        log.error("sample_data.py: %s", in_one_line(error))
        return 1
    except KeyboardInterrupt:
        return 1
    return 0


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        prog="sample_data.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    parser.add_argument("--raw-uri", metavar="U", help="where to write (default: RAW_URI)")
    parser.add_argument("--days", type=whole_number(1), default=8, metavar="N", help="days of events (8)")
    parser.add_argument("--until", type=day_argument, default=yesterday, metavar="D", help="last day (yesterday, UTC)")
    parser.add_argument("--advertisers", type=whole_number(1), default=20, metavar="N", help="active advertisers (20)")
    parser.add_argument("--products", type=whole_number(1), default=100, metavar="N", help="products of each (100)")
    parser.add_argument(
        "--events-per-day",
        type=whole_number(2),
        default=125_000,
        metavar="N",
        help="half of them visits, half impressions (125000)",
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the random choices (1)")
    options = parser.parse_args(arguments)
    if options.days > (options.until - date.min).days:
        parser.error(f"there is no day {options.days} days before {options.until}")
    return options


def write(spark: SparkSession, raw_uri: str, options: argparse.Namespace) -> None:
    """Write the three inputs and the true click rates, one folder of CSV each, replacing what is there."""
    everybody = options.advertisers + -(-options.advertisers // ACTIVE_PER_INACTIVE)
    half_a_day = options.events_per_day // 2
    moments = spark.range(options.days * half_a_day)
    shown = events(moments, "shown", everybody, options)
    frames = {
        "advertiser_ids": advertisers(spark, options).coalesce(1),
        "product_views": with_bad_rows(
            events(moments, "viewed", everybody, options), ["advertiser_id", "product_id", "date"], options.seed
        ),
        "ads_views": with_bad_rows(
            impressions_and_clicks(shown, options.seed), ["advertiser_id", "product_id", "type", "date"], options.seed
        ),
        "true_click_rates": true_click_rates(spark, everybody, options).coalesce(1),
    }
    for name, frame in frames.items():
        began = time.monotonic()
        frame.write.mode("overwrite").csv(f"{raw_uri}/{name}", header=True, ignoreLeadingWhiteSpace=False)
        log.info("%s/%s written in %.1f s", raw_uri, name, time.monotonic() - began)


def advertisers(spark: SparkSession, options: argparse.Namespace) -> DataFrame:
    """Return the active advertisers: (advertiser_id)."""
    return spark.range(options.advertisers).select(advertiser_id(F.col("id"), options.seed).alias("advertiser_id"))


def events(moments: DataFrame, kind: str, everybody: int, options: argparse.Namespace) -> DataFrame:
    """Make one event for each moment: (key, advertiser, product, advertiser_id, product_id, date).

    Advertisers and their products follow Zipf's law: number k occurs about 1/k as often as number 1. The events of a day
    do not depend on the other days that are requested.
    """
    seed, first = options.seed, options.until - timedelta(days=options.days - 1)
    day = F.col("id") % options.days + (first - date(1970, 1, 1)).days
    keyed = moments.select(
        (day * 2**32 + F.floor(F.col("id") / options.days)).alias("key"),
        F.date_from_unix_date(day.cast("int")).cast("string").alias("date"),
    )
    chosen = keyed.withColumns(
        {
            "advertiser": zipf(uniform(seed, kind, "advertiser", F.col("key")), everybody),
            "product": zipf(uniform(seed, kind, "product", F.col("key")), options.products),
        }
    )
    return chosen.withColumns(
        {
            "advertiser_id": advertiser_id(F.col("advertiser"), seed),
            "product_id": product_id(F.col("advertiser"), F.col("product"), seed),
        }
    )


def impressions_and_clicks(shown: DataFrame, seed: int) -> DataFrame:
    """Return an impression for each time a product is shown and, at the product's true rate, a click."""
    clicked = uniform(seed, "clicked", "", F.col("key")) < click_rate(F.col("advertiser"), F.col("product"), seed)
    happened = F.when(clicked, F.array(F.lit("impression"), F.lit("click"))).otherwise(F.array(F.lit("impression")))
    return shown.withColumn("type", F.explode(happened))


def true_click_rates(spark: SparkSession, everybody: int, options: argparse.Namespace) -> DataFrame:
    """Return the chance that an impression leads to a click: (advertiser_id, product_id, click_rate)."""
    numbers = spark.range(everybody).withColumnRenamed("id", "advertiser")
    pairs = numbers.crossJoin(spark.range(options.products).withColumnRenamed("id", "product"))
    return pairs.select(
        advertiser_id(F.col("advertiser"), options.seed).alias("advertiser_id"),
        product_id(F.col("advertiser"), F.col("product"), options.seed).alias("product_id"),
        click_rate(F.col("advertiser"), F.col("product"), options.seed).alias("click_rate"),
    )


def with_bad_rows(good: DataFrame, columns: list[str], seed: int) -> DataFrame:
    """Break one row in BAD_ROWS, as in real files, and keep only the raw columns."""
    fate = F.floor(uniform(seed, "bad", columns[-2], F.col("key")) * BAD_ROWS * 4)
    broken = {
        "product_id": F.when(fate == 0, "").when(fate == 1, F.repeat("product_id", F.lit(20))),
        "date": F.when(fate == 2, F.regexp_replace("date", "-", "/")),
        "advertiser_id": F.when(fate == 3, F.concat(F.lit("\t"), "advertiser_id")),
    }
    return good.select(*[F.coalesce(broken[c], F.col(c)).alias(c) if c in broken else F.col(c) for c in columns])


def advertiser_id(number: Column, seed: int) -> Column:
    """Return an advertiser's id: twenty capitals and digits, as on ad platforms."""
    digits = [F.conv(F.hex(_hash(seed, f"advertiser {part}", number)), 16, 36) for part in ("a", "b")]
    return F.upper(F.substring(F.lpad(F.concat(*digits), 20, "0"), 1, 20))


def product_id(advertiser: Column, product: Column, seed: int) -> Column:
    """Return a product's id: six lower-case letters and digits, unique for the advertiser."""
    # The multiplier has no common factor with 36, so different products get different ids.
    scattered = (F.pmod(_hash(seed, "product", advertiser), F.lit(ID_SPACE)) + product * 1_000_003_031) % ID_SPACE
    return F.lower(F.lpad(F.conv(scattered.cast("string"), 10, 36), 6, "0"))


def click_rate(advertiser: Column, product: Column, seed: int) -> Column:
    """Return a product's true click rate: 0.002 to 0.1, skewed to the low end, independent of its popularity."""
    return 0.002 + 0.098 * F.pow(uniform(seed, "rate", "", advertiser * 1_000_000 + product), 6.0)


def zipf(chance: Column, count: int) -> Column:
    """Turn a uniform chance into a number from 0 to count - 1; the probability of k is about proportional to 1/(k+1).

    This is the inverse of the distribution function log(k+1) / log(count+1), whose steps are log((k+2)/(k+1)), about 1/(k+1).
    """
    return F.least(F.floor(F.exp(chance * math.log(count + 1))) - 1, F.lit(count - 1))


def uniform(seed: int, purpose: str, detail: str, key: Column) -> Column:
    """Return a number in [0, 1) that depends only on the arguments. rand() would also depend on the partitions."""
    return F.pmod(_hash(seed, f"{purpose} {detail}", key), F.lit(2**53)) / float(2**53)


def _hash(seed: int, purpose: str, key: Column) -> Column:
    return F.xxhash64(F.lit(seed), F.lit(purpose), key.cast("bigint"))


if __name__ == "__main__":
    sys.exit(main())
