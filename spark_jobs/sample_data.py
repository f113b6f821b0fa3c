"""Write sample raw events: the three inputs of a night, with popular and unpopular products and known true click rates.

    spark-submit spark_jobs/sample_data.py [--raw-uri U] [--days N] [--until D] [options]

The same options give the same rows, on any number of cores. Beside the inputs, `true_click_rates/` says how likely each
product is to be clicked when shown, so that a ranking can be held against the truth.
"""

import argparse
import logging
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from math import log
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

if not __package__:  # spark-submit runs this file by itself: put the folder above in the place of this one
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from spark_jobs.failures import in_one_line
from spark_jobs.session import spark_session
from spark_jobs.settings import ConfigurationError, storage_from

INACTIVE_SHARE = 5  # one advertiser in so many is not active
BAD_ROWS = 500  # one row in so many is broken
ID_SPACE = 36**6
"""Product ids are six digits of base 36."""


def main() -> int:
    """Run from the command line; return the exit code: 0, 1 (failed) or 2 (bad arguments or configuration)."""
    options = parse_arguments(sys.argv[1:])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    logging.Formatter.converter = time.gmtime
    logging.getLogger("py4j").setLevel(logging.ERROR)
    try:
        storage = storage_from({"LAKE_URI": "file:///unused", **os.environ}, raw_uri=options.raw_uri)
        write(spark_session("vitrina sample data", storage), storage.raw_uri, options)
    except ConfigurationError as error:
        logging.error("sample_data.py: %s", error)
        return 2
    except Exception as error:
        logging.error("sample_data.py: %s", in_one_line(error))
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
    parser.add_argument("--days", type=_above(0), default=8, metavar="N", help="days of events (8)")
    parser.add_argument("--until", type=_date, default=yesterday, metavar="D", help="last day (yesterday, UTC)")
    parser.add_argument("--advertisers", type=_above(0), default=20, metavar="N", help="active advertisers (20)")
    parser.add_argument("--products", type=_above(0), default=100, metavar="N", help="products of each (100)")
    parser.add_argument(
        "--events-per-day", type=_above(1), default=125_000, metavar="N", help="half visits, half impressions (125000)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="another seed gives other events (1)")
    options = parser.parse_args(arguments)
    if options.days > (options.until - date.min).days:
        parser.error(f"there is no day {options.days} days before {options.until}")
    return options


def write(spark: SparkSession, raw_uri: str, options: argparse.Namespace) -> None:
    """Write the three inputs and the true click rates, one folder of CSV each, replacing what is there."""
    everybody = options.advertisers + -(-options.advertisers // INACTIVE_SHARE)
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
        logging.info("%s/%s written in %.1f s", raw_uri, name, time.monotonic() - began)


def advertisers(spark: SparkSession, options: argparse.Namespace) -> DataFrame:
    """Return the active advertisers: (advertiser_id)."""
    return spark.range(options.advertisers).select(advertiser_id(F.col("id"), options.seed).alias("advertiser_id"))


def events(moments: DataFrame, kind: str, everybody: int, options: argparse.Namespace) -> DataFrame:
    """Make one event a moment: (key, advertiser, product, advertiser_id, product_id, date).

    Advertisers and their products are Zipf-like: number k comes up about 1/k as often as number 1. What happens on a day
    does not depend on which other days are asked for.
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
    """Make of each showing an impression and, as often as the product's true rate says, a click."""
    clicked = uniform(seed, "clicked", "", F.col("key")) < click_rate(F.col("advertiser"), F.col("product"), seed)
    happened = F.when(clicked, F.array(F.lit("impression"), F.lit("click"))).otherwise(F.array(F.lit("impression")))
    return shown.withColumn("type", F.explode(happened))


def true_click_rates(spark: SparkSession, everybody: int, options: argparse.Namespace) -> DataFrame:
    """Return every product's chance of a click when shown: (advertiser_id, product_id, click_rate)."""
    numbers = spark.range(everybody).withColumnRenamed("id", "advertiser")
    pairs = numbers.crossJoin(spark.range(options.products).withColumnRenamed("id", "product"))
    return pairs.select(
        advertiser_id(F.col("advertiser"), options.seed).alias("advertiser_id"),
        product_id(F.col("advertiser"), F.col("product"), options.seed).alias("product_id"),
        click_rate(F.col("advertiser"), F.col("product"), options.seed).alias("click_rate"),
    )


def with_bad_rows(good: DataFrame, columns: list[str], seed: int) -> DataFrame:
    """Break one row in BAD_ROWS, in the ways real files are broken, and keep the raw columns alone."""
    fate = F.floor(uniform(seed, "bad", columns[-2], F.col("key")) * BAD_ROWS * 4)
    broken = {
        "product_id": F.when(fate == 0, "").when(fate == 1, F.repeat("product_id", F.lit(20))),
        "date": F.when(fate == 2, F.regexp_replace("date", "-", "/")),
        "advertiser_id": F.when(fate == 3, F.concat(F.lit("\t"), "advertiser_id")),
    }
    return good.select(*[F.coalesce(broken[c], F.col(c)).alias(c) if c in broken else F.col(c) for c in columns])


def advertiser_id(number: Column, seed: int) -> Column:
    """Return an advertiser's id: twenty capitals and digits, as ad platforms give them."""
    digits = [F.conv(F.hex(_hash(seed, f"advertiser {part}", number)), 16, 36) for part in ("a", "b")]
    return F.upper(F.substring(F.lpad(F.concat(*digits), 20, "0"), 1, 20))


def product_id(advertiser: Column, product: Column, seed: int) -> Column:
    """Return a product's id: six small letters and digits, unique within the advertiser."""
    # A multiplier without a factor in common with 36 takes different products to different ids.
    scattered = (F.pmod(_hash(seed, "product", advertiser), F.lit(ID_SPACE)) + product * 1_000_003_031) % ID_SPACE
    return F.lower(F.lpad(F.conv(scattered.cast("string"), 10, 36), 6, "0"))


def click_rate(advertiser: Column, product: Column, seed: int) -> Column:
    """Return a product's true click rate, 0.002 to 0.1 and skewed to the low end, whatever its popularity."""
    return 0.002 + 0.098 * F.pow(uniform(seed, "rate", "", advertiser * 1_000_000 + product), 6.0)


def zipf(chance: Column, count: int) -> Column:
    """Turn a uniform chance into a number from 0 to count - 1, number k about as often as 1/(k+1) says.

    The inverse of the distribution function log(k+1) / log(count+1), whose steps are log((k+2)/(k+1)), about 1/(k+1).
    """
    return F.least(F.floor(F.exp(chance * log(count + 1))) - 1, F.lit(count - 1))


def uniform(seed: int, purpose: str, detail: str, key: Column) -> Column:
    """Return a number in [0, 1) that depends on nothing but the arguments; rand() would depend on the partitions."""
    return F.pmod(_hash(seed, f"{purpose} {detail}", key), F.lit(2**53)) / float(2**53)


def _hash(seed: int, purpose: str, key: Column) -> Column:
    return F.xxhash64(F.lit(seed), F.lit(purpose), key.cast("bigint"))


def _date(text: str) -> date:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007  # a day has no time zone
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not a day of the form YYYY-MM-DD") from None


def _above(bound: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and int(text) > bound):
            raise argparse.ArgumentTypeError(f"'{text}' is not a number above {bound}")
        return int(text)

    return number


if __name__ == "__main__":
    sys.exit(main())
